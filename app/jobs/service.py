"""The front desk of jobs, the only creator of their rows; and the questions about them."""

import re
import uuid
from collections.abc import Callable, Sequence

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Engine, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.db.migrate import is_current
from app.db.ownership import acting, asker, visible
from app.db.paging import read_page
from app.db.session import database_now, reading, writing
from app.db.tables import Job, JobEvent, JobMetric, StageResult, Worker
from app.errors import ConflictError, NotFoundError
from app.job_state import TERMINAL, JobState
from app.jobs import admission, idempotency, quota, trainer_log, transitions
from app.jobs.admission import Admitted
from app.jobs.journal import add_event
from app.jobs.spec import JobSpec, spec_again
from app.jobs.views import (
    VIEWED,
    DryRunView,
    EventView,
    JobView,
    MetricView,
    StageDryRun,
    WarningView,
    event_view,
    job_view,
    metric_view,
)
from app.settings import Settings
from app.views import Page, PageRequest

Wake = Callable[[str], object]
"""Sends a worker after a job, as well as it can, and makes nobody wait for it."""
WORKER_SILENT_SECONDS = 30.0
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JOBS, _RESULTS = Job.__mapper__.columns, StageResult.__mapper__.columns
_RESULT = ("stage", "stage_index", "adapter_id", "train_seconds", "metrics")
# A read took the api 4.87 ms with entities and statements made anew, and 0.80 without (load.md).
WITH_RESULTS = (
    select(
        *(_JOBS[name].label(name) for name in VIEWED),
        *(_RESULTS[name].label(f"result_{name}") for name in _RESULT),
    )
    .outerjoin_from(Job.__table__, StageResult.__table__, _RESULTS.job_id == _JOBS.id)
    .where(_JOBS.id == bindparam("id"), visible(_JOBS.owner))
    .order_by(_RESULTS.stage_index)
)
"""One job and what its stages left: asked for most, so without entities, which cost more."""


def nobody(_: str) -> None:
    """Wakes no worker: the embedded supervisor looks for itself."""


def new_id(now: float) -> str:
    """Makes a UUID of version 7: its order is the order of creation (RFC 9562)."""
    # RFC 9562, section 5.7: 48 bits of time, the version, 12 random bits, the variant, 62 more.
    milliseconds = int(now * 1000)
    random = uuid.uuid4().int & ((1 << 74) - 1)
    value = (
        (milliseconds << 80)
        | (0x7 << 76)
        | ((random >> 62) << 64)
        | (0b10 << 62)
        | (random & ((1 << 62) - 1))
    )
    return str(uuid.UUID(int=value))


