"""Whose rows a request sees and writes.

One rule on every session, so that no new route can forget it.

The api's gate says who acts; workers and commands act for nobody and see everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, bindparam, event, inspect, or_
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption


@dataclass(frozen=True)
class Acting:
    """On whose behalf the database is used."""

    owner: str | None = None
    """Owner of the rows that are made; None: nobody."""
    sees_all: bool = False
    """Whether others' rows are there too."""
    request_id: str | None = None
    made: list[str] | None = None
    """Gets the ids of the rows that are made."""
    key: str | None = None
    """Id of the key, by which places are shared; None: there are no keys."""


# Every context may share the default, for it is frozen.
acting: ContextVar[Acting] = ContextVar("acting", default=Acting(sees_all=True))  # noqa: B039


def as_key(owner: str | None) -> str:
    """Gives the owner as primary keys have it: nobody, who is NULL elsewhere, is "" in a key."""
    return owner or ""


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


@lru_cache(maxsize=4096)
def _rows_of(owner: str | None) -> ExecutableOption:
    """The filter of one owner; made once, for that is its costly part."""
    return with_loader_criteria(Owned, lambda table: table.owner == owner, include_aliases=True)


def visible(owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """Builds the same rule for a statement without entities; it runs with the values of `asker`."""
    return or_(
        bindparam("asker_sees_all", type_=Boolean), owner.is_not_distinct_from(bindparam("asker"))
    )


def asker() -> dict[str, Any]:
    """The parameters of `visible`."""
    who = acting.get()
    return {"asker": who.owner, "asker_sees_all": who.sees_all}


@event.listens_for(Session, "do_orm_execute")
def _only_own(state: ORMExecuteState) -> None:
    who = acting.get()
    # Statements on bare tables know no entities: they ask for `visible` themselves.
    if who.sees_all or state.is_column_load or not state.is_orm_statement:
        return
    state.statement = state.statement.options(_rows_of(who.owner))


@event.listens_for(Session, "before_flush")
def _mark(session: Session, *_: Any) -> None:
    who = acting.get()
    for row in session.new:
        if isinstance(row, Owned):
            row.owner = who.owner if row.owner is None else row.owner
            if who.made is not None:
                who.made.append(inspect(row).mapper.primary_key_from_instance(row)[0])
