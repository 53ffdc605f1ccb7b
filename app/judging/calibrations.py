"""Trust in a judge model: the calibrations that measure it against the verifier.

Loads no HTTP: the workers tell the trainer, too.
"""

from sqlalchemy import Engine, select

from app.db.session import database_now, reading, writing
from app.db.tables import JudgeCalibration
from app.judging.views import Judge
from inframind.judge.calibration import TRUSTED_KAPPA, Calibration
from inframind.judge.llm import fingerprint

NOT_CALIBRATED = "never calibrated: run `inframind judge calibrate`"


def describe_judge(engine: Engine, model: str) -> Judge:
    """Describes a judge model, and how far its newest calibration lets it be trusted."""
    judge = fingerprint(model)
    newest = newest_calibration(engine, judge)
    note = NOT_CALIBRATED
    if newest:
        note = (
            ""
            if newest.trusted
            else f"kappa {newest.kappa:.2f} with the verifier; {TRUSTED_KAPPA} is needed"
        )
    return Judge(
        kind="llm",
        model=model,
        fingerprint=judge,
        trusted=bool(newest and newest.trusted),
        kappa=newest.kappa if newest else None,
        note=note,
    )


def newest_calibration(engine: Engine, fingerprint: str) -> Calibration | None:
    """Finds the newest calibration of a judge."""
    with reading(engine) as session:
        query = (
            select(JudgeCalibration)
            .where(JudgeCalibration.judge == fingerprint)
            .order_by(JudgeCalibration.created_at.desc())
        )
        row = session.scalars(query.limit(1)).first()
        return (
            Calibration.model_validate({**row.report, "created_at": row.created_at})
            if row
            else None
        )


def store_calibration(engine: Engine, calibration: Calibration) -> None:
    """Stores a calibration; earlier ones stay."""
    with writing(engine) as session:
        report = calibration.model_dump(mode="json", exclude={"created_at"})
        session.add(
            JudgeCalibration(
                judge=calibration.judge, created_at=database_now(session), report=report
            )
        )
