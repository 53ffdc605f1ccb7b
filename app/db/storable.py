"""Says what the columns of both databases can hold, before a value reaches one.

PostgreSQL's texts take no NUL and its JSON no NaN; UTF-8 has no lone surrogates; SQLite stores some
of these, and whoever reads the row afterwards fails.
"""

import math
import re
from typing import Any

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
# U+0000 and the surrogates, which RFC 3629 forbids in UTF-8 and Python allows in a text.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
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


def fault_of(value: Any, place: str = "") -> str | None:
    """Says where in a JSON value something is that cannot be held, and what; None: nowhere."""
    if isinstance(value, str):
        is_whole = UNSTORABLE.search(value) is None
        return None if is_whole else f"{place}: a text with a NUL or a lone surrogate"
    if isinstance(value, dict):
        parts = [(f"{place}.{name}".lstrip("."), part) for name, part in value.items()]
        if any(UNSTORABLE.search(name) for name in value):
            return f"{place}: a name with a NUL or a lone surrogate"
    elif isinstance(value, list | tuple):
        parts = [(f"{place}.{index}".lstrip("."), part) for index, part in enumerate(value)]
    elif isinstance(value, float):
        return None if math.isfinite(value) else f"{place}: NaN or infinite"
    else:
        # JSON has no largest integer, but its readers have: SQLite's JSON functions 64 bits.
        is_large = isinstance(value, int) and abs(value) > INT64_MAX
        return f"{place}: an integer of more than 64 bits" if is_large else None
    return next((fault for name, part in parts if (fault := fault_of(part, name))), None)
