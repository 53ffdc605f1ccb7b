"""The readers' shared floor: shapes of parsed data, circles, and the JSON reader."""

from itertools import pairwise
from typing import Any

import pytest

from inframind.categories.shared import json_text
from inframind.categories.shared.values import children, cycle, listed, texts, value_at

NESTED: dict[str, Any] = {"a": {"b": ["x", {"c": "y"}]}, "n": 1}


@pytest.mark.parametrize(
    ("value", "listed_values"), [(None, []), ("a", ["a"]), (["a"], ["a"]), ({}, [{}]), ("", [""])]
)
def test_a_value_alone_is_a_list_of_one(value: Any, listed_values: list[Any]) -> None:
    assert listed(value) == listed_values


def test_paths_lead_through_mappings_only() -> None:
    assert value_at(NESTED, "a", "b") == ["x", {"c": "y"}]
    assert value_at(NESTED) is NESTED
    assert value_at(NESTED, "a", "b", "c") is None
    assert value_at("a", "b") is None


def test_texts_and_children_are_found() -> None:
    assert list(texts(NESTED)) == ["x", "y"]
    assert list(children(NESTED["a"]["b"])) == [(0, "x"), (1, {"c": "y"})]
    assert list(children("text")) == []


@pytest.mark.parametrize(
    ("waits", "circle"),
    [
        ({}, None),
        ({"a": ["b"], "b": []}, None),
        ({"a": ["elsewhere"]}, None),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"], "c": ["a"]}, ["a", "b", "a"]),
    ],
)
def test_a_circle_reads_in_the_order_of_waiting(
    waits: dict[str, list[str]], circle: list[str] | None
) -> None:
    reported = cycle(waits)
    if circle is None or reported is None:
        assert reported is circle
    else:
        assert reported[0] == reported[-1] and set(reported) == set(circle)
        assert all(later in waits[name] for name, later in pairwise(reported))


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ('{\n  "a": b\n}', "Expecting value", 2),
        ('{"a": {"b": 1, "b": 2}}', "'b' stands twice", None),
        ("[" * 100_000, "nested too deep", None),
        ("9" * 5_000, "4300 digits", None),
    ],
)
def test_json_that_cannot_be_used_is_one_error(text: str, words: str, line: int | None) -> None:
    with pytest.raises(json_text.JsonError, match=words) as caught:
        json_text.load(text)
    assert caught.value.line == line


def test_json_is_read() -> None:
    assert json_text.load('{"a": [1, null], "b": {"a": true}}') == {
        "a": [1, None],
        "b": {"a": True},
    }
