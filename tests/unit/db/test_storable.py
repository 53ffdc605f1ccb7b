"""What no row can hold is found, wherever it stands, and replaced where people read it."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.storable import INT64_MAX, REPLACEMENT, cleaned, fault_of, made_storable

ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(ANY_TEXT, parts, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"data": {"text": "a\x00b"}}, "data.text"),
        ({"data": ["fine", "\ud800"]}, "data.1"),
        ({"data": {"a\x00": 1}}, "data.a\\x00"),
        ({"n": math.inf}, "n"),
        ({"n": [math.nan]}, "n.0"),
        ({"n": INT64_MAX + 1}, "n"),
    ],
)
def test_a_fault_is_named_by_its_place(document: dict[str, Any], place: str) -> None:
    assert str(fault_of(document)).startswith(f"{place}: ")


@given(DOCUMENTS)
def test_what_has_no_fault_is_json_in_utf_8(document: Any) -> None:
    if fault_of(document) is None:
        written = json.dumps(document, ensure_ascii=False, allow_nan=False)
        assert "\\u0000" not in written.replace("\\\\", "") and written.encode()


@given(DOCUMENTS.filter(lambda document: not isinstance(document, int | list | dict)))
def test_what_was_cleaned_has_no_fault(document: Any) -> None:
    assert fault_of(cleaned({"part": [document]})) is None


def test_a_text_keeps_the_rest() -> None:
    assert (
        made_storable("a\x00b\udfffc\U0001f600\n") == f"a{REPLACEMENT}b{REPLACEMENT}c\U0001f600\n"
    )