class JobService:
    """The front desk: creates and moves jobs, with everything that belongs to it, for every door.

    A job is made for whoever acts (`app.db.ownership.acting`), once for a key, within their quota;
    a worker is woken after the commit, once, wherever a job has begun to wait for one.
    """

    def __init__(
        self, engine: Engine, settings: Settings, artifacts: Artifacts, wake: Wake = nobody
    ) -> None:
        self.engine, self.settings, self.artifacts = engine, settings, artifacts
        self._wake = wake

    def submit(self, spec: JobSpec, key: str | None = None) -> JobView:
        """Makes the job, or gives the one that this request with this `key` made before.

        Raises InvalidError and ConfigError that name the field, QuotaError, StoreError, and
        InFlightError if a request with the key is being answered; nothing is stored then.
        """
        return self.submit_as(spec, lambda: spec, key)

    def dry_run(self, spec: JobSpec) -> DryRunView:
        """Says what the job would be; stores nothing and wakes nobody.

        Raises what `submit` raises, but for the quota: a full queue says nothing of the job.
        """
        # No idempotency key is looked at: asking twice makes nothing twice.
        return dry_run_view(admission.admit(self.engine, self.settings, self.artifacts, spec))

    def submit_as(
        self, request: BaseModel, spec_of: Callable[[], JobSpec], key: str | None = None
    ) -> JobView:
        """Makes the job of a request in another form.

        `spec_of` says what it means, and is asked only if the request is not a repeated one.
        """
        owner = acting.get().owner
        if key is not None:
            with reading(self.engine) as session:
                # Most repeats end here, and keep no writer waiting.
                if (earlier := idempotency.find(session, owner, key, request)) is not None:
                    return _viewed(session, _job(session, earlier))
        admitted = admission.admit(self.engine, self.settings, self.artifacts, spec_of())
        with writing(self.engine) as session:
            # Two copies of a request may both have passed the reading above.
            if key is not None:
                idempotency.hold(session, owner, key)
                if (earlier := idempotency.find(session, owner, key, request)) is not None:
                    return _viewed(session, _job(session, earlier))
            job = self._create(session, admitted, owner)
            if key is not None:
                idempotency.keep(session, owner, key, request, job.id, job.created_at)
            view = job_view(job, [])
        # After the commit: a worker that is woken sooner finds no row.
        self._wake(view.id)
        return view

    def retry(self, job_id: str, key: str | None = None) -> JobView:
        """Makes a new job of what one that failed or was cancelled was to do; that one stays ended.

        Raises NotFoundError, ConflictError in another state, and what `submit` raises.
        """
        with reading(self.engine) as session:
            job = _job(session, job_id)
            if job.state not in (JobState.FAILED, JobState.CANCELLED):
                message = f"the job is {job.state}"
                raise ConflictError(
                    f"{message}: only one that failed or was cancelled is tried again"
                )
            spec = spec_again(job)
        return self.submit_as(Retry(retry_of=job_id), lambda: spec, key)

    def log_end(self, job_id: str, attempt: int | None, most_bytes: int) -> str:
        """Gives the end of the log of an attempt, or of the latest.

        Raises NotFoundError, StoreError, OSError.
        """
        with reading(self.engine) as session:
            # Every claim raises the fence, which names the folder of its attempt.
            latest = _job(session, job_id).fence
        if latest == 0:
            raise NotFoundError("the job has no log yet: it waits for a worker", param="attempt")
        return trainer_log.read_end(
            self.artifacts, self.settings.secrets, job_id, attempt or latest, most_bytes
        )

    def _create(self, session: Session, admitted: Admitted, owner: str | None) -> Job:
        admission.check_still_there(session, admitted)
        now = quota.admit(session, owner, self.settings.max_queued_per_owner)
        spec = admitted.spec
        job = Job(
            id=new_id(now),
            owner=owner,
            name=spec.name,
            state=JobState.QUEUED,
            method=spec.method,
            base_model=spec.base_model,
            start_from=spec.start_from,
            dataset=spec.dataset,
            seed=spec.seed,
            stages=[stage.model_dump(mode="json") for stage in admitted.stages],
            meta=spec.metadata,
            fine_tuning=spec.fine_tuning,
            created_at=now,
            deadline_at=None if spec.deadline_seconds is None else now + spec.deadline_seconds,
            max_attempts=self.settings.max_attempts,
            metrics={},
            priority=spec.priority,
            request_id=acting.get().request_id,
            names_models=any(stage.models_named for stage in admitted.stages),
        )
        session.add(job)
        session.flush()
        add_event(session, job, "info", "queued", "the job was accepted")
        return job

    def cancel(self, job_id: str) -> JobView:
        """Cancels a job that waits; asks the worker of a running one to stop.

        Raises NotFoundError, ConflictError in a terminal state.
        """
        with writing(self.engine) as session:
            job = _job(session, job_id, lock=True)
            _refuse_ended(job)
            if job.state != JobState.RUNNING:
                transitions.finish(session, job, JobState.CANCELLED)
            elif job.want != "cancel":
                job.want = "cancel"
                add_event(session, job, "info", "cancel_requested", "the worker was asked to stop")
            return _viewed(session, job)

    def pause(self, job_id: str) -> JobView:
        """Pauses a job that waits; asks the worker of a running one to stop.

        Raises NotFoundError, ConflictError in a terminal state or under a cancel.
        """
        with writing(self.engine) as session:
            job = _job(session, job_id, lock=True)
            _refuse_ended(job, but="cancel")
            if job.state == JobState.QUEUED:
                transitions.pause(session, job)
            elif job.state == JobState.RUNNING and job.want != "pause":
                job.want = "pause"
                add_event(session, job, "info", "pause_requested", "the worker was asked to stop")
            return _viewed(session, job)

    def resume(self, job_id: str) -> JobView:
        """Queues a paused job, or takes back a wish to pause.

        Raises NotFoundError, ConflictError in a terminal state or under a cancel.
        """
        with writing(self.engine) as session:
            job = _job(session, job_id, lock=True)
            _refuse_ended(job, but="cancel")
            waits_again = job.state == JobState.PAUSED
            if waits_again:
                transitions.resume(session, job)
            elif job.want == "pause":
                job.want = "run"
                add_event(session, job, "info", "pause_taken_back", "the job goes on")
            view = _viewed(session, job)
        if waits_again:
            self._wake(job_id)
        return view


