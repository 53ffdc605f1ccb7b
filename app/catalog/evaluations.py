"""Evaluations: what `evaluate` stages found out about models, and models side by side."""

from collections.abc import Sequence

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.catalog.names import resolved
from app.catalog.views import ComparedModel, Comparison, Evaluation
from app.db.session import reading
from app.db.tables import Adapter, Job, StageResult
from app.errors import InvalidError
from inframind.models.registry import BASE_MODELS
from inframind.stages import evaluating
from inframind.statistics.intervals import newcombe

MIN_COMPARED, MAX_COMPARED = 2, 16


def of_models(session: Session, names: Sequence[str]) -> dict[str, list[Evaluation]]:
    """The evaluations of each model, newest first."""
    by_model: dict[str, list[Evaluation]] = {name: [] for name in names}
    rows = (
        select(StageResult, Job)
        .join(Job, Job.id == StageResult.job_id)
        .where(StageResult.stage.in_(evaluating()))
        .order_by(StageResult.finished_at.desc())
    )
    for result, job in session.execute(rows):
        for row in result.metrics.get("rows", ()):
            name = row["adapter"] or job.base_model
            # Rows of the first release have no judge.
            if name in by_model and "judge" in row:
                by_model[name].append(_evaluation(result, job, row))
    return by_model


def _evaluation(result: StageResult, job: Job, row: dict[str, object]) -> Evaluation:
    figures = {
        name: row[name]
        for name in ("pass_at_1", "n", "ci95", "new_families", "by_category", "judge")
    }
    return Evaluation.model_validate(
        {
            "job_id": job.id,
            "at": result.finished_at,
            "dataset": job.dataset,
            "bench_hash": result.metrics["bench_hash"],
            "max_difficulty": result.metrics["max_difficulty"],
            "judge_model": result.metrics.get("judge_model"),
            **figures,
        }
    )


def compare(engine: Engine, names: Sequence[str]) -> Comparison:
    """Models side by side: of one evaluation if one asked them all, else each one's newest.

    Raises InvalidError, NotFoundError.
    """
    if not MIN_COMPARED <= len(names) <= MAX_COMPARED:
        raise InvalidError(
            f"name {MIN_COMPARED} to {MAX_COMPARED} models, each as `model=<name>`", param="model"
        )
    with reading(engine) as session:
        ids = [resolved(session, name) for name in names]
        evaluations = of_models(session, ids)
        stages = {
            name: None if name in BASE_MODELS else session.get_one(Adapter, name).stage
            for name in ids
        }
    chosen = _chosen(ids, evaluations)
    reason = _reason(ids, chosen)
    rows = [
        _compared(name, stages[name], chosen.get(name), chosen.get(ids[0]), reason is None)
        for name in ids
    ]
    return Comparison(comparable=reason is None, reason=reason, data=rows)


def _chosen(
    names: Sequence[str], evaluations: dict[str, list[Evaluation]]
) -> dict[str, Evaluation]:
    for together in evaluations[names[0]]:
        same = {
            name: evaluation
            for name in names
            for evaluation in evaluations[name]
            if (evaluation.job_id, evaluation.at) == (together.job_id, together.at)
        }
        if len(same) == len(set(names)):
            return same
    return {name: of_model[0] for name, of_model in evaluations.items() if of_model}


def _reason(names: Sequence[str], chosen: dict[str, Evaluation]) -> str | None:
    missing = [name for name in names if name not in chosen]
    how = 'POST /jobs {"method": "evaluate", "models": [...]} evaluates them together'
    if missing:
        return f"{', '.join(missing)} was never evaluated: {how}"
    if (
        len(
            {
                (evaluation.bench_hash, evaluation.max_difficulty, evaluation.n)
                for evaluation in chosen.values()
            }
        )
        > 1
    ):
        return f"the models were not asked the same tasks: {how}"
    return None


def _compared(
    name: str,
    stage: str | None,
    mine: Evaluation | None,
    first: Evaluation | None,
    comparable: bool,
) -> ComparedModel:
    difference, interval = None, None
    if comparable and mine is not None and first is not None:
        difference = round(mine.pass_at_1 - first.pass_at_1, 4)
        low, high = newcombe((mine.pass_at_1, mine.ci95), (first.pass_at_1, first.ci95))
        interval = (round(low, 4), round(high, 4))
    return ComparedModel(
        model=name, stage=stage, evaluation=mine, difference=difference, difference_ci95=interval
    )
