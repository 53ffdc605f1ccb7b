"""Finds how this copy was installed, and words missing packages (docs/installation.md)."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from inframind.errors import ConfigError

EXTRAS = {
    "rego": ("regopy",),
    "service": (
        "fastapi", "uvicorn", "sse_starlette", "aiohttp", "httpx", "httpx_sse", "sqlalchemy",
        "alembic", "pydantic_settings", "structlog", "limits", "prometheus_client", "tokenizers",
    ),
    "train": ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes"),
    "production": ("psycopg", "celery", "redis", "fsspec", "s3fs"),
}  # fmt: skip
"""Extra of pyproject.toml -> the modules that it brings."""


def checkout() -> Path | None:
    """Give the root of the checkout or image that this runs from; None for the library alone."""
    root = Path(__file__).resolve().parents[1]
    has_service = (root / "pyproject.toml").is_file() and (root / "app" / "cli").is_dir()
    return root if has_service else None


def missing(extra: str) -> list[str]:
    """List the modules of an extra that are not installed."""
    # Looked for, not imported: torch alone takes seconds.
    return [module for module in EXTRAS[extra] if find_spec(module) is None]


def extra_of(module: str | None) -> str | None:
    """Name the extra that brings a module; None for a module of no extra."""
    package = (module or "").partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if package in modules), None)


def how_to_install(extra: str) -> str:
    """Say what installs an extra. No index has this distribution, so nothing here names one."""
    return (
        f"in a checkout of the repository run `pip install -e '.[{extra}]'`, "
        "or `make install` for everything"
    )


def missing_packages(modules: Iterable[str], extra: str) -> str:
    """Name the modules that are not installed and what installs them."""
    return f"not installed: {', '.join(modules)}; {how_to_install(extra)}"


def no_service(command: str) -> str:
    """Say how to get the service, to one who has the library alone."""
    return (
        f"`inframind {command}` belongs to the service, and this is the library alone: clone the "
        "repository and run `make install` there, or use an image (docs/installation.md)"
    )


def require(*extras: str) -> None:
    """Raise ConfigError with the remedy if an extra is not whole."""
    for extra in extras:
        if modules := missing(extra):
            raise ConfigError(missing_packages(modules, extra))
