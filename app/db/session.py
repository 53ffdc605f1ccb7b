"""Engines and transactions.

SQLite runs in WAL mode with full sync, and every transaction that writes starts as a writer.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from select import POLLIN, poll
from typing import Any, TypeVar

from sqlalchemy import Engine, Float, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""Errors while the database does not answer, or no connection of the pool comes free in time."""
# psycopg and sqlite3 raise Python's own errors for lone surrogates and for integers over 64 bits.
REFUSED_BY_DATABASE = (StatementError, OverflowError, UnicodeError)
"""Errors of a value that no column holds. DATABASE_AWAY is among them: catch it before."""


FULL_BY_SQLITE = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
"""The second is told as "disk I/O error": there is no room for the 32 KB of the log's index, which
the first connection makes (sqlite.org/walformat.html)."""
FULL_BY_POSTGRES = "53100"


def is_database_full(error: BaseException) -> bool:
    """Tells whether the database has no room to write, which no waiting mends."""
    cause = getattr(error, "orig", error)
    return (
        getattr(cause, "sqlite_errorname", None) in FULL_BY_SQLITE
        or getattr(cause, "sqlstate", None) == FULL_BY_POSTGRES
    )


def absence(error: BaseException) -> str:
    """Says for a log why the database is away: whether somebody must act, or only wait."""
    return "its disk is full" if is_database_full(error) else type(error).__name__


class now(FunctionElement[float]):  # noqa: N801 - an SQL function, as SQLAlchemy writes them
    """Seconds since the epoch by the database's clock."""

    type = Float(53)
    inherit_cache = True


@compiles(now, "sqlite")
def _now_in_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_in_postgresql(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"


NOW = select(now())

POSTGRES = "-c idle_in_transaction_session_timeout=10s -c lock_timeout=10s -c statement_timeout=60s"
"""A worker that is stopped in the middle of a transaction must not keep its row's lock from those
that take its job over."""

# Python's own form has NaN, which PostgreSQL refuses and SQLite keeps for a later reader to meet.
STRICT_JSON = partial(json.dumps, allow_nan=False)


def make_engine(url: str) -> Engine:
    """Makes an engine for SQLite or PostgreSQL (psycopg). Raises ArgumentError for another URL."""
    if not url.startswith("sqlite"):
        # Keep-alives: a connection whose other end has vanished is noticed within half a minute.
        alive = {
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        connect = {"connect_timeout": 5, "options": POSTGRES, **alive}
        address = make_url(url)
        if address.get_backend_name() not in ("postgresql", "postgres"):
            raise ArgumentError(f"{address.get_backend_name()} is neither sqlite nor postgresql")
        driver = address.set(drivername="postgresql+psycopg")
        engine = create_engine(
            driver,
            pool_size=20,
            max_overflow=20,
            pool_timeout=5.0,
            connect_args=connect,
            json_serializer=STRICT_JSON,
        )
        event.listen(engine, "checkout", _refuse_dead)
        return engine
    lite = {"timeout": 10, "check_same_thread": False}
    engine = create_engine(url, connect_args=lite, json_serializer=STRICT_JSON)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver would begin transactions late, as readers; ours begin below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _refuse_dead(connection: Any, *_: Any) -> None:
    """Refuses a dead connection as SQLAlchemy's ping does, without a question to the server.

    A connection that it has closed has its end to be read.
    """
    waiting = poll()
    if not connection.closed:
        waiting.register(connection.fileno(), POLLIN)
    if connection.closed or waiting.poll(0):
        raise DisconnectionError


def database_now(session: Session) -> float:
    """Gives the time of the database's clock, in seconds since 1970."""
    return float(session.execute(NOW).scalar_one())


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back on an exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Only reads, and waits for no writer.

    A transaction of SQLite's; PostgreSQL's default isolation sees no more in one.
    """
    with Session(_reader(engine), expire_on_commit=False) as session, session.begin():
        yield session


Row = TypeVar("Row", bound=object)


def add_once(session: Session, row: Row) -> Row:
    """Adds a row, or gives the one with its key that another transaction added a moment ago."""
    key = inspect(type(row)).primary_key_from_instance(row)
    try:
        # A savepoint: PostgreSQL takes no further statement in a transaction that has failed.
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return session.get_one(type(row), tuple(key))
    return row


@lru_cache(maxsize=8)
def _reader(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        return engine.execution_options(read_only=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")
