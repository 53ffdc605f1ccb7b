"""What the training stages share: loading, TRL's common arguments, reporting, whole checkpoints and publishing."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    TrainerCallback,
    TrainerControl,
    TrainerState,
)

from inframind.errors import OutOfMemoryError, StoppedError, TrainingError
from inframind.models.adapter import AdapterManifest, adapter_id, lora_of, publish, sha256_of, sync
from inframind.models.memory import keep_freed_memory, peak_bytes
from inframind.models.probe import probe
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer
from inframind.stages.base import SavedCheckpoint, StageContext, StageInput, StageReport
from inframind.stages.config import TrainingConfig

CHECKPOINT_FILES = (
    "adapter_model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
)
MANIFEST = "MANIFEST.json"


def load_for_training(config: TrainingConfig, given: StageInput) -> tuple[Any, Any]:
    """The base model with the adapter to train (the parent's, or a fresh one), and the tokenizer."""
    torch.manual_seed(given.seed)
    if not torch.cuda.is_available():
        keep_freed_memory()
    path = base_model_path(given.base_model)
    tokenizer = load_tokenizer(given.base_model)
    model = AutoModelForCausalLM.from_pretrained(path, use_safetensors=True, **_precision(config))
    if config.quantization == "nf4":
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if given.parent:
        model = PeftModel.from_pretrained(model, str(given.parent[1]), is_trainable=True)
        # The published name may be no folder here, and PEFT would look for it on the hub whenever it saves.
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


def _precision(config: TrainingConfig) -> dict[str, Any]:
    gpu = torch.cuda.is_available()
    # A processor without bfloat16 emulates it: fifteen times slower, measured on an AMD EPYC with AVX2.
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


def common_arguments(
    config: TrainingConfig, given: StageInput, context: StageContext
) -> dict[str, Any]:
    """Arguments that every TRL trainer of ours gets."""
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(stage_dir(context, given.stage_index) / "checkpoints"),
        "max_steps": config.max_steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": min(config.warmup_steps, config.max_steps - 1),
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": 2,
        "seed": given.seed,
        "report_to": [],
        "use_cpu": not gpu,
        "bf16": gpu,
        "activation_checkpointing": gpu,
        "disable_tqdm": True,
        "dataloader_pin_memory": gpu,
        "optim": "adamw_torch",
    }


