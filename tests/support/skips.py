"""A skip fails the run unless tests/skips.toml lists it with its reason."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import ROOT

SKIPS = ROOT / "tests" / "skips.toml"


@dataclass(frozen=True)
class Skip:
    """A skip that may be: where, by what reason, and why it is allowed."""

    tests: str
    reason: str
    why: str


def read_skips(path: Path) -> list[Skip]:
    """Gives the skips that a file lists."""
    return [Skip(**entry) for entry in tomllib.loads(path.read_text())["skip"]]


class ListedSkips:
    """A plugin of pytest that fails a run with a skip that is not listed.

    With xdist the process that shares the tests out gets every report, and it alone decides.
    """

    def __init__(self, allowed: list[Skip]) -> None:
        self._allowed = allowed
        self._unlisted: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test's report."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file's report: it may be skipped as a whole."""
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        said = getattr(report, "wasxfail", None) or reason(report)
        for skip in self._allowed:
            if report.nodeid.startswith(skip.tests) and said.startswith(skip.reason):
                return
        self._unlisted.append(f"{report.nodeid}: {said}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The end, where the exit status is decided."""
        if self._unlisted and not hasattr(session.config, "workerinput"):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The last lines of the run."""
        if self._unlisted:
            terminalreporter.section("skips that tests/skips.toml does not list", red=True)
            for line in self._unlisted:
                terminalreporter.line(line)


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Gives what the skip says."""
    place = report.longrepr
    text = place[2] if isinstance(place, tuple) else str(place)
    return text.removeprefix("Skipped: ")
