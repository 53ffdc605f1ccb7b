"""Errors of the service.

A status, a code, a message that says what to do, and the field at fault.
"""

from inframind.errors import (
    ConfigError,
    DataError,
    EngineError,
    InfraMindError,
    ModelNotFoundError,
    NonFiniteError,
    NoSpaceError,
    SandboxError,
)


class ServiceError(InfraMindError):
    """The request could not be served."""

    code = "internal_error"
    status = 500


class InvalidError(ServiceError):
    """The request is not valid; `param` names the field."""

    code = "invalid_request"
    status = 422


class NotFoundError(ServiceError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class UnknownModelError(NotFoundError):
    """No model has this name."""

    code = "model_not_found"


class UnauthorizedError(ServiceError):
    """No key, or none that is valid."""

    code = "unauthorized"
    status = 401


class ForbiddenError(ServiceError):
    """The key has not the scope that the route needs."""

    code = "forbidden"
    status = 403


class CrossSiteError(ServiceError):
    """Another site's page sent a request that changes something."""

    code = "cross_site"
    status = 403


class MediaTypeError(ServiceError):
    """The route does not take bodies of this content type."""

    code = "unsupported_media_type"
    status = 415


class TooManyRequestsError(ServiceError):
    """A limit is reached; try again after `retry_after` seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConflictError(ServiceError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class InFlightError(ServiceError):
    """The same request is being answered at this moment; try again in a moment."""

    # 409 is the status of draft-ietf-httpapi-idempotency-key-header-07 for a concurrent retry.
    code = "in_flight"
    status = 409


class QuotaError(ServiceError):
    """The owner has as many jobs as they may."""

    code = "quota_exceeded"
    status = 429


class UnavailableError(ServiceError):
    """A part of the service does not answer; try again in a moment."""

    code = "unavailable"
    status = 503


# An OSError too: for whoever copies files, a store that is away is a disk that is away.
class StoreError(UnavailableError, OSError):
    """The store behind the artifacts does not answer; try again in a moment."""

    # An OSError too: whoever copies files meets a broken disk and a broken store alike.
    code = "artifacts_unavailable"


class UnreadableJobError(InfraMindError):
    """The job's rows cannot be read: send it again, or run it with the version that made it."""

    # No ServiceError: no request meets it, it stands in the job's row.
    code = "unreadable_job"


class NotAnsweringError(InfraMindError):
    """The service, or what is at the URL, does not answer as it should."""

    code = "not_answering"


class RefusedError(InfraMindError):
    """The service refuses what a command asked for; the message has its own words."""

    code = "refused"


STATUSES: dict[type[InfraMindError], int] = {
    ConfigError: 422,
    DataError: 422,
    ModelNotFoundError: 404,
    # Not 503: an adapter that is broken for good is not asked again, which clients do after a 5xx.
    NonFiniteError: 422,
    # Not 503: by the next moment nothing has changed, and somebody has to act (RFC 4918, 11.5).
    NoSpaceError: 507,
    # OpenAI's clients try a 503 again by themselves, twice by default.
    SandboxError: 503,
    EngineError: 503,
}
"""The library's errors -> HTTP status."""


def status_of(error: InfraMindError) -> int:
    """Gives the HTTP status of an error."""
    return _status(type(error))


def _status(error: type[InfraMindError]) -> int:
    # By class and not by instance: `kind_of_code` asks without one.
    if issubclass(error, ServiceError):
        return error.status
    return next((status for kind, status in STATUSES.items() if issubclass(error, kind)), 500)


def kind_of(status: int) -> str:
    """OpenAI's `type` of an error."""
    # OpenAI's clients choose their exception by the status; this text is for people and logs.
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")


def kind_of_code(code: str) -> str:
    """OpenAI's `type` of the errors with a code. Raises KeyError if no error has it."""
    kinds, todo = {}, [InfraMindError]
    while todo:
        error = todo.pop()
        kinds[error.code] = kind_of(_status(error))
        todo += error.__subclasses__()
    return kinds[code]


def described(error: InfraMindError) -> dict[str, str | None]:
    """Gives the body of an error's answer."""
    return {
        "code": error.code,
        "message": str(error),
        "param": error.param,
        "type": kind_of(status_of(error)),
    }
