"""The forms of rows by the names that their exporters write."""

from typing import Any

import pytest

from inframind.datasets.forms import sample
from inframind.errors import DataError

FILE = "FROM debian:12\n"
ASKED, SAID = {"role": "user", "content": "q"}, {"role": "assistant", "content": FILE}
TURNS = [("user", "q"), ("assistant", FILE)]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, SAID]},
        {"messages": [ASKED, {**SAID, "weight": None, "refusal": None, "tool_calls": []}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, SAID]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": FILE}]},
        {"conversations": [ASKED, SAID], "system": "", "tools": ""},
        {"conversation": [ASKED, SAID]},
        {"prompt": "q", "completion": FILE},
        {"prompt": [ASKED], "completion": [SAID]},
        {"messages": [ASKED], "reference_answer": FILE},
        {"messages": [ASKED, SAID], "tools": [], "functions": None, "category": None},
    ],
)
def test_each_exporters_row_is_the_same_conversation(row: dict[str, Any]) -> None:
    read = sample(row)
    assert [(one.turn.role, one.turn.content) for one in read.said] == TURNS
    assert (read.fields, read.ignored) == ({}, ())


def test_alpacas_row_may_have_nulls_and_columns_that_mean_nothing() -> None:
    row = {"instruction": "q", "input": None, "output": FILE, "id": 7, "text": "q", "idx": None}
    read = sample(row)
    assert not read.said and read.fields == {"instruction": "q", "output": FILE}
    assert read.ignored == ("id", "text")


def test_a_conversation_may_have_several_turns_and_a_system_message_anywhere() -> None:
    system = {"role": "developer", "content": ""}
    read = sample({"messages": [system, ASKED, SAID, {**system, "content": "s"}, ASKED, SAID]})
    assert [one.turn.role for one in read.said] == [
        "system",
        "user",
        "assistant",
        "system",
        "user",
        "assistant",
    ]
    beside = sample({"conversations": [ASKED, SAID], "system": "s"})
    assert (beside.said[0].turn.content, beside.said[0].place) == ("s", "system")


@pytest.mark.parametrize(
    ("row", "param", "says"),
    [
        ({"question": "q", "answer": "a"}, "row", "questions and answers"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "row", "preference pairs"),
        ({"text": "q"}, "row", "plain text"),
        ({"a": 1, "b": 2}, "row", "its columns are a, b; needed are `messages`"),
        ({}, "row", "its columns are none"),
        ({"instruction": "q", "outputs": "a"}, "outputs", "did you mean `output`"),
        ({"messages": [ASKED, SAID], "Checks": []}, "Checks", "did you mean `checks`"),
        ({"messages": [ASKED, SAID], "tools": [{}]}, "tools", "only text"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role", "'tool' is no role"),
        ({"messages": [ASKED, {**SAID, "weight": 2}]}, "messages.1.weight", "0 (not trained on)"),
        ({"messages": [ASKED, {**SAID, "weight": True}]}, "messages.1.weight", "0 (not trained"),
        ({"messages": [ASKED, {**SAID, "content": ""}]}, "messages.1.content", "empty"),
        ({"messages": [ASKED, {**SAID, "content": "\ud800"}]}, "messages.1.content", "surrogate"),
        ({"messages": [{**ASKED, "content": "x" * 64_001}]}, "messages.0.content", "64001"),
        ({"messages": [ASKED] * 257}, "messages", "257 messages; at most 256"),
        ({"messages": [SAID]}, "messages", "message of the user"),
        ({"messages": [], "prompt": "q"}, "messages", "a list of messages"),
        ({"conversations": [{"from": "human", "value": 1}]}, "conversations.0.value", "only text"),
        ({"prompt": 1, "completion": "x"}, "prompt", "a list of messages"),
    ],
)
def test_what_cannot_be_read_is_named_as_it_was_sent(
    row: dict[str, Any], param: str, says: str
) -> None:
    with pytest.raises(DataError) as refused:
        sample(row)
    assert refused.value.param == param and says in str(refused.value)


def test_a_columns_long_name_is_not_compared_for_slips() -> None:
    name = "output" * 100_000
    assert sample({"instruction": "q", name: 1}).ignored == (name,)
