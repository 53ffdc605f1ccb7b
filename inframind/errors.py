"""Defines the error tree of the library: every error a caller may see, and its remedy."""

import errno


class InfraMindError(Exception):
    """InfraMind could not do what was asked."""

    code = "internal_error"

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


class NoSpaceError(TrainingError):
    """The disk of the artifacts is full: free some space."""

    code = "no_space"


class StoppedError(InfraMindError):
    """The run was asked to stop and has left a whole checkpoint behind."""

    code = "stopped"


class EngineError(InfraMindError):
    """The inference engine could not answer."""

    code = "engine_error"
