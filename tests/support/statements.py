"""What a database is asked, and how it goes about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event


class Sent(NamedTuple):
    """A statement and its values, as the driver gets them."""

    text: str
    values: Any


@contextmanager
def statements(engine: Engine) -> Iterator[list[Sent]]:
    """What is sent to the database meanwhile."""
    sent: list[Sent] = []

    def note(*arguments: Any) -> None:
        sent.append(Sent(arguments[2], arguments[3]))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def plan(engine: Engine, sent: Sent) -> str:
    """How the database would go about a statement."""
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {sent.text}", sent.values)
        return "\n".join(str(row[-1]) for row in rows)
