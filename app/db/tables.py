"""The tables of the service.

Times are seconds since the epoch by the database's clock, so that one SQL text serves SQLite and
PostgreSQL.
"""

from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, defer, mapped_column

from app.db.ownership import Owned

QUEUED, RUNNING = text("state = 'queued'"), text("state = 'running'")
CONTINUES, FINE_TUNED = text("start_from IS NOT NULL"), text("fine_tuning IS NOT NULL")
WAITING = text("deadline_at IS NOT NULL AND state IN ('queued', 'paused')")


class Base(DeclarativeBase):
    """Base of all tables."""

    # SQLAlchemy reads it from the class. 53 bits are a whole Python float, on every database.
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, float: Float(53)}  # noqa: RUF012


class Job(Owned, Base):
    """One job: the row is the truth."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(128))
    owner: Mapped[str | None] = mapped_column(String(64))
    """Whose job it is; None: the embedded service has no owners."""
    state: Mapped[str] = mapped_column(String(16))
    want: Mapped[str] = mapped_column(String(8), server_default="run")
    """`run`, `pause` or `cancel`: what the user wants of a running job."""
    method: Mapped[str | None] = mapped_column(String(32))
    base_model: Mapped[str] = mapped_column(String(128))
    start_from: Mapped[str | None] = mapped_column(String(64))
    dataset: Mapped[str] = mapped_column(String(128))
    # 64 bits: PostgreSQL's INTEGER ends at 2,147,483,647.
    seed: Mapped[int] = mapped_column(BigInteger)
    stages: Mapped[list[Any]] = mapped_column("spec", JSON)
    """Whole stages, to be read by `inframind.stages.parse_all`. The column keeps its first name: a
    renamed one would stop the workers that still run while a new version is rolled out."""
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    # SQL's NULL and not JSON's, so that an index can leave out the jobs of our own API.
    fine_tuning: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What a job of OpenAI's API was asked for: files, suffix, method."""
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[float | None] = mapped_column(Float(53))
    """Changes with each renewal, which is all that `app.jobs.silence` reads of it."""
    lease_seconds: Mapped[float | None] = mapped_column(Float(53))
    """The length that its holder gives the lease; None: a worker of an older version has it."""
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    """Claims, whatever became of them."""
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    """Attempts that failed by themselves; at `max_attempts` the job has failed."""
    max_attempts: Mapped[int] = mapped_column(Integer, server_default="3")
    infra_failures: Mapped[int] = mapped_column(Integer, server_default="0")
    """Lost workers, counted apart from attempts that failed."""
    not_before: Mapped[float] = mapped_column(Float(53), server_default="0")
    deadline_at: Mapped[float | None] = mapped_column(Float(53))
    """A job that has not ended by then has failed."""
    priority: Mapped[int] = mapped_column(Integer, server_default="0")
    stage: Mapped[str | None] = mapped_column(String(32))
    stage_index: Mapped[int | None] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(Integer, server_default="0")
    total_steps: Mapped[int] = mapped_column(Integer, server_default="0")
    progress: Mapped[float] = mapped_column(Float(53), server_default="0")
    eta_seconds: Mapped[float | None] = mapped_column(Float(53))
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_param: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[float] = mapped_column(Float(53))
    started_at: Mapped[float | None] = mapped_column(Float(53))
    finished_at: Mapped[float | None] = mapped_column(Float(53))
    device: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    """The request that made the job: it ties the logs of api, worker and trainer together."""
    names_models: Mapped[bool | None]
    """Whether a stage names a model, such as one to evaluate; None: a version before made the job,
    and its stages have to be read."""

    __table_args__ = (
        # The last guard against two trainers on one GPU: of claims that race, one fails here.
        Index(
            "one_job_per_device",
            "device",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        # Partial: the jobs that have ended, nearly all, make no claim slower (load.md).
        Index(
            "jobs_claimable",
            text("priority DESC"),
            "created_at",
            "id",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index(
            "jobs_claimable_by_owner",
            "owner",
            text("priority DESC"),
            "created_at",
            "id",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index("jobs_with_deadline", "deadline_at", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("jobs_by_state", "state", "id"),
        # The id says when a job was made, so it orders every list of jobs.
        Index("jobs_by_owner", "owner", "id"),
        Index("jobs_by_owner_and_state", "owner", "state", "id"),
        Index(
            "jobs_fine_tuned",
            "owner",
            "id",
            sqlite_where=FINE_TUNED,
            postgresql_where=FINE_TUNED,
        ),
        Index(
            "jobs_by_start_from",
            "start_from",
            sqlite_where=CONTINUES,
            postgresql_where=CONTINUES,
        ),
        Index(
            "jobs_naming_models",
            "state",
            sqlite_where=text("names_models IS NOT 0"),
            postgresql_where=text("names_models IS NOT false"),
        ),
    )


WITHOUT_DOCUMENTS = tuple(
    defer(document) for document in (Job.stages, Job.meta, Job.fine_tuning, Job.metrics)
)
"""Options of a query for jobs that are to be moved: no broken JSON of one job stops the queue."""


class IdempotencyKey(Base):
    """A client's name for one request: the same request again is answered with the same job."""

    __tablename__ = "idempotency_keys"
    # No column of a primary key may be NULL in PostgreSQL, hence the empty owner.
    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Empty: the embedded service has no owners."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[float] = mapped_column(Float(53))


class Quota(Base):
    """One owner's limits where they differ from the settings'; None: the settings'."""

    __tablename__ = "quotas"
    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    max_running: Mapped[int | None] = mapped_column(Integer)
    max_queued: Mapped[int | None] = mapped_column(Integer)


class JobEvent(Base):
    """Event of a job, written in the transaction of the change itself."""

    __tablename__ = "job_events"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float(53))
    fence: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class JobMetric(Base):
    """Metrics of one step; a repeated step replaces the earlier one."""

    __tablename__ = "job_metrics"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    stage_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True)
    stage: Mapped[str] = mapped_column(String(32))
    at: Mapped[float] = mapped_column(Float(53))
    values: Mapped[dict[str, Any]] = mapped_column(JSON)


class StageResult(Base):
    """Metrics and adapter of a finished stage."""

    __tablename__ = "stage_results"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    stage_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    stage: Mapped[str] = mapped_column(String(32))
    adapter_id: Mapped[str | None] = mapped_column(String(64))
    train_seconds: Mapped[float] = mapped_column(Float(53))
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    finished_at: Mapped[float] = mapped_column(Float(53))


def place_of(job_id: str, path: str) -> str:
    """Makes a path relative to the folder of the artifacts: what is a job's lies in its folder."""
    parts = PurePosixPath(path).parts
    # From the last one on: the folder of the artifacts may itself lie in one with a job's name.
    inside = [depth for depth, part in enumerate(parts) if part == job_id]
    return str(PurePosixPath(*parts[inside[-1] :])) if inside else path


# A mixin, so that a table that comes to name files cannot forget the relative name.
class Placed:
    """A table whose rows name a folder among the artifacts."""

    job_id: Mapped[str]
    path: Mapped[str] = mapped_column(Text)
    """Where it lay when the row was written. Only workers of the version before read it, which may
    still run while a new version is rolled out."""
    place: Mapped[str | None] = mapped_column(Text)
    """Relative to the folder of the artifacts; None: a worker of the version before wrote it."""

    @property
    def whereabouts(self) -> str:
        """The relative name, to be located by `app.artifacts`."""
        return self.place if self.place is not None else place_of(self.job_id, self.path)


class Checkpoint(Placed, Base):
    """A whole checkpoint from which another attempt may go on."""

    __tablename__ = "checkpoints"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    stage_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[float] = mapped_column(Float(53))


class Adapter(Owned, Placed, Base):
    """A published adapter. The place is ours; the id never becomes one."""

    __tablename__ = "adapters"
    __table_args__ = (
        Index("adapters_by_owner", "owner"),
        Index("adapters_by_owner_and_age", "owner", "created_at", "id"),
        Index("adapters_by_age", "created_at", "id"),
        Index("adapters_by_parent", "parent"),
    )
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    stage: Mapped[str] = mapped_column(String(32))
    stage_index: Mapped[int] = mapped_column(Integer)
    base_model: Mapped[str] = mapped_column(String(128))
    parent: Mapped[str | None] = mapped_column(String(64))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Float(53))


class Alias(Owned, Base):
    """A name that people move from model to model, such as `production`.

    Every owner has names of their own.
    """

    __tablename__ = "aliases"
    __table_args__ = (Index("aliases_by_model", "model"),)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), primary_key=True, server_default="")
    model: Mapped[str] = mapped_column(String(128))
    """Id of an adapter or a base model; never another alias."""
    previous: Mapped[str | None] = mapped_column(String(128))
    """What it named before: the way back."""
    updated_at: Mapped[float] = mapped_column(Float(53))


