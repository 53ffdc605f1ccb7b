"""Nothing to cheat: texts that pretend to solve a task, and valid files that miss one thing of it
(`fakes/<category>.yaml`).

`task`: checks and one right answer. `fakes`: whole texts, none may earn more than validity does.
`near`: one replacement in the right answer; the result is valid by itself and never passes the
task.
"""

from pathlib import Path
from typing import Any

import pytest

from inframind.categories import CATEGORIES
from inframind.categories.shared.yaml import load_all
from inframind.types import Check, Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score

DATA: dict[str, Any] = {
    path.stem: load_all(path.read_text())[0]
    for path in sorted((Path(__file__).parent / "fakes").glob("*.yaml"))
}
TASKS = {
    name: tuple(Check.model_validate(check) for check in data["task"]["checks"])
    for name, data in DATA.items()
}


def cases(kind: str) -> list[tuple[str, str]]:
    return [(name, key) for name, data in DATA.items() for key in data[kind]]


def judge(name: str, text: str, checks: tuple[Check, ...]) -> Verdict:
    return score(VerifyRequest(text=text, category=name, checks=checks))


def test_every_category_has_fakes() -> None:
    assert set(DATA) == set(CATEGORIES)
    assert len(cases("fakes")) + len(cases("near")) >= 137
    assert len(cases("near")) >= 50


@pytest.mark.parametrize("name", DATA)
def test_the_task_can_be_solved(name: str) -> None:
    verdict = judge(name, DATA[name]["task"]["right"], TASKS[name])
    assert verdict.score == 1.0, verdict.findings


@pytest.mark.parametrize(("name", "key"), cases("fakes"))
def test_a_fake_earns_no_more_than_validity(name: str, key: str) -> None:
    verdict = judge(name, DATA[name]["fakes"][key], TASKS[name])
    assert verdict.score <= 0.2, verdict.checks
    assert verdict.verdict is Outcome.FAIL


@pytest.mark.parametrize(("name", "key"), cases("near"))
def test_a_near_miss_is_valid_and_does_not_pass(name: str, key: str) -> None:
    right = DATA[name]["task"]["right"]
    old, new = DATA[name]["near"][key]
    assert right.count(old) >= 1, old
    text = right.replace(old, new)
    assert judge(name, text, ()).verdict is Outcome.PASS, judge(name, text, ()).findings
    verdict = judge(name, text, TASKS[name])
    assert verdict.verdict is Outcome.FAIL and verdict.score < 1.0
