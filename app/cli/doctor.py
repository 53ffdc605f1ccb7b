"""`inframind doctor`: whether an installation has what it needs, and what to do where it has not."""

import importlib.metadata
import importlib.util
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from app.settings import Settings

State = Literal["ok", "warning", "failed"]
PYTHON = (3, 11)
FREE_BYTES = 5_000_000_000
"""Weights, checkpoints and adapters of a small model."""
TIMEOUT_SECONDS = 3.0
TOOLS = {
    "docker": "the production service in containers",
    "terraform": "tests that hold the verifier against terraform itself",
}
PARTS = {
    "library": ("pydantic", "typer"),
    "service": ("fastapi", "sqlalchemy", "httpx"),
    "train": ("torch", "trl", "peft"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    text: str
    remedy: str = ""


def examine(settings: Settings, only: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Everything in turn, or what `only` names. A check that finds nothing to look at is silent."""
    for name, check in CHECKS.items():
        if not only or name in only:
            yield from check(settings)


def _python(_: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < PYTHON:
        yield Finding(
            "python",
            "failed",
            f"Python {version}",
            "install Python 3.11 or newer, then make the environment again",
        )
    else:
        yield Finding("python", "ok", f"Python {version}")


def _packages(_: Settings) -> Iterator[Finding]:
    for part, modules in PARTS.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            needed = (
                "the trainer and the embedded inference server need it"
                if part == "train"
                else "the service needs it"
            )
            state: State = "warning" if part == "train" else "failed"
            yield Finding(
                "packages",
                state,
                f"{', '.join(missing)} missing; {needed}",
                f"pip install 'inframind[{part}]'",
            )
    if importlib.util.find_spec("torch"):
        yield Finding("packages", "ok", f"torch {importlib.metadata.version('torch')}")


def _gpu(_: Settings) -> Iterator[Finding]:
    if not importlib.util.find_spec("torch"):
        return
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        yield Finding(
            "gpu",
            "ok",
            f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free",
        )
    elif shutil.which("nvidia-smi"):
        yield Finding(
            "gpu",
            "failed",
            "nvidia-smi is there, and torch sees no GPU",
            "install a torch that is built for this driver's CUDA",
        )
    else:
        yield Finding(
            "gpu",
            "warning",
            "no GPU: training runs on the CPU",
            "fine for inframind-nano; larger models need a GPU",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.migrate import head, is_current
    from app.db.session import make_engine

    kind = settings.url.partition(":")[0]
    if kind == "sqlite" and not (settings.data_dir / "inframind.db").is_file():
        yield Finding("database", "warning", "no database yet", "`inframind up` makes one")
        return
    engine = make_engine(settings.url)
    try:
        if is_current(engine):
            yield Finding("database", "ok", f"{kind}, at migration {head()}")
        else:
            yield Finding(
                "database",
                "failed",
                f"{kind} is not at migration {head()}",
                "run `inframind db upgrade`",
            )
    except SQLAlchemyError as error:
        remedy = "start the database, or correct INFRAMIND_DATABASE_URL"
        yield Finding(
            "database", "failed", f"{kind} does not answer ({type(error).__name__})", remedy
        )
    finally:
        engine.dispose()


def _redis(settings: Settings) -> Iterator[Finding]:
    url = settings.redis_url.get_secret_value()
    if not url:
        return
    import redis

    try:
        with closing(
            redis.Redis.from_url(
                url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
            )
        ) as client:
            client.ping()
            yield Finding("redis", "ok", f"Redis {client.info('server')['redis_version']}")
    except redis.RedisError as error:
        remedy = "start Redis, or correct INFRAMIND_REDIS_URL; jobs are accepted meanwhile, and run when it is back"
        yield Finding("redis", "failed", f"Redis does not answer ({type(error).__name__})", remedy)


def _inference(settings: Settings) -> Iterator[Finding]:
    import httpx

    try:
        answer = httpx.get(
            f"{settings.inference_url}/health", timeout=TIMEOUT_SECONDS, trust_env=False
        )
        answer.raise_for_status()
        yield Finding("inference", "ok", f"{settings.inference_url} answers")
    except httpx.HTTPError as error:
        remedy = "start `inframind up` or vLLM, or correct INFRAMIND_INFERENCE_URL; without it only /generate is missing"
        yield Finding(
            "inference",
            "warning",
            f"{settings.inference_url} does not answer ({type(error).__name__})",
            remedy,
        )


def _worker(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.session import database_now, make_engine, reading
    from app.db.tables import Worker
    from app.jobs.service import WORKER_SILENT_SECONDS

    engine = make_engine(settings.url)
    try:
        with reading(engine) as session:
            last = session.scalars(
                select(Worker.heartbeat_at).where(Worker.host == socket.gethostname())
            ).all()
            silence = database_now(session) - max(last, default=0.0)
        if silence < WORKER_SILENT_SECONDS:
            yield Finding("worker", "ok", f"the last sign of life came {silence:.0f} s ago")
        else:
            yield Finding(
                "worker",
                "warning",
                "no worker of this host gives a sign of life",
                "start `inframind up` or the worker",
            )
    except SQLAlchemyError:
        yield Finding(
            "worker", "warning", "workers cannot be seen without the database", "see `database`"
        )
    finally:
        engine.dispose()


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = next(
        path
        for path in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents)
        if path.is_dir()
    )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        remedy = "give its user the folder, or set another INFRAMIND_DATA_DIR"
        yield Finding("disk", "failed", f"{folder} cannot be written ({error.strerror})", remedy)
        return
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        yield Finding(
            "disk",
            "warning",
            f"{free / 1e9:.1f} GB free in {folder}",
            "free some space: checkpoints need it",
        )
    else:
        yield Finding("disk", "ok", f"{free / 1e9:.0f} GB free in {folder}")


def _weights(settings: Settings) -> Iterator[Finding]:
    from inframind.models.registry import BASE_MODELS, is_available

    for name in BASE_MODELS:
        if is_available(name):
            yield Finding("weights", "ok", f"{name} is here")
        else:
            state: State = "failed" if name == settings.inference_base_model else "warning"
            yield Finding(
                "weights", state, f"{name} is not in the hub's cache", f"run `hf download {name}`"
            )


def _tools(_: Settings) -> Iterator[Finding]:
    for name, use in TOOLS.items():
        if shutil.which(name):
            yield Finding("tools", "ok", f"{name} is here")
        else:
            yield Finding(
                "tools",
                "warning",
                f"no {name}: it is for {use}",
                f"install {name}, if you want that",
            )


def _keys(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.session import make_engine
    from app.keys import check_start
    from inframind.errors import ConfigError

    if settings.is_open:
        yield Finding("keys", "ok", "open on this machine's loopback alone")
        return
    engine = make_engine(settings.url)
    try:
        check_start(engine, settings)
        yield Finding("keys", "ok", "requests need a key")
    except ConfigError as error:
        yield Finding("keys", "failed", str(error), "run `inframind keys create --scope admin`")
    except SQLAlchemyError:
        yield Finding(
            "keys", "warning", "keys cannot be seen without the database", "see `database`"
        )
    finally:
        engine.dispose()


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "python": _python, "packages": _packages, "gpu": _gpu, "database": _database, "keys": _keys, "redis": _redis, "worker": _worker,
    "inference": _inference, "disk": _disk, "weights": _weights, "tools": _tools,
}  # fmt: skip
