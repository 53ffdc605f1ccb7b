"""Merges an adapter into its base model, for transformers and vLLM without PEFT."""

import shutil
from pathlib import Path

from inframind.models.adapter import verify_adapter
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer

CARD = "README.md"


def merge(adapter: Path, target: Path) -> None:
    """Writes safetensors, configuration, tokenizer and the adapter's card to the folder `target`.

    The sum is made in float32 and rounded once, to the base model's own type. Raises EngineError
    for files that are not what was published, ModelNotFoundError for a base model that is not
    known here.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoConfig, AutoModelForCausalLM

    manifest = verify_adapter(adapter)
    path = base_model_path(manifest.base_model)
    kept = AutoConfig.from_pretrained(path).dtype or torch.float32
    base = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, use_safetensors=True)
    merged = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    merged.to(kept).save_pretrained(str(target), safe_serialization=True)
    load_tokenizer(manifest.base_model).save_pretrained(str(target))
    if (adapter / CARD).is_file():
        shutil.copyfile(adapter / CARD, target / CARD)
