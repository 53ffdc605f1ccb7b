"""The tests' own order: no fixture twice, no helper copied, no skip that nobody has allowed."""

import ast
import os
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.skips import SKIPS, read_skips

TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("*.py"))
SHORT = 3
"""Functions of so few lines may be alike."""
LIMITS = {"until": 1, "wait_for": 3}
"""Functions of tests/support that wait -> how many arguments they take: none is a time."""

CEILINGS = ("HANG_SECONDS", "GIVES_UP_SECONDS")
"""Timeouts that may be: the second is of a client whose giving up is the test's subject."""


PROCESS_WAITS = ("wait", "result", "settimeout")
"""Methods whose first argument is a time."""


def has_number(arguments: list[ast.expr]) -> bool:
    """Tells whether one of the arguments is a number that was written there."""
    return any(
        isinstance(argument, ast.Constant) and isinstance(argument.value, int | float)
        for argument in arguments
    )


@cache
def functions(path: Path) -> list[ast.FunctionDef]:
    """Gives the functions of a file, those of its classes too."""
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@cache
def fixtures(path: Path) -> dict[str, str]:
    """Gives the fixtures of a file: name -> body."""
    return {
        function.name: body(function)
        for function in functions(path)
        if any("pytest.fixture" in ast.unparse(node) for node in function.decorator_list)
    }


def body(function: ast.FunctionDef) -> str:
    """Gives what a function does, without its docstring."""
    rest = function.body[1:] if ast.get_docstring(function) else function.body
    return ast.unparse(ast.Module(rest, []))


def test_no_fixture_is_written_twice() -> None:
    places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in FILES:
        for fixture in fixtures(path).items():
            places[fixture].append(str(path.relative_to(TESTS)))
    assert not {name: paths for (name, _), paths in places.items() if len(paths) > 1}


def test_a_shared_fixtures_name_means_nothing_else_further_down() -> None:
    for path in FILES:
        above = [folder / "conftest.py" for folder in path.parents if folder.is_relative_to(TESTS)]
        for conftest in above:
            if conftest != path and conftest.exists():
                taken = fixtures(path).keys() & fixtures(conftest).keys()
                assert not taken, f"{path} defines what {conftest} has: {taken}"


def test_no_helper_is_a_copy() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for function in functions(path):
            text = body(function)
            if text.count("\n") >= SHORT:
                places[text].append(f"{path.relative_to(TESTS)}:{function.name}")
    assert not [copies for copies in places.values() if len(copies) > 1]


def test_no_wait_says_how_long_something_may_take() -> None:
    """Clients have one ceiling too: httpx alone gives up after five seconds."""
    for path in FILES:
        if path.parent.name == "support" and path.name in ("waiting.py", "http.py", "chaos.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            assert len(node.args) <= LIMITS.get(name, 99), f"{path}:{node.lineno}: {name}"
            assert name.split(".")[-1] not in PROCESS_WAITS or not has_number(node.args), (
                f"{path}:{node.lineno}: a limit of its own for {name}"
            )
            assert not name.startswith("httpx.") or name in ("httpx.URL", "httpx.Response"), (
                f"{path}:{node.lineno}: use tests.support.http instead of {name}"
            )
            for keyword in node.keywords:
                assert keyword.arg != "timeout" or ast.unparse(keyword.value) in CEILINGS, (
                    f"{path}:{node.lineno}: a timeout of its own"
                )


def test_every_skip_is_listed_with_its_reason() -> None:
    assert all(skip.tests and skip.reason and skip.why for skip in read_skips(SKIPS))


CONFTEST = """
from tests.support.skips import ListedSkips, Skip

def pytest_configure(config):
    config.pluginmanager.register(ListedSkips([Skip("test_it.py::", "not here", "as ever")]))
"""


@pytest.mark.parametrize(
    ("workers", "test", "status"),
    [
        (0, "def test_it(): pytest.skip('not here: make it')", 0),
        (0, "def test_it(): pytest.skip('another reason')", 1),
        (0, "@pytest.mark.xfail\ndef test_it(): assert False", 1),
        (0, "pytest.skip('all of it', allow_module_level=True)", 1),
        (2, "def test_it(): pytest.skip('not here: make it')", 0),
        (2, "def test_it(): pytest.skip('another reason')", 1),
    ],
)
def test_an_unlisted_skip_fails_the_run(
    tmp_path: Path, workers: int, test: str, status: int
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(f"import pytest\n{test}\n")
    (tmp_path / "test_more.py").write_text("def test_more(): pass\n")
    options = ["-p", "xdist.plugin", "-n", str(workers)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == status, done.stdout
    assert ("does not list" in done.stdout) is (status == 1)
