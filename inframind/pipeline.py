"""A run: stages in order, one adapter through all of them. Importing this loads no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inframind.errors import ConfigError, StoppedError
from inframind.stages import STAGES, StageConfig
from inframind.stages.base import StageContext, StageInput, StageReport, TrainedAdapter
from inframind.types import Contract

METHODS: dict[str, tuple[str, ...]] = {
    "sft": ("sft", "evaluate"),
    "grpo": ("sft", "grpo", "evaluate"),
    "dapo": ("sft", "grpo", "dapo", "evaluate"),
    "evaluate": ("evaluate",),
}
DEFAULT_DATASET = "inframind-bench"

# The demo's recipe: ten minutes of two CPU cores, every category's easiest families, answers of at most 240 tokens.
NANO_SLICE: dict[str, Any] = {"max_difficulty": 1}
NANO_ROLLOUTS = {
    "prompts_per_step": 8,
    "num_generations": 8,
    "max_tokens": 240,
    "learning_rate": 1e-3,
    **NANO_SLICE,
}
RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "inframind-nano": {
        "sft": {
            "max_steps": 40,
            "batch_size": 16,
            "learning_rate": 5e-4,
            "families_share": 0.7,
            "max_length": 512,
            **NANO_SLICE,
        },
        "grpo": {"max_steps": 24, **NANO_ROLLOUTS},
        "dapo": {"max_steps": 50, "refill_rounds": 2, "overlong_buffer": 48, **NANO_ROLLOUTS},
        "evaluate": {"tasks": 300, "new_family_tasks": 80, "max_tokens": 240, **NANO_SLICE},
    }
}
"""Base model -> stage -> what differs from the stage's own defaults, which suit a 0.5B model on one GPU."""

_STAGE: TypeAdapter[Any] = TypeAdapter(StageConfig)


class PipelineSpec(Contract):
    """A whole run: base model, tasks, seed, stages, and the adapters of other runs it needs."""

    job_id: str
    base_model: str
    dataset: str = DEFAULT_DATASET
    dataset_path: Path | None = None
    """File of the users' own dataset; None for the bench."""
    seed: int = 0
    stages: tuple[StageConfig, ...]
    start_from: TrainedAdapter | None = None
    """The adapter that the first stage continues."""
    models: tuple[TrainedAdapter, ...] = ()
    """The adapters that `evaluate` stages name."""


def resolve_stages(
    base_model: str,
    method: str | None = None,
    stages: Sequence[Mapping[str, Any]] | None = None,
    *,
    continues: bool = False,
    dataset: str = DEFAULT_DATASET,
) -> tuple[Any, ...]:
    """Whole stage configurations from a method or from partial stages; what is not named takes the base model's recipe.

    Its choice of tasks is one of the bench: users' own data are taken whole.

    Raises ConfigError whose `param` names the field, such as `stages.0.max_steps`.
    """
    if (method is None) == (stages is None):
        raise ConfigError("give either `method` or `stages`", param="method")
    if method is not None:
        if method not in METHODS:
            raise ConfigError(
                f"unknown method {method!r}; known: {', '.join(METHODS)}", param="method"
            )
        names = [
            name
            for name in METHODS[method]
            if not (continues and name == "sft" and method != "sft")
        ]
        stages = [{"stage": name} for name in names]
    if not stages or len(stages) > 16:
        raise ConfigError("`stages` needs 1 to 16 stages", param="stages")
    recipe = RECIPES.get(base_model, {})
    if dataset != DEFAULT_DATASET:
        recipe = {
            stage: {key: value for key, value in values.items() if key not in NANO_SLICE}
            for stage, values in recipe.items()
        }
    return tuple(_resolved(index, given, recipe) for index, given in enumerate(stages))


def _resolved(index: int, given: Mapping[str, Any], recipe: Mapping[str, Mapping[str, Any]]) -> Any:
    name = given.get("stage")
    if name not in STAGES:
        raise ConfigError(
            f"unknown stage {name!r}; known: {', '.join(STAGES)}", param=f"stages.{index}.stage"
        )
    try:
        return _STAGE.validate_python({**recipe.get(name, {}), **given})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{place or name}: {message}", param=f"stages.{index}.{place}".rstrip(".")
        ) from None


def run_pipeline(spec: PipelineSpec, context: StageContext) -> None:
    """Runs the stages in order; those that an earlier attempt finished are passed over.

    Raises StoppedError when the context asks to stop; a whole checkpoint is left behind.
    """
    lineage = [spec.start_from] if spec.start_from else []
    for index, config in enumerate(spec.stages):
        report = context.resume.finished.get(index)
        if report is None:
            if context.should_stop():
                raise StoppedError(f"stopped before {config.stage}")
            context.stage_started(index, config.stage, config.total_steps)
            stage_input = StageInput(
                job_id=spec.job_id,
                stage_index=index,
                base_model=spec.base_model,
                dataset=spec.dataset,
                seed=spec.seed,
                lineage=tuple(lineage),
                models=spec.models,
                dataset_path=spec.dataset_path,
            )
            report = run_stage(config, stage_input, context)
            context.stage_done(index, config.stage, report)
        if report.adapter is not None:
            lineage.append(report.adapter)


def run_stage(config: Any, stage_input: StageInput, context: StageContext) -> StageReport:
    """Runs one stage by its name in the registry."""
    report: StageReport = STAGES[config.stage].run(config, stage_input, context)
    return report
