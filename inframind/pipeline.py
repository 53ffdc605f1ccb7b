"""A run: stages in order, one adapter through all of them. Importing this loads no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inframind.errors import ConfigError, StoppedError
from inframind.stages import (
    MAX_STAGES,
    STAGES,
    AnyStage,
    config_class,
    methods,
    parse_all,
)
from inframind.stages.base import StageContext, StageInput, StageReport, TrainedAdapter
from inframind.stages.config import StageConfig
from inframind.types import Contract

DEFAULT_DATASET = "inframind-bench"


class PipelineSpec(Contract):
    """A whole run: base model, tasks, seed, stages, and the adapters of other runs it needs."""

    job_id: str
    base_model: str
    dataset: str = DEFAULT_DATASET
    dataset_path: Path | None = None
    """File of the users' own dataset; None for the bench."""
    seed: int = 0
    stages: tuple[AnyStage, ...]
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
) -> tuple[StageConfig, ...]:
    """Makes whole stages of a method or of partial stages, by the recipe of the base model.

    A job that `continues` an adapter leaves out the stages that make a new one fit. Raises
    ConfigError whose `param` names the field, such as `stages.0.max_steps`.
    """
    if (method is None) == (stages is None):
        raise ConfigError("give either `method` or `stages`", param="method")
    if method is not None:
        sequences = methods()
        if method not in sequences:
            raise ConfigError(
                f"unknown method {method!r}; known: {', '.join(sequences)}", param="method"
            )
        stages = [
            {"stage": name}
            for name in sequences[method]
            if name == method or not (continues and config_class(name).starts_afresh)
        ]
    if not stages or len(stages) > MAX_STAGES:
        raise ConfigError(f"`stages` needs 1 to {MAX_STAGES} stages", param="stages")
    return parse_all(stages, base_model, dataset != DEFAULT_DATASET)


def run_pipeline(spec: PipelineSpec, context: StageContext) -> None:
    """Runs the stages in order; those that an earlier attempt finished are passed over.

    Raises StoppedError when the context asks to stop; a whole checkpoint is left behind.
    """
    lineage = [spec.start_from] if spec.start_from else []
    for index, config in enumerate(spec.stages):
        report = context.resume.finished.get(index)
        if report is None:
            # Between stages nothing is half done: the next attempt begins exactly here.
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
        # `evaluate` makes none: the next stage continues the one before it.
        if report.adapter is not None:
            lineage.append(report.adapter)


def run_stage(config: Any, stage_input: StageInput, context: StageContext) -> StageReport:
    """Runs one stage by its name in the registry."""
    report: StageReport = STAGES[config.stage].run(config, stage_input, context)
    return report
