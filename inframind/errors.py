"""Defines the error tree of the library: every error a caller may see, and its remedy."""

import errno
import os


class InfraMindError(Exception):
    """InfraMind could not do what was asked."""

    code = "internal_error"

    # The docstring is the message where none is given, so it speaks to the user.
    def __init__(self, message: str = "", *, param: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))
        self.param = param
        """The input field at fault, as the caller wrote it, or None."""


class ConfigError(InfraMindError, ValueError):
    """A setting or a hyperparameter is not usable; the message names it and the remedy."""

    code = "invalid_config"


class DataError(InfraMindError, ValueError):
    """A task, a dataset row or a check is malformed; the message names the row and the field."""

    code = "invalid_data"


class ModelNotFoundError(InfraMindError, LookupError):
    """No such base model or adapter here; GET /models lists those that exist."""

    code = "model_not_found"


class SandboxError(InfraMindError):
    """The verifier's environment failed, such as a worker that was lost or a missing tool:
    the answer is unscorable, not wrong."""

    code = "verifier_unavailable"


class TrainingError(InfraMindError):
    """Training could not go on; the message says at which stage and step, and why."""

    code = "training_failed"


class OutOfMemoryError(TrainingError):
    """Out of memory: lower `batch_size`, `num_generations` or `max_tokens`,
    or set `quantization` to nf4."""

    code = "out_of_memory"


# A quota, as on NFS, has an error of its own.
FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says when a disk is full."""


def is_disk_full(error: BaseException) -> bool:
    """Looks for a full disk at the root: libraries wrap the system's error, or only quote it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL:
            return True
        # SQLAlchemy's own text quotes the statement's values, which a client may have written.
        words = str(getattr(cause, "orig", cause))
        if any(os.strerror(number) in words for number in FULL):
            return True
        # A library that raises anew without `from` leaves the first error in `__context__` alone.
        cause = cause.__cause__ or cause.__context__
    return False


class NoSpaceError(TrainingError):
    """The disk is full: free some space. Nothing that is stored is lost."""

    code = "no_space"


class StoppedError(InfraMindError):
    """The run was asked to stop and has left a whole checkpoint behind."""

    code = "stopped"


class NonFiniteError(InfraMindError):
    """A loss, a gradient or a weight is no finite number (NaN or infinity): lower
    `learning_rate`."""

    code = "non_finite"


class EngineError(InfraMindError):
    """The inference engine could not answer."""

    code = "engine_error"
