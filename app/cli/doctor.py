"""`inframind doctor`: look at an installation, and say what to do where it lacks something."""

import importlib.metadata
import importlib.util
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from app.cli.output import console
from inframind.errors import ConfigError
from inframind.installation import how_to_install, missing

if TYPE_CHECKING:
    from app.settings import Settings

app = typer.Typer()

State = Literal["ok", "warning", "unseen", "failed"]
PYTHON = (3, 11)
FREE_BYTES = 5_000_000_000
"""Weights, checkpoints and adapters of a small model."""
TIMEOUT_SECONDS = 3.0
TOOLS = {
    "docker": "the production service in containers",
    "terraform": "tests that hold the verifier against terraform itself",
}
SIGNS = {
    "ok": "[green]ok     [/green]",
    "warning": "[yellow]warning[/yellow]",
    "unseen": "[yellow]unseen [/yellow]",
    "failed": "[red]failed [/red]",
}


@dataclass(frozen=True)
class Diagnosis:
    """The state of one thing that was looked at, with a remedy where it is not well."""

    name: str
    state: State
    text: str
    remedy: str = ""


@app.command()
def doctor(
    only: Annotated[str | None, typer.Option(help="Names of checks, separated by commas.")] = None,
) -> None:
    """Check this installation and name the remedies.

    Ends with 1 if something that is needed is missing.
    """
    chosen = frozenset(only.split(",") if only else ())
    if unknown := chosen - set(CHECKS):
        raise ConfigError(
            f"unknown check {', '.join(sorted(unknown))}; known: {', '.join(CHECKS)}",
            param="--only",
        )
    failed = False
    for diagnosis in diagnose(chosen):
        failed |= diagnosis.state == "failed"
        console.print(f"{SIGNS[diagnosis.state]} {diagnosis.name:<10} {escape(diagnosis.text)}")
        if diagnosis.remedy:
            console.print(f"                   -> {escape(diagnosis.remedy)}")
    # Health checks read the exit status and nothing else.
    raise typer.Exit(1 if failed else 0)


def diagnose(only: frozenset[str] = frozenset()) -> Iterator[Diagnosis]:
    """Examine this installation by its own settings, as far as they can be read."""
    # The settings themselves need a package that the library alone does not bring.
    if missing("service"):
        yield from examine(None, only)
        return
    from app.settings import settings

    try:
        configured = settings()
    except ConfigError as error:
        remedy = "correct the variable; docs/production/settings.md has every one"
        yield Diagnosis("settings", "failed", str(error), remedy)
        # A broken variable must not hide what needs no settings, such as a missing package.
        yield from examine(None, only)
        return
    yield from examine(configured, only)


def examine(settings: "Settings | None", only: frozenset[str] = frozenset()) -> Iterator[Diagnosis]:
    """Make every check in turn, or those that `only` names.

    A check that finds nothing to look at is silent, and so is one that lacks its settings.
    """
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        if settings is not None:
            for diagnosis in check(settings):
                yield _as_asked_for(diagnosis) if only else diagnosis
        elif check in NEED_NO_SETTINGS:
            yield from check(None)


def _as_asked_for(diagnosis: "Diagnosis") -> "Diagnosis":
    """Make a failure of a process that does not live, where somebody asks for this very one.

    Not every installation runs every process: without being asked it is only a warning. Health
    checks ask by name, and end by the exit status alone.
    """
    if diagnosis.name in PROCESSES and diagnosis.state == "warning":
        return replace(diagnosis, state="failed")
    return diagnosis


def _python(_: "Settings | None") -> Iterator[Diagnosis]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < PYTHON:
        yield Diagnosis(
            "python",
            "failed",
            f"Python {version}",
            "install Python 3.11 or newer, then make the environment again",
        )
    else:
        yield Diagnosis("python", "ok", f"Python {version}")


def _packages(_: "Settings | None") -> Iterator[Diagnosis]:
    needs: dict[str, tuple[State, str]] = {
        "service": ("failed", "the service needs it"),
        "train": ("warning", "the trainer and the embedded inference server need it"),
    }
    for extra, (state, use) in needs.items():
        if modules := missing(extra):
            text = f"{', '.join(modules)} missing; {use}"
            yield Diagnosis("packages", state, text, how_to_install(extra))
    # Finding it loads nothing; importing it takes seconds.
    if importlib.util.find_spec("torch"):
        yield Diagnosis("packages", "ok", f"torch {importlib.metadata.version('torch')}")


