"""The base of every answer, and the form of every error."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(View):
    """What went wrong and what to do."""

    code: str
    message: str
    param: str | None = None


class ErrorDetail(ErrorBody):
    """The same as an answer."""

    type: str
    """OpenAI's kind of error, such as `invalid_request_error`."""


class ErrorView(View):
    """The form of every error."""

    error: ErrorDetail
