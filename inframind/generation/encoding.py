"""Encodes text without transformers: the api sends tokens, so that every server sees the same ones.

Servers with another version of transformers may split the same text otherwise (runs of blanks,
above all), and a model that was trained on one way to split sees the other as noise.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from inframind.errors import EngineError
from inframind.generation.template import folder_of


@cache
def tokenizer(base_model: str) -> Any:
    """Loads the Rust tokenizer of a base model. Raises EngineError when its file is not here."""
    from tokenizers import Tokenizer

    file = folder_of(base_model) / "tokenizer.json"
    if not file.is_file():
        raise EngineError(f"{base_model} has no tokenizer.json in the hub's cache")
    return Tokenizer.from_file(str(file))


def encode(base_model: str, text: str) -> list[int]:
    """Encodes a text as it is; a special token's text is that token, as in training."""
    tokens: list[int] = tokenizer(base_model).encode(text, add_special_tokens=False).ids
    return tokens


def count_tokens(base_model: str, texts: Sequence[str]) -> list[int]:
    """Counts the tokens of many texts, each as `encode` would encode it. Raises EngineError."""
    # `encode_batch_fast` leaves the offsets out, which nobody here reads.
    encodings = tokenizer(base_model).encode_batch_fast(list(texts), add_special_tokens=False)
    return [len(encoding) for encoding in encodings]
