"""What a validator says, in the words of whoever sent the input."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.fine_tuning.request import CreateRequest
from app.generation.openai import ChatRequest, TextCompletionRequest
from inframind.validation import Fault, first_fault

TEXT = {"model": "m", "prompt": "x"}
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
TUNING = {"model": "m", "training_file": "f"}
SEVERAL = "Input should be a valid string or a list"


def fault_of(form: type[BaseModel], body: Any) -> Fault:
    with pytest.raises(ValidationError) as refused:
        form.model_validate(body)
    return first_fault(refused.value.errors(), body)


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"prompt": ["x"] * 17}, "prompt", "List should have at most 16 items, not 17"),
        ({"prompt": []}, "prompt", "List should have at least 1 item, not 0"),
        ({"prompt": [5, 6]}, "prompt.0", "Input should be a valid string"),
        ({"prompt": 5}, "prompt", SEVERAL),
        ({"prompt": None}, "prompt", SEVERAL),
        ({"stop": ["a"] * 5}, "stop", "List should have at most 4 items, not 5"),
        ({"stop": ["a", ""]}, "stop.1", "String should have at least 1 character"),
        ({"stop": "x" * 257}, "stop", "String should have at most 256 characters"),
        ({"seed": 2**63}, "seed", f"Input should be less than or equal to {2**63 - 1}"),
        ({"metadata": {"k": 1}}, "metadata.k", "Input should be a valid string"),
        ({"metadata": {"": "v"}}, "metadata.", "String should have at least 1 character"),
        ({"stream_options": 5}, "stream_options", "Input should be an object"),
    ],
)
def test_a_union_has_the_fault_of_the_branch_that_was_meant(
    body: dict[str, Any], field: str, reason: str
) -> None:
    assert fault_of(TextCompletionRequest, {**TEXT, **body}) == Fault(field, reason)


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        (None, "messages.0.content", SEVERAL),
        ([{"type": "text"}], "messages.0.content.0.text", "Field required"),
        ([{"type": "image_url"}], "messages.0.content.0.type", "Input should be 'text'"),
        (["x"], "messages.0.content.0", "Input should be an object"),
    ],
)
def test_the_parts_of_a_message_have_their_places(content: Any, field: str, reason: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    assert fault_of(ChatRequest, body) == Fault(field, reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5000, "Input should be less than or equal to 4096"),
        ("many", "Input should be 'auto' or a valid integer"),
        ([], "Input should be 'auto' or a valid integer"),
    ],
)
def test_a_word_or_a_number_is_asked_for_as_one(value: Any, reason: str) -> None:
    body = {**TUNING, "hyperparameters": {"batch_size": value}}
    assert fault_of(CreateRequest, body) == Fault("hyperparameters.batch_size", reason)


def test_an_unknown_field_is_told_apart_and_a_missing_one_named() -> None:
    assert fault_of(ChatRequest, {**CHAT, "x": 1}) == Fault(
        "x", "Extra inputs are not permitted", is_unknown=True
    )
    assert fault_of(ChatRequest, {"model": "m"}) == Fault("messages", "Field required")
    whole = fault_of(ChatRequest, [])
    assert whole.field == "" and str(whole) == "Input should be an object"
    assert str(fault_of(ChatRequest, {"model": "m"})) == "messages: Field required"