def stage_dir(context: StageContext, stage_index: int) -> Path:
    """This attempt's folder for one stage."""
    return context.run_dir / f"stage-{stage_index}"


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Reports every step, commits whole checkpoints, and stops when asked to."""

    def __init__(
        self, context: StageContext, stage_index: int, reported: Mapping[str, str]
    ) -> None:
        self._context = context
        self._reported = reported
        self._stage_index = stage_index
        self._step_started = time.monotonic()
        self._tokens = 0.0
        self.history: list[dict[str, float]] = []

    def on_step_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._step_started = time.monotonic()

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if self._context.should_stop():
            control.should_save = True
            control.should_training_stop = True
        return control

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        values = {
            ours: float(logs[theirs])
            for theirs, ours in self._reported.items()
            if logs and theirs in logs
        }
        if not values or "train_runtime" in (logs or {}):
            return
        tokens = values.pop("num_tokens", self._tokens)
        values["step_seconds"] = time.monotonic() - self._step_started
        values["tokens_per_second"] = max(0.0, tokens - self._tokens) / max(
            values["step_seconds"], 1e-6
        )
        self._tokens = tokens
        values = {name: value for name, value in values.items() if math.isfinite(value)}
        self.history.append(values)
        self._context.progress(
            self._stage_index,
            state.global_step,
            {**values, "device_memory_bytes": float(peak_bytes())},
        )

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._context.checkpoint(commit(folder, self._stage_index, state.global_step))


def commit(folder: Path, stage_index: int, step: int) -> SavedCheckpoint:
    """Makes a checkpoint whole: every file synced and listed by digest in MANIFEST.json, which is written last."""
    # transformers would write its arguments as a pickle, which nobody here ever loads.
    (folder / "training_args.bin").unlink(missing_ok=True)
    missing = [name for name in CHECKPOINT_FILES if not (folder / name).is_file()]
    if missing:
        raise TrainingError(f"the checkpoint of step {step} lacks {', '.join(missing)}")
    names = sorted(
        path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST
    )
    for name in names:
        sync(folder / name)
    digests = {name: sha256_of(folder / name) for name in names}
    temporary = folder / f".{MANIFEST}"
    temporary.write_text(json.dumps({"step": step, "files": digests}, sort_keys=True))
    sync(temporary)
    temporary.rename(folder / MANIFEST)
    sync(folder)
    return SavedCheckpoint(stage_index, step, folder, sha256_of(folder / MANIFEST))


def is_whole(saved: SavedCheckpoint) -> bool:
    """Whether every byte of the checkpoint is what was committed."""
    manifest = saved.path / MANIFEST
    if not manifest.is_file() or sha256_of(manifest) != saved.sha256:
        return False
    files = json.loads(manifest.read_text())["files"]
    return all(
        (saved.path / name).is_file() and sha256_of(saved.path / name) == digest
        for name, digest in files.items()
    )


def newest_whole(context: StageContext, stage_index: int) -> SavedCheckpoint | None:
    """The newest checkpoint of the stage that is whole; a torn one is passed over."""
    mine = [saved for saved in context.resume.checkpoints if saved.stage_index == stage_index]
    for saved in sorted(mine, key=lambda saved: saved.step, reverse=True):
        if is_whole(saved):
            return saved
        context.event(
            "warn",
            "checkpoint_torn",
            f"the checkpoint of step {saved.step} is not whole: an older one is used",
        )
    return None


def train_and_publish(
    trainer: Any, config: Any, given: StageInput, context: StageContext
) -> StageReport:
    """Runs the trainer, from a whole checkpoint if there is one, and publishes the adapter.

    Raises StoppedError after a stop with a checkpoint, OutOfMemoryError, TrainingError.
    """
    saved = newest_whole(context, given.stage_index)
    if saved:
        context.event(
            "info",
            "resumed",
            f"{config.stage} goes on from step {saved.step}",
            {"step": saved.step},
        )
    started = time.monotonic()
    step = _train(trainer, config, saved)
    if step < config.max_steps:
        raise StoppedError(f"stopped at step {step} of {config.stage}")
    seconds = time.monotonic() - started
    adapter = stage_dir(context, given.stage_index) / "adapter"
    trainer.model.save_pretrained(str(adapter), safe_serialization=True)
    reporter = next(
        callback
        for callback in trainer.callback_handler.callbacks
        if isinstance(callback, Reporter)
    )
    metrics = summary(reporter.history)
    manifest = describe(trainer.model, config, given, context, metrics, seconds)
    if config.quantization == "none":
        manifest = manifest.model_copy(
            update={"probe": probe(trainer.model, trainer.processing_class)}
        )
    target = context.run_dir / manifest.id
    whole = publish(adapter, target, manifest)
    return StageReport(
        metrics=metrics, train_seconds=round(seconds, 3), manifest=whole, path=str(target)
    )


def _train(trainer: Any, config: Any, saved: SavedCheckpoint | None) -> int:
    """Trains, and gives the step that was reached. Raises OutOfMemoryError."""
    if saved and saved.step >= config.max_steps:
        # The worker was lost between the last step and the adapter. transformers looks at `max_steps` after a step, never before
        # one: resumed here, it would do one too many.
        set_peft_model_state_dict(
            trainer.model, load_file(saved.path / "adapter_model.safetensors")
        )
        return saved.step
    try:
        trainer.train(resume_from_checkpoint=str(saved.path) if saved else None)
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError() from error
    return int(trainer.state.global_step)


def summary(history: list[dict[str, float]]) -> dict[str, float]:
    """Means over the last fifth of the steps, at least one step."""
    last = history[-max(1, len(history) // 5) :]
    names = {name for values in last for name in values}
    return {
        name: round(
            sum(values.get(name, 0.0) for values in last) / sum(name in values for values in last),
            6,
        )
        for name in sorted(names)
    }


def describe(
    model: Any,
    config: Any,
    given: StageInput,
    context: StageContext,
    metrics: dict[str, float],
    seconds: float,
) -> AdapterManifest:
    """The adapter's manifest, its files yet to be listed. Names the base model in PEFT's own configuration as we do."""
    peft = model.peft_config["default"]
    lora = {"r": peft.r, "lora_alpha": peft.lora_alpha, "target_modules": peft.target_modules}
    return AdapterManifest(
        id=adapter_id(given.job_id, given.stage_index, config.stage, context.attempt),
        job_id=given.job_id,
        base_model=given.base_model,
        stage=config.stage,
        stage_index=given.stage_index,
        parent=given.parent[0] if given.parent else None,
        quantization=config.quantization,
        lora=lora_of(lora),
        config=config.model_dump(mode="json"),
        dataset=given.dataset,
        bench_hash=given.dataset_hash,
        seed=given.seed,
        metrics=dict(metrics),
        train_seconds=round(seconds, 3),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Versions of what decides the result."""
    from importlib.metadata import version

    return {name: version(name) for name in ("inframind", "torch", "transformers", "trl", "peft")}
