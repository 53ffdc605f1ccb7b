"""Clocks that a test sets: a process's monotonic one, and the dates that processes and databases
tell."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

DAY = 86_400.0
STEP_FILE = "TESTS_CLOCK_STEP"
"""Variable that names a process's step; the trainers, whose variables are chosen, do not see it."""
SHADOW = """
CREATE SCHEMA stepped;
CREATE TABLE stepped.step (seconds float8 NOT NULL);
INSERT INTO stepped.step VALUES (0);
GRANT USAGE ON SCHEMA stepped TO PUBLIC;
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + (SELECT seconds FROM stepped.step) * interval '1 s' $$;
"""


@dataclass
class ManualClock:
    """A monotonic clock that goes on when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds


class Step:
    """By how many seconds some clock is wrong: a file, so that every process can follow it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, seconds: float) -> None:
        temporary = self.file.with_suffix(".new")
        temporary.write_text(str(seconds))
        temporary.rename(self.file)

    def read(self) -> float:
        return float(self.file.read_text())


def follow(step: Step, databases: Any = Engine) -> None:
    """Makes this process, and the SQLite connections it opens, tell a date with the step.

    `databases` is an engine if the process itself is to keep its date.
    """
    real = time.time

    def stepped() -> float:
        return real() + step.read()

    @event.listens_for(databases, "connect")
    def prepare(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.create_function("julianday", 1, lambda _: stepped() / DAY + 2440587.5)

    if databases is Engine:
        time.time = stepped


def set_database(engine: Engine, folder: Path) -> Callable[[float], None]:
    """Gives a function that sets the database's clock by so many seconds, for all who ask it.

    Of SQLite these are the engine's connections: a process's own clock is its database's.
    """
    if engine.dialect.name == "sqlite":
        step = Step(folder / "database-step")
        step.set(0.0)
        engine.dispose()
        follow(step, engine)
        return step.set
    with engine.begin() as connection:
        connection.exec_driver_sql(SHADOW)
        # A schema that is named before pg_catalog goes before it: this one's function is found.
        connection.exec_driver_sql(
            f'ALTER DATABASE "{engine.url.database}" SET search_path = stepped, pg_catalog, public'
        )
    engine.dispose()

    def set_step(seconds: float) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE stepped.step SET seconds = :by"), {"by": seconds})

    return set_step
