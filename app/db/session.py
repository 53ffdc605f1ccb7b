"""Engines and transactions. SQLite runs in WAL mode with full sync, and every transaction that writes starts as a writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch from clock_timestamp())",
}
"""Seconds since the epoch by the database's clock."""


def make_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver would begin transactions late, as readers; ours begin below.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def now_sql(engine: Engine) -> str:
    """The SQL text of the database's clock."""
    return NOW[engine.dialect.name]


def database_now(session: Session) -> float:
    """The database's clock."""
    engine = session.get_bind()
    return float(session.scalar(text(f"SELECT {NOW[engine.dialect.name]}")))


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back on an exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A transaction that only reads, and waits for no writer."""
    with Session(engine.execution_options(read_only=True), expire_on_commit=False) as session, session.begin():
        yield session
