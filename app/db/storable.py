"""Says what the columns of both databases can hold, before a value reaches one.

PostgreSQL's texts take no NUL and its JSON no NaN; UTF-8 has no lone surrogates; SQLite stores some
of these, and whoever reads the row afterwards fails.
"""

import math
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
# U+0000 and the surrogates, which RFC 3629 forbids in UTF-8 and Python allows in a text.
UNSTORABLE, SURROGATE = re.compile("[\x00\ud800-\udfff]"), re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def made_storable(text: str) -> str:
    """Replaces what no text column can hold, in a text that people read."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def cleaned(value: Any) -> Any:
    """Replaces what no text column can hold in every text of a JSON value; numbers stay."""
    if isinstance(value, str):
        return made_storable(value)
    if isinstance(value, dict):
        return {cleaned(str(name)): cleaned(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(part) for part in value]
    return value


class Fault(StrEnum):
    """Why a value can be held by no column, in words for whoever sent it."""

    SURROGATE = "a lone surrogate is no Unicode text: send pairs, or UTF-8"
    NUL = "a NUL character (U+0000) cannot be stored"
    NUMBER = "NaN, Infinity and numbers beyond a float's range are no JSON"
    # JSON has no largest integer, but its readers have: SQLite's JSON functions 64 bits.
    INTEGER = "an integer of more than 64 bits cannot be stored"


def faults(value: Any, place: str = "") -> Iterator[tuple[str, Fault]]:
    """Finds the dotted place of everything in a JSON value that cannot be held, and why."""
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            # A text may have both; the surrogate is wrong even where nothing is stored.
            yield place, Fault.SURROGATE if SURROGATE.search(value) else Fault.NUL
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield place, Fault.NUMBER
    elif isinstance(value, int):
        if abs(value) > INT64_MAX:
            yield place, Fault.INTEGER
    elif isinstance(value, Mapping):
        for name, part in value.items():
            # The name goes into an answer: it must not be what is refused here.
            shown = str(name).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
            inside = f"{place}.{shown}" if place else shown
            yield from faults(name, inside)
            yield from faults(part, inside)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from faults(part, f"{place}.{index}" if place else str(index))


def fault_of(value: Any, place: str = "") -> str | None:
    """Says where in a JSON value the first thing is that cannot be held, and why; None: nowhere."""
    return next((f"{where}: {fault}" for where, fault in faults(value, place)), None)
