"""Finds NaN and infinity in files of weights, without torch or numpy: the api has neither."""

import json
import mmap
from collections.abc import Iterator
from pathlib import Path

from inframind.errors import EngineError, NonFiniteError

# IEEE 754: the exponent is all ones in infinities and NaN alone. bfloat16 is float32's upper half.
EXPONENTS = {"F64": (8, 0x7FF0), "F32": (4, 0x7F80), "BF16": (2, 0x7F80), "F16": (2, 0x7C00)}
"""Type in a safetensors file -> bytes of a value, and the exponent's bits in its upper two."""
LENGTH_BYTES = 8


def check_finite(path: Path, owner: str) -> None:
    """Refuses a safetensors file of `owner` that holds NaN or infinity.

    Raises NonFiniteError, EngineError for a file that is not whole.
    """
    broken = non_finite_tensors(path)
    if broken:
        raise NonFiniteError(
            f"{len(broken)} of the weights of {owner} hold NaN or infinity, {broken[0]} the first: "
            "train it again with a lower `learning_rate`"
        )


def non_finite_tensors(path: Path) -> list[str]:
    """Names the tensors with NaN or infinity. Raises EngineError for a file that is not whole."""
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return [name for name, kind, values in _tensors(data) if not _is_finite(kind, values)]
    # What a header may hold is anybody's choice: an adapter's folder can be put there by hand.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(f"{path.name} is no whole safetensors file: {error}"[:300]) from error


def _tensors(data: mmap.mmap) -> Iterator[tuple[str, str, bytes]]:
    """Yields name, type and bytes of each tensor. Raises what a malformed header causes."""
    start = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "little")
    header = json.loads(data[LENGTH_BYTES:start])
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in EXPONENTS:
            raise ValueError(f"{name} is {entry['dtype']}, none of {', '.join(EXPONENTS)}")
        if (
            not 0 <= begin <= end <= len(data) - start
            or (end - begin) % EXPONENTS[entry["dtype"]][0]
        ):
            raise ValueError(f"{name} has no place in the file")
        yield name, entry["dtype"], data[start + begin : start + end]


def _is_finite(kind: str, values: bytes) -> bool:
    width, exponent = EXPONENTS[kind]
    upper, lower = values[width - 1 :: width], values[width - 2 :: width]
    suspects = (byte for byte in range(256) if (byte << 8 | 0xFF) & exponent == exponent)
    # A search for a byte runs in C. No trained float32 reaches 1.7e38, where the first suspect is,
    # so the loop in Python below is for broken files alone.
    if not any(byte in upper for byte in suspects):
        return True
    return not any(
        (high << 8 | low) & exponent == exponent for high, low in zip(upper, lower, strict=True)
    )
