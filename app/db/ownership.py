"""Whose rows a request sees and writes: one rule on every session, so that no new route can forget it.

The api's gate says who acts; workers and commands act for nobody and see everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import String, event
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria


@dataclass(frozen=True)
class Acting:
    """On whose behalf the database is used."""

    owner: str | None = None
    """Owner of the rows that are made; None: nobody."""
    sees_all: bool = False
    """Whether others' rows are there too."""
    request_id: str | None = None


acting: ContextVar[Acting] = ContextVar("acting", default=Acting(sees_all=True))  # noqa: B039 - it is frozen


@contextmanager
def seeing_all() -> Iterator[None]:
    """Others' rows count too: whether a thing is still needed is nobody's private matter."""
    token = acting.set(replace(acting.get(), sees_all=True))
    try:
        yield
    finally:
        acting.reset(token)


class Owned:
    """A table whose rows belong to the owner of the key that made them."""

    owner: Mapped[str | None] = mapped_column(String(64))


@event.listens_for(Session, "do_orm_execute")
def _only_own(state: ORMExecuteState) -> None:
    who = acting.get()
    if who.sees_all or state.is_column_load:
        return
    owner = who.owner
    state.statement = state.statement.options(with_loader_criteria(Owned, lambda table: table.owner == owner, include_aliases=True))


@event.listens_for(Session, "before_flush")
def _mark(session: Session, *_: Any) -> None:
    owner = acting.get().owner
    for row in session.new if owner is not None else ():
        if isinstance(row, Owned) and row.owner is None:
            row.owner = owner
