"""Text to tokens without transformers."""

from pathlib import Path

import pytest

from inframind.errors import EngineError
from inframind.generation.encoding import encode
from inframind.models.registry import BASE_MODELS, BaseModel


def test_a_model_without_its_tokenizers_file_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        BASE_MODELS, "bare", BaseModel("bare", str(tmp_path), True, "a folder without files")
    )
    with pytest.raises(EngineError, match=r"bare has no tokenizer\.json"):
        encode("bare", "text")


def test_a_special_tokens_text_is_that_token() -> None:
    assert len(encode("inframind-nano", "<|im_end|>")) == 1
    assert encode("inframind-nano", "a  b") != encode("inframind-nano", "a b")
