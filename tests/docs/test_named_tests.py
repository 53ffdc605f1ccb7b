"""The tests that documents name for a promise are there: docs/production names one for each."""

import re
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("security.md", "faults.md")
TESTS: dict[str, list[str]] = {}
"""File's stem -> its tests."""
for path in (ROOT / "tests").rglob("test_*.py"):
    names = re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    TESTS.setdefault(path.stem, []).extend(names)


def named(page: str) -> list[str]:
    """Lists names in code marks: `test_file::test_name_*`, `test_file.py`, or `*_name_*`."""
    marks = re.findall(r"`([^`]+)`", (ROOT / "docs" / "production" / page).read_text())
    return [mark for mark in marks if re.match(r"(?:[\w/]*test_\w+|\*_)", mark)]


def exists(name: str) -> bool:
    """Tells a name of a test that is there; `*` stands for anything."""
    file, _, test = name.rpartition("::")
    if name.endswith(".py"):
        return Path(name).stem in TESTS
    candidates = TESTS.get(Path(file).stem, []) if file else chain(*TESTS.values())
    return any(fnmatchcase(candidate, test) for candidate in candidates)


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_are_there(page: str) -> None:
    names = named(page)
    assert names
    assert [name for name in names if not exists(name)] == []
