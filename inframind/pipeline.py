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
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import StageConfig
from inframind.types import Contract

DEFAULT_DATASET = "inframind-bench"


class PipelineSpec(Contract):
    """A run as the trainer gets it."""

    job_id: str
    base_model: str
    dataset: str = DEFAULT_DATASET
    dataset_path: str | None = None
    """File of the users' own dataset; None: the bench."""
    seed: int = 0
    stages: tuple[AnyStage, ...]
    start_from: tuple[str, str, str] | None = None
    """(stage, adapter id, folder) of the adapter that the first stage continues."""
    models: tuple[tuple[str, str, str, float], ...] = ()
    """(stage, adapter id, folder, training seconds) of the adapters that `evaluate` stages name."""


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
        known = methods()
        if method not in known:
            raise ConfigError(
                f"unknown method {method!r}; known: {', '.join(known)}", param="method"
            )
        stages = [
            {"stage": name}
            for name in known[method]
            if name == method or not (continues and config_class(name).starts_afresh)
        ]
    if not stages or len(stages) > MAX_STAGES:
        raise ConfigError(f"`stages` needs 1 to {MAX_STAGES} stages", param="stages")
    return parse_all(stages, base_model, dataset != DEFAULT_DATASET)


def run_pipeline(spec: PipelineSpec, context: StageContext) -> None:
    """Runs the stages in order; those that an earlier attempt finished are passed over.

    Raises StoppedError when the context asks to stop; a whole checkpoint is left behind.
    """
    lineage: list[tuple[str, str, Path, float]] = []
    if spec.start_from:
        stage, adapter, folder = spec.start_from
        lineage.append((stage, adapter, Path(folder), 0.0))
    named = tuple(
        (stage, name, Path(folder), seconds) for stage, name, folder, seconds in spec.models
    )
    for index, config in enumerate(spec.stages):
        report = context.resume.finished.get(index)
        if report is None:
            if context.should_stop():
                raise StoppedError(f"stopped before {config.stage}")
            context.stage_started(index, config.stage, config.total_steps)
            own = Path(spec.dataset_path) if spec.dataset_path else None
            given = StageInput(
                spec.job_id,
                index,
                spec.base_model,
                spec.dataset,
                spec.seed,
                tuple(lineage),
                named,
                own,
            )
            report = run_stage(config, given, context)
            context.stage_done(index, config.stage, report)
        if report.manifest is not None and report.path is not None:
            lineage.append(
                (config.stage, report.manifest.id, Path(report.path), report.train_seconds)
            )


def run_stage(config: Any, given: StageInput, context: StageContext) -> StageReport:
    """One stage."""
    report: StageReport = STAGES[config.stage].run(config, given, context)
    return report
