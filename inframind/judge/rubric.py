"""Loads the rubric: yes-or-no criteria for a judge.

Three hold for every category; the others stand in `rubric.txt` in the category's folder.
"""

from functools import cache

from inframind.categories import package

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
    criteria = [line.partition(": ") for line in package(name).rubric.splitlines()]
    return {**COMMON, **{criterion: text for criterion, _, text in criteria}}
