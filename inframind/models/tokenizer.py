"""Loading a base model's tokenizer, the same for training, evaluation and serving."""

from typing import Any

from inframind.models.registry import BASE_MODELS, base_model_path


def load_tokenizer(base_model: str, **options: Any) -> Any:
    """The tokenizer of a base model.

    AutoTokenizer takes Qwen2's class for every model of that architecture and with it Qwen2's way to split text, whatever
    `tokenizer.json` says; the bundled model has its own, so its file is loaded as it is.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    kind = PreTrainedTokenizerFast if BASE_MODELS[base_model].bundled else AutoTokenizer
    return kind.from_pretrained(base_model_path(base_model), **options)
