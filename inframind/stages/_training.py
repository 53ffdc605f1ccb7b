"""Runs one of TRL's trainers, resumed where a checkpoint allows, and publishes the adapter."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file

from inframind import __version__
from inframind.errors import NonFiniteError, OutOfMemoryError, StoppedError
from inframind.models.adapter import AdapterManifest, adapter_id, lora_of, publish
from inframind.models.probe import probe
from inframind.stages._checkpoints import newest_whole
from inframind.stages._loading import load_as_served
from inframind.stages._reporting import Reporter, summary
from inframind.stages.base import SavedCheckpoint, StageContext, StageInput, StageReport
from inframind.stages.config import TrainingConfig


def common_arguments(
    config: TrainingConfig, stage_input: StageInput, context: StageContext
) -> dict[str, Any]:
    """Builds the arguments that every TRL trainer of ours gets."""
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(stage_dir(context, stage_input.stage_index) / "checkpoints"),
        "max_steps": config.max_steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "constant_with_warmup",
        # A stage of a step or two would spend all of it at a rate near zero.
        "warmup_steps": min(config.warmup_steps, config.max_steps - 1),
        # Each step is looked at before it is saved (`_reporting.Reporter`).
        "logging_steps": 1,
        # transformers would log a loss of NaN as the mean of those before it, which is 0.0 for the
        # first.
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": 2,
        "seed": stage_input.seed,
        "report_to": [],
        "use_cpu": not gpu,
        "bf16": gpu,
        "activation_checkpointing": gpu,
        "disable_tqdm": True,
        "dataloader_pin_memory": gpu,
        "optim": "adamw_torch",
    }


def stage_dir(context: StageContext, stage_index: int) -> Path:
    """Names this attempt's folder for one stage."""
    return context.run_dir / f"stage-{stage_index}"


def train_and_publish(
    trainer: Any, config: Any, stage_input: StageInput, context: StageContext
) -> StageReport:
    """Runs the trainer, from a whole checkpoint if there is one, and publishes the adapter.

    Raises StoppedError after a stop with a checkpoint, NonFiniteError, OutOfMemoryError,
    TrainingError.
    """
    saved = newest_whole(context, stage_input.stage_index)
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
    adapter = stage_dir(context, stage_input.stage_index) / "adapter"
    trainer.model.save_pretrained(str(adapter), safe_serialization=True)
    reporter = next(
        callback
        for callback in trainer.callback_handler.callbacks
        if isinstance(callback, Reporter)
    )
    metrics = summary(reporter.history)
    manifest = describe(trainer.model, config, stage_input, context, metrics, seconds)
    # Quantized weights answer otherwise than those that the adapter is served on.
    served = (
        trainer.model
        if config.quantization == "none"
        else load_as_served(stage_input.base_model, adapter)
    )
    manifest = manifest.model_copy(update={"probe": probe(served, trainer.processing_class)})
    target = context.run_dir / manifest.id
    whole = publish(adapter, target, manifest)
    return StageReport(
        metrics=metrics, train_seconds=round(seconds, 3), manifest=whole, path=target
    )


def _train(trainer: Any, config: Any, saved: SavedCheckpoint | None) -> int:
    """Trains and gives the step that was reached. Raises OutOfMemoryError, NonFiniteError."""
    if saved and saved.step >= config.max_steps:
        # The worker was lost between the last step and the adapter. transformers looks at
        # `max_steps` after a step, never before one: resumed here, it would do one too many.
        set_peft_model_state_dict(
            trainer.model, load_file(saved.path / "adapter_model.safetensors")
        )
        return saved.step
    try:
        trainer.train(resume_from_checkpoint=str(saved.path) if saved else None)
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError() from error
    except RuntimeError as error:
        # Weights that are finite, but so large that the scores are not, end in torch.multinomial.
        if "probability tensor contains" not in str(error):
            raise
        raise NonFiniteError(
            f"{config.stage} stopped after step {trainer.state.global_step}: the model's scores are"
            f" NaN or infinite: lower `learning_rate` ({config.learning_rate:g})"
        ) from error
    return int(trainer.state.global_step)


def describe(
    model: Any,
    config: Any,
    stage_input: StageInput,
    context: StageContext,
    metrics: dict[str, float],
    seconds: float,
) -> AdapterManifest:
    """Writes the adapter's manifest, its files yet to be listed."""
    peft = model.peft_config["default"]
    lora = {"r": peft.r, "lora_alpha": peft.lora_alpha, "target_modules": peft.target_modules}
    return AdapterManifest(
        id=adapter_id(stage_input.job_id, stage_input.stage_index, config.stage, context.attempt),
        job_id=stage_input.job_id,
        base_model=stage_input.base_model,
        stage=config.stage,
        stage_index=stage_input.stage_index,
        parent=stage_input.parent.id if stage_input.parent else None,
        quantization=config.quantization,
        lora=lora_of(lora),
        config=config.model_dump(mode="json"),
        dataset=stage_input.dataset,
        rendering=stage_input.rendering,
        bench_hash=stage_input.dataset_hash,
        seed=stage_input.seed,
        metrics=dict(metrics),
        train_seconds=round(seconds, 3),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Reads the versions of the packages that decide the result.

    Our own stands in the source: an image or a checkout on the path has no installed distribution.
    """
    libraries = ("torch", "transformers", "trl", "peft")
    return {"inframind": __version__, **{name: version(name) for name in libraries}}