def _gpu(_: "Settings | None") -> Iterator[Diagnosis]:
    # Looked for and not imported: torch takes seconds.
    if not importlib.util.find_spec("torch"):
        return
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        yield Diagnosis(
            "gpu",
            "ok",
            f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free",
        )
    elif shutil.which("nvidia-smi"):
        yield Diagnosis(
            "gpu",
            "failed",
            "nvidia-smi is there, and torch sees no GPU",
            "install a torch that is built for this driver's CUDA",
        )
    else:
        yield Diagnosis(
            "gpu",
            "warning",
            "no GPU: training runs on the CPU",
            "fine for inframind-nano; larger models need a GPU",
        )


def _database(settings: "Settings") -> Iterator[Diagnosis]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.migrate import head, is_current
    from app.db.session import make_engine

    kind = settings.url.partition(":")[0]
    if _has_no_database(settings):
        yield Diagnosis("database", "warning", "no database yet", "`inframind up` makes one")
        return
    engine = make_engine(settings.url)
    try:
        if is_current(engine):
            yield Diagnosis("database", "ok", f"{kind}, at migration {head()}")
        else:
            yield Diagnosis(
                "database",
                "failed",
                f"{kind} is not at migration {head()}",
                "run `inframind db upgrade`",
            )
    except SQLAlchemyError as error:
        remedy = "start the database, or correct INFRAMIND_DATABASE_URL"
        yield Diagnosis(
            "database", "failed", f"{kind} does not answer ({type(error).__name__})", remedy
        )
    finally:
        engine.dispose()


def _has_no_database(settings: "Settings") -> bool:
    """Tells whether SQLite has no file yet: it would make an empty one of a mere question."""
    from sqlalchemy import make_url

    url = make_url(settings.url)
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file()


def _redis(settings: "Settings") -> Iterator[Diagnosis]:
    url = settings.redis_url.get_secret_value()
    if not url:
        return
    import redis

    try:
        # With limits of our own: redis-py waits for ever where a firewall drops what it sends.
        with closing(
            redis.Redis.from_url(
                url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
            )
        ) as client:
            client.ping()
            yield Diagnosis("redis", "ok", f"Redis {client.info('server')['redis_version']}")
    except redis.RedisError as error:
        remedy = (
            "start Redis, or correct INFRAMIND_REDIS_URL; "
            "jobs are accepted meanwhile, and run when it is back"
        )
        yield Diagnosis(
            "redis", "failed", f"Redis does not answer ({type(error).__name__})", remedy
        )


def _inference(settings: "Settings") -> Iterator[Diagnosis]:
    import httpx

    # `inframind up` gives its inference server any free port, which its api alone is told.
    with suppress(httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        ready = httpx.get(f"{settings.local_url}/readyz", timeout=TIMEOUT_SECONDS, trust_env=False)
        if ready.json()["parts"]["inference"]:
            yield Diagnosis("inference", "ok", f"the service on {settings.local_url} reaches it")
            return
    try:
        # Without the environment's proxy, which cannot reach an address of this host's network.
        answer = httpx.get(
            f"{settings.inference_url}/health", timeout=TIMEOUT_SECONDS, trust_env=False
        )
        answer.raise_for_status()
        yield Diagnosis("inference", "ok", f"{settings.inference_url} answers")
    except httpx.HTTPError as error:
        remedy = (
            "start `inframind up` or vLLM, or correct INFRAMIND_INFERENCE_URL; "
            "without it only /generate is missing"
        )
        yield Diagnosis(
            "inference",
            "warning",
            f"{settings.inference_url} does not answer ({type(error).__name__})",
            remedy,
        )


def _worker(settings: "Settings") -> Iterator[Diagnosis]:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.session import DATABASE_AWAY, database_now, make_engine, reading
    from app.db.tables import Worker
    from app.jobs.service import WORKER_SILENT_SECONDS

    silent = Diagnosis(
        "worker",
        "warning",
        "no worker of this host gives a sign of life",
        "start `inframind up` or the worker",
    )
    if _has_no_database(settings):
        yield silent
        return
    engine = make_engine(settings.url)
    try:
        with reading(engine) as session:
            last = session.scalars(
                select(Worker.heartbeat_at).where(Worker.host == socket.gethostname())
            ).all()
            now = database_now(session)
            # The nearest one: a dead worker's lies ahead of us where the clock was set back.
            silence = min((abs(now - sign) for sign in last), default=now)
        if silence < WORKER_SILENT_SECONDS:
            text = f"the last sign of life came {silence:.0f} s ago"
            yield Diagnosis("worker", "ok", text)
        else:
            yield silent
    except SQLAlchemyError as error:
        # A worker waits for a database server that is away, and must not be taken for dead then:
        # whoever ends it ends the job in its hands. A file that cannot be read is another matter.
        is_away = isinstance(error, DATABASE_AWAY) and engine.dialect.name != "sqlite"
        text = "workers cannot be seen without the database"
        yield Diagnosis("worker", "unseen" if is_away else "warning", text, "see `database`")
    finally:
        engine.dispose()


def _disk(settings: "Settings") -> Iterator[Diagnosis]:
    # The data folder itself may be made only later, by `inframind up`.
    folder = next(
        path
        for path in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents)
        if path.is_dir()
    )
    try:
        # Permission bits say little to root, on NFS and on read-only mounts: only a write tells.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        remedy = "give its user the folder, or set another INFRAMIND_DATA_DIR"
        yield Diagnosis("disk", "failed", f"{folder} cannot be written ({error.strerror})", remedy)
        return
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        yield Diagnosis(
            "disk",
            "warning",
            f"{free / 1e9:.1f} GB free in {folder}",
            "free some space: checkpoints need it",
        )
    else:
        yield Diagnosis("disk", "ok", f"{free / 1e9:.0f} GB free in {folder}")


