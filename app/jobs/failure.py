"""Why an attempt at a job ended without success, and what follows from it.

One class for the trainer that reports it, the state machine that acts on it, and the job's row.
"""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict

from app.db.storable import made_storable
from app.views import ErrorBody

MAX_MESSAGE = 2000


def _at_most(length: int) -> Callable[[object], object]:
    def shortened(text: object) -> object:
        # Cleaned after the cut: a replacement is one character, as what it replaces.
        return made_storable(text[:length]) if isinstance(text, str) else text

    return shortened


# The lengths of the row's columns, which PostgreSQL holds texts to and SQLite does not.
Code: TypeAlias = Annotated[str, BeforeValidator(_at_most(64))]
Message: TypeAlias = Annotated[str, BeforeValidator(_at_most(MAX_MESSAGE))]
Param: TypeAlias = Annotated[str, BeforeValidator(_at_most(128))]


class Failure(ErrorBody):
    """Tells the user the cause, the field at fault and the remedy, and the service what to do next.

    Texts are made what the job's row holds: a trainer quotes what a library said, which may be long
    and may quote bytes.
    """

    model_config = ConfigDict(frozen=True)

    code: Code
    message: Message
    param: Param | None = None
    then: Literal["retry", "pause", "fail"] = "fail"
    """Another attempt may fare better; a person must help first; or the job is hopeless."""


DEADLINE_EXCEEDED = Failure(
    code="deadline_exceeded",
    message="the job had not ended by its deadline: give it more `deadline_seconds`",
    param="deadline_seconds",
)
WORKER_DRAINED = Failure(code="worker_drained", message="the worker was stopped", then="retry")
LEASE_NOT_RENEWED = Failure(
    code="lease_not_renewed", message="the lease was not renewed in time", then="retry"
)