class Retry(BaseModel):
    """The wish to try a job again, as its idempotency key knows it."""

    retry_of: str


def _job(session: Session, job_id: str, *, lock: bool = False) -> Job:
    _check_id(job_id)
    job = session.get(Job, job_id, with_for_update=lock or None)
    if job is None:
        raise _unknown(job_id)
    return job


def _check_id(job_id: str) -> None:
    # Only what may be an id reaches the database: PostgreSQL takes no NUL in a text.
    if not ID.fullmatch(job_id):
        raise _unknown(job_id)


def _unknown(job_id: str) -> NotFoundError:
    return NotFoundError(
        f"there is no job {job_id[:64]!r}; GET /jobs lists those that exist", param="id"
    )


def _viewed(session: Session, job: Job) -> JobView:
    return job_view(job, _results(session, [job.id])[job.id])


def dry_run_view(admitted: Admitted) -> DryRunView:
    """The job that would be made, as a person sees it."""
    spec = admitted.spec
    fits = list(zip(admitted.stages, admitted.fits, strict=True))
    return DryRunView(
        method=spec.method,
        base_model=spec.base_model,
        start_from=spec.start_from,
        dataset=spec.dataset,
        seed=spec.seed,
        stages=[stage.model_dump(mode="json") for stage in admitted.stages],
        checks=[
            StageDryRun(stage=stage.stage, stage_index=index, data=fit.counts)
            for index, (stage, fit) in enumerate(fits)
        ],
        warnings=[
            WarningView(
                code=note.code,
                message=f"{stage.stage}: {note.message}",
                param="dataset" if note.setting == "dataset" else f"stages.{index}.{note.setting}",
            )
            for index, (stage, fit) in enumerate(fits)
            for note in fit.notes
        ],
    )


def _results(session: Session, ids: Sequence[str]) -> dict[str, list[StageResult]]:
    rows = session.scalars(
        select(StageResult).where(StageResult.job_id.in_(ids)).order_by(StageResult.stage_index)
    )
    by_job: dict[str, list[StageResult]] = {job_id: [] for job_id in ids}
    for row in rows:
        by_job[row.job_id].append(row)
    return by_job


def get(engine: Engine, job_id: str) -> JobView:
    """One job, in one statement: what is asked for most. Raises NotFoundError."""
    _check_id(job_id)
    with reading(engine) as session:
        rows = session.execute(WITH_RESULTS, {"id": job_id, **asker()}).all()
    if not rows:
        raise _unknown(job_id)
    left = [row for row in rows if row.result_stage is not None]
    return job_view(
        rows[0],
        [StageResult(**{name: getattr(row, f"result_{name}") for name in _RESULT}) for row in left],
    )


