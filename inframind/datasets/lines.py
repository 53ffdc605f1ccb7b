"""Reads the objects of an uploaded file: JSON lines, or one JSON array of the same rows."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from inframind.errors import DataError

OTHER_FORMATS: Mapping[bytes, str] = {
    b"\x1f\x8b": "it is compressed with gzip: send it uncompressed",
    b"PK\x03\x04": "it is a zip archive (or a spreadsheet): send JSON lines",
    b"PAR1": 'it is a Parquet file: export it with `to_json(..., orient="records", lines=True)`',
    b"\xff\xfe": "it is UTF-16: save it as UTF-8",
    b"\xfe\xff": "it is UTF-16: save it as UTF-8",
}
"""First bytes -> what to say of it."""


@dataclass(frozen=True)
class Line:
    """One row of a file, counted from 1: its object, or why there is none."""

    number: int
    data: Mapping[str, Any] | DataError


def decoded(body: bytes) -> str:
    """Reads the text of a file. Raises DataError that says what else it is."""
    for start, remedy in OTHER_FORMATS.items():
        if body.startswith(start):
            raise DataError(f"the file is not UTF-8: {remedy}", param="rows")
    try:
        # PowerShell and Excel begin UTF-8 with a byte order mark, which RFC 8259 (8.1) lets a
        # reader pass over.
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8: byte {error.start}", param="rows") from None


def lines_of(body: bytes) -> Iterator[Line]:
    """Yields the rows of JSON lines or of a JSON array; blank lines are counted, not yielded.

    Raises DataError for a file that is neither.
    """
    text = decoded(body)
    if text.lstrip().startswith("["):
        for number, item in enumerate(_array(text), 1):
            yield Line(number, _object(item))
        return
    # Only "\n" ends a row: U+2028 and its like, which `splitlines` ends one at, may stand in a
    # JSON text as they are. JSON takes the "\r" of CRLF for a blank.
    lines = text.split("\n")
    _check_layout(lines, text)
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Line(number, _parsed(line))


def _array(text: str) -> list[Any]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"the file looks like a JSON array, and is none: {error}"[:300], param="rows"
        ) from None
    assert isinstance(items, list)
    return items


def _check_layout(lines: list[str], text: str) -> None:
    """Raises DataError for what is no JSON lines at all: once, not once a line."""
    first = next((line.strip() for line in lines if line.strip()), "")
    if first and not first.startswith("{"):
        looks = " (it looks like CSV)" if "," in first or "\t" in first else ""
        raise DataError(
            f"the file is no JSON lines{looks}: it begins with {first[:80]!r}. "
            "Send a JSON object a line, or a JSON array of objects",
            param="rows",
        )
    if isinstance(_parsed(first), DataError):
        whole: Any = None
        with suppress(ValueError, RecursionError):
            whole = json.loads(text)
        if isinstance(whole, dict):
            lists = [name for name, value in whole.items() if isinstance(value, list)]
            inner = f"; send the list in its `{lists[0][:64]}` alone" if lists else ""
            raise DataError(
                "the file is one JSON object over several lines: write each row in a line of its "
                f"own, or all in a JSON array{inner}",
                param="rows",
            )


def _parsed(line: str) -> Mapping[str, Any] | DataError:
    try:
        return _object(json.loads(line))
    except (ValueError, RecursionError) as error:
        return DataError(f"Invalid JSON: {error}"[:200], param="row")


def _object(item: Any) -> Mapping[str, Any] | DataError:
    if not isinstance(item, dict):
        return DataError("a JSON object is needed", param="row")
    return item
