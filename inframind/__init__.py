"""Small language models for Infrastructure as Code, rewarded by real validation.

The names below are the library's public ones (docs/python.md). Each is imported when it is first
asked for, so that `import inframind` loads neither pydantic nor torch. The library knows no
service, no database and no queue.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inframind.errors import ConfigError, DataError, InfraMindError
    from inframind.types import Check, CheckResult, Finding, Outcome, Task, Verdict, VerifyRequest
    from inframind.verifier.verifier import Verifier, verify

__version__ = "0.1.0"
__all__ = [
    "Check",
    "CheckResult",
    "ConfigError",
    "DataError",
    "Finding",
    "InfraMindError",
    "Outcome",
    "Task",
    "Verdict",
    "Verifier",
    "VerifyRequest",
    "__version__",
    "verify",
]

_BIRTHPLACES = {
    "inframind.errors": ("ConfigError", "DataError", "InfraMindError"),
    "inframind.types": (
        "Check",
        "CheckResult",
        "Finding",
        "Outcome",
        "Task",
        "Verdict",
        "VerifyRequest",
    ),
    "inframind.verifier.verifier": ("Verifier", "verify"),
}


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use (PEP 562). Raises AttributeError for any other."""
    for module, names in _BIRTHPLACES.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Without what this file itself imports: `inframind.Any` is nobody's name.
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