def _weights(settings: "Settings") -> Iterator[Diagnosis]:
    from inframind.models.registry import BASE_MODELS, is_available

    for name in BASE_MODELS:
        if is_available(name):
            yield Diagnosis("weights", "ok", f"{name} is here")
        else:
            state: State = "failed" if name == settings.inference_base_model else "warning"
            yield Diagnosis(
                "weights", state, f"{name} is not in the hub's cache", f"run `hf download {name}`"
            )


def _tools(_: "Settings | None") -> Iterator[Diagnosis]:
    for name, use in TOOLS.items():
        if shutil.which(name):
            yield Diagnosis("tools", "ok", f"{name} is here")
        else:
            yield Diagnosis(
                "tools",
                "warning",
                f"no {name}: it is for {use}",
                f"install {name}, if you want that",
            )


def _keys(settings: "Settings") -> Iterator[Diagnosis]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.db.session import make_engine
    from app.keys import every

    make_one = "run `inframind keys create --scope admin`"
    engine = make_engine(settings.url)
    try:
        stored = [] if _has_no_database(settings) else every(engine)
        active = sum(key.revoked_at is None for key in stored)
        exposed_by = settings.exposed_by
        if active:
            yield Diagnosis("keys", "ok", f"requests need a key; {active} may be used")
        elif exposed_by:
            setting = f"INFRAMIND_{exposed_by.upper()}"
            text = f"{setting} makes the service reachable for others, and there is no key"
            yield Diagnosis("keys", "failed", text, f"{make_one}, or unset {setting}")
        elif stored:
            # Since a key was made the service is closed, and stays so.
            yield Diagnosis("keys", "failed", "every key is revoked: nobody gets in", make_one)
        else:
            yield Diagnosis(
                "keys",
                "ok",
                "open to every user and program of this machine, for no key was ever made; "
                f"before a proxy or a tunnel forwards to it, {make_one}",
            )
        if active and settings.trusted_hosts and not settings.proxies:
            yield Diagnosis(
                "keys",
                "warning",
                "no proxy is trusted: behind one, every client has its address in limits and logs",
                "name the proxy in INFRAMIND_TRUSTED_PROXIES",
            )
    except SQLAlchemyError:
        yield Diagnosis(
            "keys", "warning", "keys cannot be seen without the database", "see `database`"
        )
    finally:
        engine.dispose()


PROCESSES = frozenset({"worker", "inference"})
NEED_NO_SETTINGS = (_python, _packages, _gpu, _tools)
CHECKS: dict[str, Callable[[Any], Iterator[Diagnosis]]] = {
    "python": _python,
    "packages": _packages,
    "gpu": _gpu,
    "database": _database,
    "keys": _keys,
    "redis": _redis,
    "worker": _worker,
    "inference": _inference,
    "disk": _disk,
    "weights": _weights,
    "tools": _tools,
}
