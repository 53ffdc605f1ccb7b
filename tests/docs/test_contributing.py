"""CONTRIBUTING's worked examples are the code's own lines."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = {
    "inframind/categories/compose/families/basics.py": '@family("service", difficulty=1)',
    "inframind/categories/compose/rules.py": "LATEST = ",
}
"""File -> how the example from it begins."""
LINES = {
    "inframind/categories/compose/policy.py": "rules.LATEST.finding(",
    "inframind/categories/decline/validator.py": 'languages = ("decline",)',
    "inframind/categories/__init__.py": 'CategoryPackage("decline")',
    "inframind/stages/__init__.py": '"grpo": grpo',
    "inframind/stages/grpo.py": 'stage: Literal["grpo"] = "grpo"',
}
"""File -> a line of it that stands in an example, which leaves others out."""


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_the_codes_own(path: str) -> None:
    blocks = re.findall(r"^ *```python\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
    plain = [dedent(block).strip() for block in blocks]
    [block] = [block for block in plain if block.startswith(EXAMPLES[path])]
    assert path in TEXT
    assert block in (ROOT / path).read_text()


@pytest.mark.parametrize("path", LINES)
def test_a_line_of_an_example_is_the_codes_own(path: str) -> None:
    assert LINES[path] in TEXT
    assert LINES[path] in (ROOT / path).read_text()


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"`((?:inframind|tests|docs|app|workers)/[\w./-]+)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
