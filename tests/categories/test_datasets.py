"""Users' own rows, with the real verifier: what is accepted, what is derived, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer, prompt
from inframind.datasets.rows import Reading, read
from inframind.datasets.store import load, name_of, save
from inframind.errors import DataError
from inframind.types import Outcome, Rendering, VerifyRequest
from inframind.verifier.verifier import Verifier

GOOD = {
    "instruction": "A Dockerfile from python:3.12-slim that works in /srv/app "
    "and runs as user worker.",
    "output": "FROM python:3.12-slim\nWORKDIR /srv/app\nUSER worker\n",
}
OTHER = {"instruction": "From debian:12.", "output": "FROM debian:12\n", "category": "dockerfile"}


def rows(
    verifier: Verifier, *entries: dict[str, Any], rendering: Rendering | None = None
) -> Reading:
    body = "\n".join(json.dumps(row) for row in entries).encode()
    return read(body, verifier, rendering, workers=1)


def test_the_benchs_own_tasks_are_accepted_as_rows(verifier: Verifier) -> None:
    tasks = load_tasks("validation", limit=60)
    reading = rows(
        verifier,
        *({"instruction": t.instruction, "input": t.input, "output": answer(t)} for t in tasks),
    )
    assert len(reading.tasks) == 60 and reading.derived == 60
    assert [task.category for task in reading.tasks] == [task.category for task in tasks]
    assert [task.reasoning for task in reading.tasks] == [task.reasoning.strip() for task in tasks]
    assert {task.split for task in reading.tasks} == {"train", "test-values"}
    assert sum(task.split == "test-values" for task in reading.tasks) == 6


def test_derived_checks_hold_for_the_answer_and_not_for_another(verifier: Verifier) -> None:
    task = next(
        task
        for task in rows(verifier, GOOD, OTHER).tasks
        if task.instruction == GOOD["instruction"]
    )
    assert {check.op for check in task.checks} >= {"exists", "equals"}

    def verdict(text: str) -> Outcome:
        return verifier.verify(
            VerifyRequest(text=text, category="dockerfile", checks=task.checks, format="file")
        ).verdict

    assert verdict(task.reference) is Outcome.PASS
    for wrong in ("python:3.12-slim", "/srv/app", "worker"):
        assert verdict(task.reference.replace(wrong, "other")) is Outcome.FAIL


def test_equal_rows_are_one(verifier: Verifier) -> None:
    reading = rows(
        verifier, GOOD, OTHER, {**GOOD, "instruction": GOOD["instruction"].replace(" ", "  ")}
    )
    assert (len(reading.tasks), reading.duplicates) == (2, 1)


@pytest.mark.parametrize(
    ("bad", "field", "says"),
    [
        ({"instruction": "x"}, "rows.2.output", "required"),
        ({**GOOD, "instruction": ""}, "rows.2.instruction", "at least 1"),
        ({**GOOD, "Categry": "dockerfile"}, "rows.2.Categry", "did you mean `category`"),
        ({**GOOD, "category": "cobol"}, "rows.2.category", "cobol"),
        (
            {"instruction": "x", "output": "FRON debian:12\n", "category": "dockerfile"},
            "rows.2.output",
            "FRON",
        ),
        ({"instruction": "x", "output": "no file at all"}, "rows.2.output", "category"),
        (
            {
                **OTHER,
                "instruction": "y",
                "checks": [{"op": "exists", "kind": "image", "name": "nope"}],
            },
            "rows.2.checks",
            "nope",
        ),
        (
            {**OTHER, "instruction": "y", "checks": [{"op": "equals", "kind": "image"}]},
            "rows.2.checks.0.path",
            "path",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_field_and_the_reason(
    verifier: Verifier, bad: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(DataError) as refused:
        rows(verifier, OTHER, bad, GOOD)
    assert refused.value.param == field
    assert "row 2, " in str(refused.value) and says in str(refused.value)


def test_what_is_no_json_names_its_row(verifier: Verifier) -> None:
    with pytest.raises(DataError, match="row 1, row: Invalid JSON"):
        read(b"{\n" + json.dumps(GOOD).encode(), verifier)
    with pytest.raises(DataError, match="at least 2"):
        read(json.dumps(GOOD).encode(), verifier)


def test_the_same_rows_are_the_same_dataset_and_a_torn_file_is_refused(
    verifier: Verifier, tmp_path: Path
) -> None:
    tasks = rows(verifier, GOOD, OTHER).tasks
    path = save(tasks, tmp_path)
    assert path.stem == name_of(rows(verifier, GOOD, OTHER).tasks)
    assert [*load(path, "train"), *load(path, "test-values")] != []
    assert {task.id for split in ("train", "test-values") for task in load(path, split)} == {
        task.id for task in tasks
    }
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataError, match="add it again"):
        load(path, "train")


CHECKS = [{"op": "equals", "kind": "image", "path": "user", "value": "worker"}]


def test_openais_forms_are_the_same_rows_in_the_fenced_form(verifier: Verifier) -> None:
    asked, said = (
        {"role": "user", "content": GOOD["instruction"]},
        {"role": "assistant", "content": GOOD["output"]},
    )
    other = {"prompt": OTHER["instruction"], "completion": OTHER["output"]}
    plain = rows(verifier, GOOD, other, rendering="fenced").tasks
    assert rows(verifier, {"messages": [asked, said]}, OTHER, rendering="fenced").tasks == plain
    item = {
        "messages": [{**asked, "content": [{"type": "text", "text": asked["content"]}]}],
        "reference_answer": GOOD["output"],
    }
    assert rows(verifier, item, OTHER, rendering="fenced").tasks == plain
    spoken = rows(
        verifier,
        {"messages": [{"role": "developer", "content": "Be brief."}, asked, said]},
        OTHER,
        rendering="fenced",
    ).tasks
    assert (
        spoken[0].system == "Be brief."
        and prompt(spoken[0])[0]["content"] == "Be brief." != prompt(plain[0])[0]["content"]
    )


def test_a_reinforcement_item_needs_no_answer_if_it_says_what_must_hold(verifier: Verifier) -> None:
    item = {
        "messages": [{"role": "user", "content": "As worker."}],
        "category": "dockerfile",
        "checks": CHECKS,
    }
    task = next(
        task
        for task in rows(verifier, item, GOOD, rendering="as_given").tasks
        if task.instruction == "As worker."
    )
    assert (task.reference, task.checks[0].value) == ("", "worker")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}] * 2}, "messages"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
                ]
            },
            "messages.0.content",
        ),
        ({"messages": [{"role": "user", "content": "a"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}], "tools": [{}]}, "tools"),
        ({"prompt": "a", "completion": "FRON x"}, "completion"),
    ],
)
def test_what_cannot_be_learned_from_names_its_field(
    verifier: Verifier, row: dict[str, Any], field: str
) -> None:
    with pytest.raises(DataError) as refused:
        rows(verifier, GOOD, row, rendering="as_given")
    assert refused.value.param == f"rows.2.{field}"
