"""Loads a base model's tokenizer, the same for training, evaluation and serving."""

from typing import Any

from inframind.models.registry import BASE_MODELS, base_model_path


def load_tokenizer(base_model: str, **options: Any) -> Any:
    """Loads the tokenizer of a base model.

    AutoTokenizer takes Qwen2's class for every model of that architecture and with it Qwen2's way
    to split text, whatever `tokenizer.json` says; the bundled model has its own, so its file is
    loaded as it is.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    kind = PreTrainedTokenizerFast if BASE_MODELS[base_model].bundled else AutoTokenizer
    return kind.from_pretrained(base_model_path(base_model), **options)


def closing_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Collects the tokens that end an answer.

    They are the tokenizer's, and those that the model's own generation settings name.
    """
    named = model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if token is not None)
