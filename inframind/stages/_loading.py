"""Loads the base model with the adapter to train."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from inframind.models.adapter import verify_adapter
from inframind.models.memory import keep_freed_memory
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer
from inframind.stages.base import StageInput
from inframind.stages.config import TrainingConfig


def load_for_training(config: TrainingConfig, stage_input: StageInput) -> tuple[Any, Any]:
    """Loads the tokenizer, and the base model with the parent's adapter or a fresh one.

    Raises EngineError for a parent that is not what was published, NonFiniteError.
    """
    if stage_input.parent:
        verify_adapter(stage_input.parent.folder)
    torch.manual_seed(stage_input.seed)
    if not torch.cuda.is_available():
        keep_freed_memory()
    path = base_model_path(stage_input.base_model)
    tokenizer = load_tokenizer(stage_input.base_model)
    model = AutoModelForCausalLM.from_pretrained(path, use_safetensors=True, **_precision(config))
    if config.quantization == "nf4":
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if stage_input.parent:
        parent = str(stage_input.parent.folder)
        model = PeftModel.from_pretrained(model, parent, is_trainable=True)
        # The published name may be no folder here: PEFT would ask the hub for it at each save.
        model.peft_config["default"].base_model_name_or_path = path
        return model, tokenizer
    lora = LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=list(config.lora.targets),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora), tokenizer


def load_as_served(base_model: str, adapter: Path) -> Any:
    """Loads the base model in the precision in which it is served, with a trained adapter."""
    path = base_model_path(base_model)
    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu else torch.float32
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype, use_safetensors=True)
    try:
        model = model.to("cuda" if gpu else "cpu")
    except torch.OutOfMemoryError:
        # Four bits are chosen where the plain weights do not fit beside what training holds: the
        # four prompts of the probe are asked on the processor then.
        model = model.to("cpu")
    return PeftModel.from_pretrained(model, str(adapter))


def _precision(config: TrainingConfig) -> dict[str, Any]:
    gpu = torch.cuda.is_available()
    # A processor without bfloat16 emulates it: fifteen times slower, measured on an AMD EPYC
    # with AVX2.
    dtype = torch.bfloat16 if gpu else torch.float32
    if config.quantization != "nf4":
        return {"dtype": dtype}
    quantized = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_use_double_quant=True,
    )
    return {"quantization_config": quantized, "device_map": "cuda" if gpu else "cpu"}
