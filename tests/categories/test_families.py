"""The bench proves itself: references pass, habits and mutants do not, and nothing leaks between
the splits.
"""

import json
from collections import Counter
from typing import Any

import pytest

from inframind.bench.draw import Draw, pool_of
from inframind.bench.export import skeleton, statistics
from inframind.bench.family import Draft, Family
from inframind.bench.load import SPLITS, content_hash, families, load_tasks
from inframind.categories import CATEGORIES
from inframind.stages.config import NANO_SLICE
from inframind.types import Check, Outcome, Split, Task, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks
from inframind.verifier.ladder import score
from tests.support.mutants import mutants

EVERY = pytest.mark.parametrize("family", families(), ids=lambda family: family.id)


def judge(family: Family, text: str, checks: tuple[Check, ...]) -> Verdict:
    return score(VerifyRequest(text=text, category=family.category, checks=checks, format="file"))


def drafts(family: Family, count: int = 3) -> list[tuple[Draft, Draw]]:
    return [family.draft(f"test-{index}", "train") for index in range(count)]


@EVERY
def test_the_reference_has_everything_that_was_asked_for(family: Family) -> None:
    for draft, _ in drafts(family):
        validate_checks(draft.checks)
        verdict = judge(family, draft.answer, tuple(draft.checks))
        assert verdict.score == 1.0, [finding.message for finding in verdict.findings]


@EVERY
def test_a_second_right_answer_passes(family: Family) -> None:
    for draft, _ in drafts(family):
        if draft.variant is not None:
            assert draft.variant != draft.answer
            verdict = judge(family, draft.variant, tuple(draft.checks))
            assert verdict.verdict is Outcome.PASS, [
                finding.message for finding in verdict.findings
            ]


@EVERY
def test_old_habits_do_not_pass(family: Family) -> None:
    for draft, _ in drafts(family):
        for new, old in draft.habits:
            assert new in draft.answer
            assert (
                judge(family, draft.answer.replace(new, old), tuple(draft.checks)).verdict
                is Outcome.FAIL
            ), (new, old)


@EVERY
def test_every_open_value_matters(family: Family) -> None:
    """Another value in the place of a drawn one is another answer."""
    for draft, draw in drafts(family, 1):
        for value in draw.values:
            other = str(int(value) + 1) if value.isdigit() else _other(value)
            text = draft.answer.replace(value, other)
            if text != draft.answer:
                assert judge(family, text, tuple(draft.checks)).verdict is Outcome.FAIL, value


@EVERY
def test_every_check_is_broken_by_a_small_wound(family: Family) -> None:
    """For each check there is a valid text that fails it: one line, word or habit from the
    reference, or another's answer.
    """
    draft, _ = family.draft("test-0", "train")
    unbroken = {index: check.id for index, check in enumerate(draft.checks)}
    habits = [draft.answer.replace(new, old) for new, old in draft.habits]
    others = [
        other.draft("test-1", "train")[0].answer
        for other in families()
        if other.category == family.category
    ]
    for text in (*habits, *mutants(draft.answer), *others):
        verdict = judge(family, text, tuple(draft.checks))
        if verdict.rungs["references"] == "pass":
            assert len(verdict.checks) == len(draft.checks)
            for index, result in enumerate(verdict.checks):
                if not result.passed:
                    unbroken.pop(index, None)
        if not unbroken:
            return
    assert not unbroken


def _other(value: str) -> str:
    """Another value of the same form."""
    return (
        value.replace("10.", "11.", 1)
        if value.startswith("10.")
        else ("b" if value[-1] == "a" else "").join((value[:-1], "a"))
    )


@EVERY
def test_another_answer_of_the_same_category_does_not_pass(family: Family) -> None:
    draft, _ = family.draft("test-0", "train")
    for other in families():
        if other.category == family.category and other.id != family.id:
            text = other.draft("test-1", "train")[0].answer
            assert judge(family, text, tuple(draft.checks)).verdict is Outcome.FAIL, other.id


@EVERY
def test_the_instruction_states_every_open_value(family: Family) -> None:
    draft, draw = family.draft("test-0", "train")
    for wording in draft.wordings:
        missing = [value for value in draw.values if value not in wording]
        assert not missing, wording


def test_every_category_has_seen_and_unseen_families() -> None:
    for name in CATEGORIES:
        mine = [family for family in families() if family.category == name]
        assert {family.held_out for family in mine} == {True, False}
        assert len(mine) >= (5 if name == "decline" else 14)


@pytest.mark.parametrize("split", SPLITS)
def test_tasks_are_the_same_every_time_and_distinct(split: Split) -> None:
    tasks = load_tasks(split)
    assert len({task.id for task in tasks}) == len(tasks)
    assert len({task.instruction + task.input for task in tasks}) == len(tasks)
    family = next(f for f in families() if f.id == tasks[0].family)
    index = int(tasks[0].id.rpartition("/")[2])
    assert family.task(index, split) == tasks[0]


def test_splits_share_no_open_value() -> None:
    values = {
        split: {value for task in load_tasks(split) for value in task.values} for split in SPLITS
    }
    assert not values["train"] & (
        values["test-values"] | values["test-families"] | values["validation"]
    )
    assert all(pool_of(value) == "test" for value in values["test-values"])


def test_held_out_families_are_nowhere_else() -> None:
    new = {task.family for task in load_tasks("test-families")}
    assert not new & {
        task.family
        for split in ("train", "validation", "test-values")
        for task in load_tasks(split)
    }


def test_the_demo_slice_is_large_enough() -> None:
    assert len(load_tasks("test-values", max_difficulty=NANO_SLICE["max_difficulty"])) >= 400
    assert len(load_tasks("test-families", max_difficulty=NANO_SLICE["max_difficulty"])) >= 120


def test_the_hash_names_the_content() -> None:
    assert content_hash().startswith("sha256:")
    assert content_hash() == content_hash()


def test_a_task_travels_as_json() -> None:
    task = load_tasks("train", limit=1)[0]
    data: Any = json.loads(task.model_dump_json())
    assert Task.model_validate(data) == task


def test_the_bench_is_as_large_as_it_says() -> None:
    measured = statistics()
    assert measured["tasks"] >= 3_000
    assert measured["families"] >= 300 and measured["skeletons"] >= 300
    assert measured["wordings"] >= 900
    assert measured["unique_instructions"] >= 0.95 * measured["tasks"]
    assert set(measured["by_category"]) == set(CATEGORIES)
    assert set(measured["by_difficulty"]) == set("12345")


def test_no_two_families_have_the_same_skeleton() -> None:
    owner: dict[str, str] = {}
    for split in SPLITS:
        for task in load_tasks(split):
            assert owner.setdefault(skeleton(task), task.family) == task.family


@pytest.mark.parametrize("name", ["terraform", "kubernetes", "cloudformation", "mlops"])
def test_no_kind_of_resource_has_more_than_six_families(name: str) -> None:
    """The kind of a task is that of its resource, where the format has kinds of its own."""
    gates = Counter(
        next(check.kind for check in family.draft("test-0", "train")[0].checks if check.gate)
        for family in families()
        if family.category == name
    )
    assert max(gates.values()) <= 6, gates.most_common(3)
