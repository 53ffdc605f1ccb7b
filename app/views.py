"""The base of every answer, the form of every list and of every error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


Row = TypeVar("Row", bound=View)
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000


@dataclass(frozen=True)
class PageRequest:
    """Page that a list route has to give: up to `limit` rows behind the row with the id `after`."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None


class Page(View, Generic[Row]):
    """One page of a list. `last_id` is the next page's `after`."""

    object: Literal["list"] = "list"
    data: list[Row]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, rows: Sequence[Row], ids: Sequence[str], *, has_more: bool) -> Self:
        """Builds the page of some rows and their ids."""
        first_id, last_id = (ids[0], ids[-1]) if ids else (None, None)
        return cls(data=list(rows), first_id=first_id, last_id=last_id, has_more=has_more)


class ErrorBody(View):
    """Error of an answer: what went wrong and what to do."""

    code: str
    message: str
    param: str | None = None


class ErrorDetail(ErrorBody):
    """An error as it is sent."""

    type: str
    """OpenAI's kind of error, such as `invalid_request_error`."""


class ErrorView(View):
    """The form of every error."""

    error: ErrorDetail
