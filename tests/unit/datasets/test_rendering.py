"""A task's tokens: what is trained on, and the prompt that serving sends."""

from typing import Any

from inframind.bench.prompt import as_trained, prompt
from inframind.datasets.rendering import IGNORED, render_task
from inframind.generation.encoding import encode
from inframind.generation.template import render
from inframind.types import Task, Turn

NANO = "inframind-nano"
USER = Turn(role="user", content="q")


def task(*messages: Turn, **fields: Any) -> Task:
    known: dict[str, Any] = {
        "id": "own/1",
        "category": "dockerfile",
        "family": "own/dockerfile",
        "instruction": "q",
        "reference": "FROM debian:12\n",
        "difficulty": 1,
        "split": "train",
    }
    return Task(**{**known, **fields}, messages=messages)


def said(content: str, **fields: Any) -> Turn:
    return Turn(role="assistant", content=content, **fields)


def trained_texts(one: Task) -> list[str]:
    return [piece.text for piece in render_task(one, NANO).pieces if piece.is_trained]


def test_rows_as_given_are_trained_on_word_for_word() -> None:
    given = task(USER, said("Sure!\n```\nFROM debian:12\n```\nBye."))
    rendered = render_task(given, NANO)
    assert rendered.text == (
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n"
        "Sure!\n```\nFROM debian:12\n```\nBye.<|im_end|>\n"
    )
    assert trained_texts(given) == ["Sure!\n```\nFROM debian:12\n```\nBye.<|im_end|>\n"]


def test_the_fenced_form_has_its_system_message_and_the_thought() -> None:
    assert trained_texts(task(reasoning="why")) == [
        "<think>\nwhy\n</think>\n```dockerfile\nFROM debian:12\n```<|im_end|>\n"
    ]
    assert "system\nAnswer with one fenced file.<|im_end|>" in render_task(task(), NANO).text


def test_an_answer_of_weight_0_is_shown_and_not_trained_on() -> None:
    row = task(USER, said("one"), USER, said("two", weight=0), USER, said("three"))
    assert trained_texts(row) == ["one<|im_end|>\n", "three<|im_end|>\n"]
    rendered = render_task(row, NANO)
    assert "two<|im_end|>" in rendered.text
    assert len(rendered.labels) == len(rendered.input_ids) == rendered.num_tokens
    trained = [token for token in rendered.labels if token != IGNORED]
    assert trained == [token for text in trained_texts(row) for token in encode(NANO, text)]
    assert rendered.num_trained_tokens == len(trained)


def test_the_prompt_of_training_is_the_prompt_of_serving() -> None:
    # A blank line at the answer's start would melt with the line end of the prompt.
    for row in (
        task(USER, said("\n\nFROM debian:12\n")),
        task(Turn(role="system", content="s"), USER, said("one"), USER, said("two")),
        task(),
        task(system="s"),
    ):
        asked = prompt(row)
        served = encode(NANO, render(NANO, as_trained(asked[-1:], row.rendering)))
        whole = encode(NANO, render(NANO, as_trained(asked, row.rendering)))
        rendered = render_task(row, NANO)
        assert rendered.input_ids[: len(whole)] == whole
        if len(asked) == 1 or asked[0]["content"] == "Answer with one fenced file.":
            assert served == whole


def test_a_row_without_an_answer_ends_where_the_model_begins() -> None:
    item = task(USER, reference="")
    assert render_task(item, NANO).text.endswith("<|im_start|>assistant\n")
    assert render_task(item, NANO).num_trained_tokens == 0
    assert trained_texts(task(reference="")) == []


def test_what_is_new_in_a_task_is_left_out_where_it_says_nothing() -> None:
    # A worker of the version before refuses unknown fields, and the hash of the bench would change.
    assert "messages" not in task().model_dump_json()
    assert '"weight"' not in task(USER, said("x")).model_dump_json()
    assert (
        Task.model_validate_json(task(USER, said("x", weight=0)).model_dump_json())
        .messages[1]
        .weight
        == 0
    )
