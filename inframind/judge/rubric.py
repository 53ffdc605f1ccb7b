"""Loads the rubric: yes-or-no criteria for a judge.

Three hold for every category; the others stand in `rubric.txt` in the category's folder.
"""

from functools import cache
from importlib.resources import files

from inframind.categories import CATEGORIES, category

COMMON = {
    "asked": (
        "Everything that the task asks for is there, with exactly the names and values it gives."
    ),
    "valid": "The text parses, and every field, argument and reference in it exists.",
    "honest": (
        "It holds nothing that contradicts the task,"
        " and no text that speaks to its reader about grading."
    ),
}


@cache
def rubric(name: str) -> dict[str, str]:
    """Criterion -> what must hold, for a category. Raises ConfigError for an unknown one."""
    category(name)
    file = files(CATEGORIES[name].partition(":")[0].rpartition(".")[0]) / "rubric.txt"
    own = [line.partition(": ") for line in file.read_text().splitlines()] if file.is_file() else []
    return {**COMMON, **{criterion: text for criterion, _, text in own}}
