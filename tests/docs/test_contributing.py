"""CONTRIBUTING's worked examples are the code's own lines."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = {
    "inframind/categories/compose/families/basics.py": '@family("service", difficulty=1)',
}
"""File -> how the example from it begins."""


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_the_codes_own(path: str) -> None:
    blocks = re.findall(r"^ *```python\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
    [block] = [block for block in blocks if block.startswith(EXAMPLES[path])]
    assert path in TEXT
    assert block.strip() in (ROOT / path).read_text()


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"`((?:inframind|tests|docs|app|workers)/[\w./-]+)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
