"""The job contract's table of states against the moves that the service makes."""

import re
from pathlib import Path

from app.job_state import MOVES, TERMINAL, JobState

CONTRACT = Path(__file__).parents[2] / "docs/contracts/job.md"
ROW = re.compile(r"\| `(?P<state>\w+)` \| (?P<terminal>[^|]+) \| (?P<moves>[^|]+) \|")


def test_the_contract_names_every_move() -> None:
    rows = [ROW.match(line) for line in CONTRACT.read_text().splitlines()]
    table = {
        JobState(row["state"]): frozenset(re.findall(r"[a-z]+", row["moves"]))
        for row in rows
        if row
    }
    assert table == MOVES


def test_the_contract_names_the_terminal_states() -> None:
    rows = [ROW.match(line) for line in CONTRACT.read_text().splitlines()]
    assert {row["state"] for row in rows if row and "yes" in row["terminal"]} == TERMINAL
