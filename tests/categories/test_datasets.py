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


def said(*turns: str, **last: Any) -> dict[str, Any]:
    """A row with the user's and the assistant's messages in turn."""
    roles = ("user", "assistant")
    messages: list[dict[str, Any]] = [
        {"role": roles[index % 2], "content": text} for index, text in enumerate(turns)
    ]
    return {"messages": [*messages[:-1], {**messages[-1], **last}]}


FENCED = f"```dockerfile\n{OTHER['output']}```"
SPOKEN = f"Sure!\n{FENCED}\nHope this helps."


def test_conversations_are_kept_word_for_word_and_alpacas_rows_get_the_fence(
    verifier: Verifier,
) -> None:
    given = rows(verifier, said("From debian:12.", SPOKEN), said("b", OTHER["output"]))
    assert given.rendering == "as_given"
    first = next(task for task in given.tasks if task.instruction == "From debian:12.")
    assert [turn.content for turn in first.messages] == ["From debian:12.", SPOKEN]
    assert (first.reference, answer(first)) == (OTHER["output"], SPOKEN)
    assert {check.value for check in first.checks} >= {"debian:12"}
    assert prompt(first) == [{"role": "user", "content": "From debian:12."}]

    fenced = rows(verifier, GOOD, OTHER)
    assert fenced.rendering == "fenced" and not any(task.messages for task in fenced.tasks)
    alpaca = {**OTHER, "input": "As root.", "system": "s"}
    (asked,) = (
        task
        for task in rows(verifier, alpaca, GOOD, rendering="as_given").tasks
        if task.input == "As root."
    )
    assert prompt(asked) == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "From debian:12.\n\nAs root."},
    ]
    assert answer(asked) == OTHER["output"]
    with pytest.raises(DataError) as mixed:
        rows(verifier, GOOD, said("q", OTHER["output"]))
    assert mixed.value.param == "rendering" and "row 2 is a conversation" in str(mixed.value)


@pytest.mark.parametrize(
    ("output", "lost"),
    [
        (SPOKEN, "Sure! Hope this helps."),
        (f"<think>why</think>\nSure!\n{FENCED}", "Sure!"),
        (f"why</think>\n{FENCED}\nBye.", "Bye."),
    ],
)
def test_prose_beside_a_fence_is_refused_by_name_where_it_would_be_lost(
    verifier: Verifier, output: str, lost: str
) -> None:
    with pytest.raises(DataError) as refused:
        rows(verifier, GOOD, {**OTHER, "output": output})
    assert refused.value.param == "rows.2.output"
    assert f"({lost!r})" in str(refused.value) and "as_given" in str(refused.value)
    assert len(rows(verifier, GOOD, {**OTHER, "output": output}, rendering="as_given").tasks) == 2


def test_all_thoughts_of_an_answer_are_kept_in_the_fenced_form(verifier: Verifier) -> None:
    reading = rows(verifier, GOOD, {**OTHER, "output": f"why\n</think>\n{FENCED}"})
    assert [task.reasoning for task in reading.tasks] == ["", "why"]


def test_answers_of_weight_0_are_not_trained_on(verifier: Verifier) -> None:
    file = OTHER["output"]
    reading = rows(
        verifier,
        said("a", file),
        said("b", file, weight=1),
        said("c", "no file, which is why its weight is 0", weight=0),
        said("d", file, "again", "better not", weight=0),
        said("e", "Which image?", "debian:12", FENCED),
    )
    assert (len(reading.tasks), reading.untrained) == (4, 1)
    by_start = {task.messages[0].content: task for task in reading.tasks}
    # Nothing is learned from what follows the last answer that is trained on.
    assert [turn.content for turn in by_start["d"].messages] == ["d", file]
    assert [turn.is_trained for turn in by_start["e"].messages] == [False, True, False, True]
    item = {**said("f", "no file", weight=0), "category": "dockerfile", "checks": CHECKS}
    with_item = rows(verifier, said("a", file), item)
    assert [task.reference for task in with_item.tasks] == [file, ""]
    with pytest.raises(DataError, match="it has 1, and 2 of weight 0"):
        rows(verifier, said("a", file), said("b", "x", weight=0), said("c", "x", weight=0))


def test_every_file_that_is_trained_on_is_proven(verifier: Verifier) -> None:
    broken = "```dockerfile\nFRON debian:12\n```"
    with pytest.raises(DataError, match="FRON") as refused:
        talk = {**said("a", broken, "again", FENCED), "category": "dockerfile"}
        rows(verifier, talk, said("b", FENCED))
    assert refused.value.param == "rows.1.messages.1"
    shell = "Run this first:\n```bash\ndocker pull debian:12\n```"
    assert len(rows(verifier, said("a", shell, "now", FENCED), said("b", FENCED)).tasks) == 2


def test_conflicts_and_ignored_columns_are_counted_of_their_own(verifier: Verifier) -> None:
    reading = rows(
        verifier,
        {**GOOD, "id": 1},
        {**OTHER, "id": 2, "\ud800\0": 3},
        OTHER,
        {**OTHER, "output": "FROM debian:12\nUSER app\n"},
    )
    assert (len(reading.tasks), reading.duplicates, reading.conflicts) == (2, 1, 1)
    assert reading.ignored == {"id": 2, "??": 1}
    assert OTHER["output"] in {task.reference for task in reading.tasks}


def test_a_file_of_the_wrong_form_is_refused_once(verifier: Verifier) -> None:
    with pytest.raises(DataError) as refused:
        rows(verifier, *({"question": f"q{n}", "answer": "a"} for n in range(30)))
    assert str(refused.value) == (
        "30 rows cannot be used: rows 1, 2, 3 and 27 more, row: it looks like questions and "
        "answers: name them `instruction` and `output`"
    )
    assert refused.value.param == "rows.1.row"
    with pytest.raises(DataError, match=r"`response` looks like it: name it `output`"):
        rows(verifier, *({"instruction": f"q{n}", "response": "a"} for n in range(3)))


def test_the_fenced_form_has_no_place_for_a_conversation(verifier: Verifier) -> None:
    talk = said("a", "Which image?", "debian:12", FENCED)
    with pytest.raises(DataError, match="user, assistant, user, assistant") as refused:
        rows(verifier, talk, said("b", FENCED), rendering="fenced")
    assert refused.value.param == "rows.1.messages" and "as_given" in str(refused.value)


def test_an_item_with_earlier_answers_asks_and_trains_on_none(verifier: Verifier) -> None:
    item = {**said("a", FENCED, "As worker."), "category": "dockerfile", "checks": CHECKS}
    task = next(t for t in rows(verifier, item, said("b", FENCED)).tasks if t.checks[0].value)
    assert [turn.is_trained for turn in task.messages] == [False] * 3
    assert prompt(task)[-1]["content"] == "As worker." and task.reference == ""


def test_an_answer_as_given_is_judged_with_or_without_a_fence(verifier: Verifier) -> None:
    task = rows(verifier, said("From debian:12.", OTHER["output"]), said("b", FENCED)).tasks[0]
    for text in (OTHER["output"], FENCED, SPOKEN):
        assert verifier.verify(VerifyRequest.of(task, text)).verdict is Outcome.PASS
    fenced = rows(verifier, OTHER, GOOD).tasks[0]
    assert verifier.verify(VerifyRequest.of(fenced, OTHER["output"])).verdict is Outcome.FAIL
