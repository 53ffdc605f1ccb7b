"""One page of any list: the rows behind a given one, by the keys that order the list.

The database is asked for one page and one row more, which tells whether there are others. A list's
keys end with one that no two rows share, so that no row is on two pages or on none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import InvalidError
from app.views import PageRequest

Row = TypeVar("Row")
Position = Sequence[Any]
"""The values of a row's keys."""


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """One page of rows."""

    rows: list[Row]
    has_more: bool


def no_such_row() -> InvalidError:
    """The refusal of an `after` that no row of the list has."""
    return InvalidError(
        "`after` must be the id of the last row of the page before (`last_id`);"
        " leave it out for the first page",
        param="after",
    )


def read_page(
    session: Session,
    query: Select[Row],
    keys: Sequence[InstrumentedAttribute[Any]],
    page: PageRequest,
    position: Callable[[str], Position | None],
    *,
    descending: bool = False,
) -> Slice[Row]:
    """Reads one page of the rows of `query`; `position` gives the keys of the row with an id.

    Raises InvalidError if no row has the id that the page begins behind.
    """
    if page.after is not None:
        # PostgreSQL takes no NUL in a text, and no id of ours has anything but printable ASCII.
        is_plain = page.after.isascii() and page.after.isprintable()
        values = position(page.after) if is_plain else None
        if values is None:
            raise no_such_row()
        here, behind = tuple_(*keys), tuple_(*values)
        query = query.where(here < behind if descending else here > behind)
    ordered = query.order_by(*(key.desc() if descending else key for key in keys))
    rows = list(session.scalars(ordered.limit(page.limit + 1)))
    return Slice(rows[: page.limit], len(rows) > page.limit)


def stored_position(
    session: Session,
    keys: Sequence[InstrumentedAttribute[Any]],
    *conditions: ColumnElement[bool],
) -> Position | None:
    """Reads the keys of the one row that meets the conditions; None: there is none."""
    row = session.execute(select(*keys).where(*conditions).limit(1)).first()
    return None if row is None else tuple(row)
