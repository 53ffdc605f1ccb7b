"""The tables. Times are seconds since the epoch by the database's clock, so that one SQL text serves SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, float: Float(53)}  # noqa: RUF012 - SQLAlchemy's form


class Job(Base):
    """One job: the row is the truth."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16), index=True)
    want: Mapped[str] = mapped_column(String(8), server_default="run")
    """`run` or `cancel`: what the user wants of a running job."""
    method: Mapped[str | None] = mapped_column(String(32))
    base_model: Mapped[str] = mapped_column(String(128))
    start_from: Mapped[str | None] = mapped_column(String(64))
    dataset: Mapped[str] = mapped_column(String(128))
    seed: Mapped[int] = mapped_column(BigInteger)
    spec: Mapped[list[Any]] = mapped_column(JSON)
    """The resolved stages."""
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[float | None] = mapped_column(Float(53))
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    max_attempts: Mapped[int] = mapped_column(Integer, server_default="3")
    infra_failures: Mapped[int] = mapped_column(Integer, server_default="0")
    """Lost workers and drains, counted apart from attempts that failed."""
    not_before: Mapped[float] = mapped_column(Float(53), server_default="0")
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

    __table_args__ = (
        Index(
            "one_job_per_device",
            "device",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("jobs_claimable", "state", "priority", "created_at"),
    )


class JobEvent(Base):
    """What happened, written in the transaction of the change itself."""

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
    """What a finished stage left."""

    __tablename__ = "stage_results"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    stage_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    stage: Mapped[str] = mapped_column(String(32))
    adapter_id: Mapped[str | None] = mapped_column(String(64))
    train_seconds: Mapped[float] = mapped_column(Float(53))
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    finished_at: Mapped[float] = mapped_column(Float(53))


class Checkpoint(Base):
    """A whole checkpoint from which another attempt may go on."""

    __tablename__ = "checkpoints"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    stage_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[float] = mapped_column(Float(53))


class Adapter(Base):
    """A published adapter. The path is ours; the id never becomes one."""

    __tablename__ = "adapters"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    stage: Mapped[str] = mapped_column(String(32))
    stage_index: Mapped[int] = mapped_column(Integer)
    base_model: Mapped[str] = mapped_column(String(128))
    parent: Mapped[str | None] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(Text)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Float(53))


class Dataset(Base):
    """Users' own tasks; the file lies with the artifacts under the same name."""

    __tablename__ = "datasets"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(128))
    tasks: Mapped[dict[str, Any]] = mapped_column(JSON)
    categories: Mapped[dict[str, Any]] = mapped_column(JSON)
    duplicates: Mapped[int] = mapped_column(Integer)
    derived: Mapped[int] = mapped_column(Integer)
    unchecked: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[float] = mapped_column(Float(53))


class Worker(Base):
    """A supervisor and its last sign of life."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    host: Mapped[str] = mapped_column(String(128))
    device: Mapped[str] = mapped_column(String(64))
    heartbeat_at: Mapped[float] = mapped_column(Float(53))
    draining: Mapped[bool] = mapped_column(server_default=text("false"))