def list_jobs(engine: Engine, page: PageRequest, state: JobState | None = None) -> Page[JobView]:
    """Lists jobs, newest first. Raises InvalidError."""
    query = select(Job) if state is None else select(Job).where(Job.state == state)
    with reading(engine) as session:
        # The id says when the job was made.
        jobs = read_page(
            session,
            query,
            (Job.id,),
            page,
            lambda identity: (identity,) if ID.fullmatch(identity) else None,
            descending=True,
        )
        ids = [job.id for job in jobs.rows]
        results = _results(session, ids)
        views = [job_view(job, results[job.id]) for job in jobs.rows]
    return Page[JobView].of(views, ids, has_more=jobs.has_more)


def _refuse_ended(job: Job, but: str = "") -> None:
    if job.state in TERMINAL:
        raise ConflictError(f"the job is {job.state} already")
    if job.state == JobState.RUNNING and job.want == but:
        raise ConflictError("the job is being cancelled already")


def list_events(engine: Engine, job_id: str, page: PageRequest) -> tuple[Page[EventView], bool]:
    """Lists a job's events in order, and tells whether its state is terminal.

    Raises NotFoundError, InvalidError.
    """
    query = select(JobEvent).where(JobEvent.job_id == job_id)
    with reading(engine) as session:
        job = _job(session, job_id)
        events = read_page(session, query, (JobEvent.seq,), page, _numbers(1))
        views = [event_view(row) for row in events.rows]
    ids = [str(view.seq) for view in views]
    return Page[EventView].of(views, ids, has_more=events.has_more), job.state in TERMINAL


def list_metrics(
    engine: Engine, job_id: str, page: PageRequest, stage_index: int | None = None
) -> Page[MetricView]:
    """Lists a job's metrics in order of stage and step; a row's id is `<stage_index>-<step>`.

    Raises NotFoundError, InvalidError.
    """
    query = select(JobMetric).where(JobMetric.job_id == job_id)
    if stage_index is not None:
        query = query.where(JobMetric.stage_index == stage_index)
    with reading(engine) as session:
        _job(session, job_id)
        keys = (JobMetric.stage_index, JobMetric.step)
        metrics = read_page(session, query, keys, page, _numbers(2))
        views = [metric_view(row) for row in metrics.rows]
    ids = [f"{view.stage_index}-{view.step}" for view in views]
    return Page[MetricView].of(views, ids, has_more=metrics.has_more)


def _numbers(count: int) -> Callable[[str], tuple[int, ...] | None]:
    """Builds the reader of ids that are so many numbers with dashes between them."""
    form = re.compile("-".join([r"[0-9]{1,9}"] * count))
    return lambda identity: (
        tuple(map(int, identity.split("-"))) if form.fullmatch(identity) else None
    )


def is_alive(now: float) -> ColumnElement[bool]:
    """Selects the workers that gave a sign of life lately."""
    # One from the future was given before the clock was set back; a live worker gives another soon.
    lately = (now - WORKER_SILENT_SECONDS, now + WORKER_SILENT_SECONDS)
    return Worker.heartbeat_at.between(*lately)


def live_workers(engine: Engine) -> int:
    """Workers that gave a sign of life lately and take jobs."""
    with reading(engine) as session:
        alive = select(func.count()).select_from(Worker).where(Worker.draining.is_(False))
        return session.scalar(alive.where(is_alive(database_now(session)))) or 0


def readiness(engine: Engine) -> dict[str, bool]:
    """Tells what jobs need of the database: an answer, its newest tables, and a live worker."""
    try:
        current = is_current(engine)
        return {
            "database": True,
            "migrations": current,
            "worker": current and live_workers(engine) > 0,
        }
    except SQLAlchemyError:
        return {"database": False, "migrations": False, "worker": False}
