"""The countable rules of CONTRIBUTING.md for prose: docstrings, names of locals, comments, layout.

Each table holds what was measured last. A number that limits may only go down, and the floor of
comments only up: whoever lowers a count lowers its number here.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "workers", "inframind", "migrations", "tools")

MAX_FRAGMENTS = {"app": 0, "workers": 0, "inframind": 0, "migrations": 0, "tools": 0}
"""Docstrings that begin as a question or have at most two words; the goal is none."""
MAX_VAGUE_NAMES = {"app": 6, "workers": 0, "inframind": 0, "migrations": 0, "tools": 0}
"""Locals and parameters that do not say what they hold; `at` is a field of events on the wire."""
MIN_COMMENTS = {"app": 2.0, "workers": 2.5, "inframind": 2.0, "migrations": 2.0, "tools": 2.0}
"""Comment lines in a hundred, at least (CONTRIBUTING.md)."""
MAX_COMMENTS = 5.0
UNFORMATTED: dict[str, str] = {}
"""File -> why a statement of it that is no table of constants keeps its own layout."""

VAGUE_NAMES = {"found", "given", "known", "one", "at"}
QUESTION = re.compile(r"(What|Whether|Who)\b")
DIRECTIVE = re.compile(r"#\s*(type:|noqa|fmt:|pragma:)")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def sources(package: str) -> list[Path]:
    """List a package's modules. The families are left out: their wordings are data."""
    paths = (ROOT / package).rglob("*.py")
    return sorted(path for path in paths if "families" not in path.relative_to(ROOT).parts)


@cache
def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text())


def comments(text: str) -> list[tokenize.TokenInfo]:
    """List the comments of a source text."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in tokens if token.type == tokenize.COMMENT]


def fragments(module: ast.Module) -> list[str]:
    """List the docstrings that need the name beside them to be understood."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [
        ast.get_docstring(node) for node in ast.walk(module) if isinstance(node, documented)
    ]
    return [
        docstring
        for docstring in docstrings
        if docstring and (QUESTION.match(docstring) or len(docstring.split()) <= 2)
    ]


def vague_names(module: ast.Module) -> Counter[str]:
    """Count the assignments and parameters with a name that says nothing."""
    names: Counter[str] = Counter()
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] += 1
        elif isinstance(node, ast.arg):
            names[node.arg] += 1
    return Counter({name: names[name] for name in VAGUE_NAMES & names.keys()})


def constant_ends(module: ast.Module) -> set[int]:
    """List the last lines of assignments to constants, those in a class included."""
    ends = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if all(
                isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id) for target in targets
            ):
                ends.add(node.end_lineno or node.lineno)
    return ends


def unformatted(path: Path) -> list[int]:
    """List the lines of a module where something else than a table of constants skips ruff."""
    skips = {
        token.start[0] for token in comments(path.read_text()) if "fmt:" in token.string.split()
    }
    return sorted(skips - constant_ends(tree(path)))


def rate_of_comments(package: str) -> float:
    """Measure the comment lines in a hundred lines of a package, directives to tools left out."""
    texts = [path.read_text() for path in sources(package)]
    explaining = sum(
        not DIRECTIVE.match(comment.string) for text in texts for comment in comments(text)
    )
    return 100 * explaining / sum(len(text.splitlines()) for text in texts)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_makes_sense_without_its_name(package: str) -> None:
    bare = [
        f"{path.relative_to(ROOT)}: {docstring.splitlines()[0]}"
        for path in sources(package)
        for docstring in fragments(tree(path))
    ]
    assert len(bare) <= MAX_FRAGMENTS[package], bare


@pytest.mark.parametrize("package", PACKAGES)
def test_a_local_is_named_after_what_it_holds(package: str) -> None:
    vague = {
        str(path.relative_to(ROOT)): dict(names)
        for path in sources(package)
        if (names := vague_names(tree(path)))
    }
    total = sum(count for names in vague.values() for count in names.values())
    assert total <= MAX_VAGUE_NAMES[package], vague


@pytest.mark.parametrize("package", PACKAGES)
def test_comments_are_neither_missing_nor_noise(package: str) -> None:
    rate = rate_of_comments(package)
    assert MIN_COMMENTS[package] <= rate <= MAX_COMMENTS, f"{rate:.2f} comments in a hundred lines"


def test_only_tables_of_constants_keep_their_own_layout() -> None:
    lines = {
        str(path.relative_to(ROOT)): skipped
        for package in PACKAGES
        for path in sources(package)
        if (skipped := unformatted(path))
    }
    assert lines.keys() == UNFORMATTED.keys(), lines


def test_each_rule_sees_what_it_forbids(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        '"""Whether it works."""\n'
        "TABLE = (\n    1,\n)  # fmt: skip\n"
        "def f(given, count):\n"
        '    """The number."""\n'
        "    found = [at for at in given]  # fmt: skip\n"
        '    """Not a docstring."""\n'
    )
    module = ast.parse(source.read_text())
    assert fragments(module) == ["Whether it works.", "The number."]
    assert vague_names(module) == {"found": 1, "at": 1, "given": 1}
    assert unformatted(source) == [7]