class Dataset(Owned, Base):
    """Users' own tasks.

    The file lies with the artifacts under the same name, once for all who added the same content.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        Index("datasets_by_owner_and_age", "owner", "created_at", "id"),
        Index("datasets_by_age", "created_at", "id"),
    )
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), primary_key=True, server_default="")
    name: Mapped[str | None] = mapped_column(String(128))
    rendering: Mapped[str] = mapped_column(String(16), server_default="fenced")
    tasks: Mapped[dict[str, Any]] = mapped_column(JSON)
    categories: Mapped[dict[str, Any]] = mapped_column(JSON)
    duplicates: Mapped[int] = mapped_column(Integer)
    left_out: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    """What the newest upload had beside the tasks: `conflicts`, `untrained`, `ignored`."""
    derived: Mapped[int] = mapped_column(Integer)
    unchecked: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[float] = mapped_column(Float(53))


class File(Owned, Base):
    """A file that was uploaded for fine-tuning; its rows are the dataset."""

    __tablename__ = "files"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    filename: Mapped[str] = mapped_column(String(256))
    purpose: Mapped[str] = mapped_column(String(32))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the content. Versions before kept the bytes under it; now they lie under the id."""
    dataset: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float] = mapped_column(Float(53))

    __table_args__ = (
        Index("files_by_owner", "owner"),
        Index("files_by_owner_and_age", "owner", "created_at", "id"),
        Index("files_by_age", "created_at", "id"),
    )


class ApiKey(Base):
    """A key of the api. The secret itself is nowhere."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(128))
    owner: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float] = mapped_column(Float(53))
    last_used_at: Mapped[float | None] = mapped_column(Float(53))
    revoked_at: Mapped[float | None] = mapped_column(Float(53))


class Worker(Base):
    """A supervisor and its last sign of life."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    host: Mapped[str] = mapped_column(String(128))
    device: Mapped[str] = mapped_column(String(64))
    heartbeat_at: Mapped[float] = mapped_column(Float(53))
    # SQLite knows the word since 3.23.
    draining: Mapped[bool] = mapped_column(server_default=text("false"))


class JudgeCalibration(Base):
    """Agreement of a judge model with the verifier, measured once."""

    __tablename__ = "judge_calibrations"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    judge: Mapped[str] = mapped_column(String(80), index=True)
    """Fingerprint of model and prompt."""
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Float(53))
