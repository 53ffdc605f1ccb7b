"""Deletes what is older or more than the settings keep.

Adapters by age, checkpoints by number, leftovers of lost attempts and uploads, old idempotency
keys.

Never what an alias means, what another adapter or a job that has not ended needs
(`app.catalog.service.in_use`), or what a job may resume from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.db.session import database_now, reading, writing
from app.db.steady_clock import SteadyClock
from app.db.tables import Adapter, Checkpoint, File, IdempotencyKey, Job, Placed
from app.job_state import TERMINAL
from inframind.durable import TEMPORARY

KEPT_CHECKPOINTS = 2
"""Of every stage that has not ended: the newest may be torn."""
LEFTOVER_SECONDS = 86_400.0
"""Age at which files that no row names are nobody's."""
KEY_SECONDS = 86_400.0


@dataclass
class Pruned:
    """Names of what a round of pruning deleted, or would delete."""

    adapters: list[str] = field(default_factory=list)
    checkpoints: int = 0
    leftovers: list[str] = field(default_factory=list)
    """Attempts that published nothing, uploads without a row, what was being written."""
    keys: int = 0


def prune(
    engine: Engine,
    artifacts: Artifacts,
    keep_adapters_days: float | None,
    clock: SteadyClock | None = None,
    *,
    dry_run: bool = False,
) -> Pruned:
    """One round.

    `keep_adapters_days` None: adapters are kept for ever. Rows go before files: what is offered is
    always there. Ages are by the `clock` that the caller's process keeps, so that a leap of the
    database's makes nothing old; without one they are by the database's own.
    """
    pruned, paths = Pruned(), list[Path]()
    with (reading if dry_run else writing)(engine) as session:
        now = (clock or SteadyClock()).look(database_now(session))
        for row in _old_adapters(session, now, keep_adapters_days):
            pruned.adapters.append(row.id)
            paths.append(artifacts.locate(row.whereabouts))
            if not dry_run:
                session.delete(row)
        for checkpoint in _spare_checkpoints(session):
            pruned.checkpoints += 1
            paths.append(artifacts.locate(checkpoint.whereabouts))
            if not dry_run:
                session.delete(checkpoint)
        old = IdempotencyKey.created_at < now - KEY_SECONDS
        pruned.keys = len(session.scalars(select(IdempotencyKey.key).where(old)).all())
        if not dry_run:
            session.execute(delete(IdempotencyKey).where(old))
    with reading(engine) as session:
        leftovers = list(_leftovers(session, artifacts))
    pruned.leftovers = [str(path.relative_to(artifacts.folder)) for path in leftovers]
    # After the commit: a crash in between leaves files without a row, which a later round finds.
    for path in [*paths, *leftovers] if not dry_run else ():
        artifacts.remove(path)
    return pruned


def _old_adapters(session: Session, now: float, days: float | None) -> list[Adapter]:
    """Adapters that are old and in no use.

    What goes may free its parent: that one goes in the next round.
    """
    if days is None:
        return []
    query = select(Adapter).where(Adapter.created_at < now - days * 86_400.0).order_by(Adapter.id)
    # The full lock before the look at what is used (`app.catalog.names.hold`); what somebody holds
    # is being used, and goes in a later round if at all.
    old = session.scalars(query.with_for_update(skip_locked=True)).all()
    used = catalog.in_use(session)
    return [row for row in old if row.id not in used]


def _spare_checkpoints(session: Session) -> Iterator[Checkpoint]:
    """All but the newest of every stage of a job that may go on, and all of one that has ended."""
    seen: dict[tuple[str, int], int] = {}
    rows = select(Checkpoint, Job.state).join(Job, Job.id == Checkpoint.job_id)
    for checkpoint, state in session.execute(
        rows.order_by(Checkpoint.step.desc(), Checkpoint.fence.desc())
    ).all():
        stage = (checkpoint.job_id, checkpoint.stage_index)
        seen[stage] = seen.get(stage, 0) + 1
        if state in TERMINAL or seen[stage] > KEPT_CHECKPOINTS:
            yield checkpoint


def _leftovers(session: Session, artifacts: Artifacts) -> Iterator[Path]:
    """Finds what is old enough, and what no row names and no worker holds.

    Here, and that of other hosts in the store.
    """
    # Listed before the rows are asked: what is uploaded from now on is not in the list.
    prunable = sorted(artifacts.prunable())
    uploads = {name for row in session.execute(select(File.id, File.sha256)) for name in row}
    for path in prunable:
        if fnmatch(path.name, TEMPORARY):
            is_needed = False
        elif path.parent == artifacts.uploads:
            is_needed = path.stem in uploads
        else:
            is_needed = _needs_attempt(session, artifacts, path)
        if not is_needed and artifacts.age(path) > LEFTOVER_SECONDS:
            yield path


def _needs_attempt(session: Session, artifacts: Artifacts, folder: Path) -> bool:
    job_id = folder.parent.name
    job = session.get(Job, job_id)
    if job is not None and job.state not in TERMINAL and job.fence == int(folder.name):
        return True
    rows: list[Placed] = [*session.scalars(select(Adapter).where(Adapter.job_id == job_id))]
    rows += session.scalars(select(Checkpoint).where(Checkpoint.job_id == job_id))
    return any(artifacts.locate(row.whereabouts).is_relative_to(folder) for row in rows)
