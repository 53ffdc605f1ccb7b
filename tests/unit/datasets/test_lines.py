"""What an uploaded file may look like, and what is said of one that looks otherwise."""

import gzip
import json

import pytest

from inframind.datasets.lines import lines_of
from inframind.errors import DataError

ROWS = [{"instruction": "a\u2028b", "output": "c"}, {"instruction": "d", "output": "e"}]
LINES = [json.dumps(row, ensure_ascii=False) for row in ROWS]


@pytest.mark.parametrize(
    "body",
    [
        "\n".join(LINES).encode(),
        "\r\n".join([*LINES, ""]).encode(),
        "\n".join(LINES).encode("utf-8-sig"),
        json.dumps(ROWS).encode(),
        json.dumps(ROWS, indent=2, ensure_ascii=False).encode("utf-8-sig"),
    ],
    ids=["lines", "crlf", "byte order mark", "array", "array over several lines"],
)
def test_rows_are_read_however_a_tool_writes_them(body: bytes) -> None:
    assert [(line.number, line.data) for line in lines_of(body)] == list(enumerate(ROWS, 1))


def test_a_blank_line_is_no_row_and_keeps_the_numbers_of_the_others() -> None:
    body = f"{LINES[0]}\n\n  \r\n{LINES[1]}\n".encode()
    assert [line.number for line in lines_of(body)] == [1, 4]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (gzip.compress(LINES[0].encode(), mtime=0), "gzip"),
        (b"PAR1\x15\x04", "Parquet"),
        ("\n".join(LINES).encode("utf-16"), "UTF-16"),
        (b'{"instruction": "caf\xe9"}', "UTF-8: byte 20"),
        (b"instruction,output\na,b\n", "looks like CSV"),
        (b"hello\n", "begins with 'hello'"),
        (json.dumps({"data": ROWS}, indent=2).encode(), "its `data` alone"),
        (b'[{"instruction": "a"},', "looks like a JSON array"),
    ],
)
def test_another_format_is_called_by_its_name(body: bytes, says: str) -> None:
    with pytest.raises(DataError) as refused:
        list(lines_of(body))
    assert says in str(refused.value) and refused.value.param == "rows"


def test_a_broken_line_does_not_hide_the_others() -> None:
    first, second = lines_of(b'{"a": 1}\n{"b":\n')
    assert first.data == {"a": 1}
    assert isinstance(second.data, DataError) and "Invalid JSON" in str(second.data)
