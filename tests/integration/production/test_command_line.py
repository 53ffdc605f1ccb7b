"""The command where something is wrong: a sentence and an exit code, no traceback, no folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app.cli.errors import explain_service
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.settings import settings
from inframind import __version__
from inframind.cli import app
from inframind.commands import SERVICE_COMMANDS, Exit
from inframind.errors import ConfigError
from tests.support import ROOT
from tests.support.waiting import HANG_SECONDS

NOWHERE = "http://127.0.0.1:9"
ENTRY = "from inframind.cli import main; main()"
SERVICE = ("fastapi", "sqlalchemy", "alembic", "httpx", "pydantic_settings", "uvicorn")
# Every command that ends by itself, with arguments that it takes.
COMMANDS: dict[str, list[str]] = {
    "verify": ["Dockerfile"],
    "rules": ["dockerfile"],
    "bench stats": [],
    "bench export": ["--split", "test-values", "--limit", "1"],
    "jobs create": [],
    "jobs list": [],
    "jobs show": ["j"],
    "jobs results": ["j"],
    "jobs cancel": ["j"],
    "jobs pause": ["j"],
    "jobs resume": ["j"],
    "jobs retry": ["j"],
    "jobs logs": ["j"],
    "jobs follow": ["j"],
    "datasets add": ["Dockerfile"],
    "datasets list": [],
    "datasets rows": ["d"],
    "models list": [],
    "models show": ["m"],
    "models alias": ["a", "m"],
    "models compare": ["m", "n"],
    "models delete": ["m"],
    "models export": ["m", "--out", "out"],
    "db downgrade": ["base"],
    "keys create": ["--scope", "admin"],
    "keys list": [],
    "keys revoke": ["k"],
    "judge calibrate": ["--tasks", "1"],
    "judge show": [],
    "generate": ["x"],
    "doctor": [],
    "prune": ["--dry-run"],
}
MAKE_DATA = {"up", "db upgrade"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder with nothing but a file, which the commands run in."""
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nUSER app\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFRAMIND_URL", NOWHERE)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def run(*arguments: str) -> Any:
    """A command in this process; an error that is not put into words is the test's."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def process(
    folder: Path, *arguments: str, code: str = ENTRY, **env: str
) -> subprocess.CompletedProcess[str]:
    """A command as the shell starts it."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "INFRAMIND_URL": NOWHERE, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_SECONDS,
    )


def leaves(group: Any, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands below a group, as a user writes them."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from leaves(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name))


def test_the_table_has_every_command() -> None:
    assert set(leaves(typer.main.get_command(app))) == set(COMMANDS) | MAKE_DATA


def test_the_services_commands_are_those_that_the_library_names() -> None:
    from app.cli.main import app as service

    names = typer.main.get_command(service).list_commands(None)  # type: ignore[attr-defined]
    assert sorted(names) == sorted(SERVICE_COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_makes_a_folder_or_ends_in_a_traceback(folder: Path, command: str) -> None:
    ended = run(*command.split(), *COMMANDS[command])
    assert ended.exit_code in (Exit.PASS, Exit.FAIL, Exit.UNDECIDED)
    assert [path.name for path in folder.iterdir()] == ["Dockerfile"]
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("keys list", "inframind db upgrade"),
        ("judge show", "inframind db upgrade"),
        ("prune --dry-run", "inframind db upgrade"),
        ("db downgrade base", "inframind db upgrade"),
        ("jobs list", "start the service with `inframind up`"),
        ("jobs list --url foo", "'foo' is no URL of a service"),
        ("jobs list --url ftp://foo", "'ftp://foo' is no URL of a service"),
        ("jobs list --url http://h:port", "is no URL of a service"),
        ("doctor --only nonsense", "known: python, packages"),
        ("verify", "give either FILE"),
        ("verify nothing.tf", "nothing.tf"),
    ],
)
def test_the_error_is_one_line_that_names_the_remedy(folder: Path, command: str, said: str) -> None:
    ended = run(*command.split())
    assert ended.exit_code == Exit.UNDECIDED
    assert said in ended.stderr and ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1, "not wrapped at 80 columns"


@pytest.mark.parametrize(
    ("typed", "meant"), [("job", "jobs"), ("modles", "models"), ("verfy", "verify")]
)
def test_a_mistyped_command_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    ended = run(typed, "list")
    assert ended.exit_code == Exit.UNDECIDED
    assert f"Did you mean {meant!r}?" in ended.stderr


def test_a_revision_that_there_is_not(folder: Path) -> None:
    for command in ("db upgrade --revision nosuch", "db downgrade nosuch"):
        upgraded = run("db", "upgrade")
        assert upgraded.exit_code == Exit.PASS, upgraded.output
        ended = run(*command.split())
        assert ended.exit_code == Exit.UNDECIDED
        assert "nosuch" in ended.stderr and "inframind db upgrade" in ended.stderr


def test_an_old_database_and_one_of_a_newer_version(folder: Path) -> None:
    (folder / "inframind-data").mkdir()
    engine = make_engine(settings().url)
    upgrade(engine, "0001")
    for command in ("keys list", "judge show", "prune --dry-run"):
        ended = run(*command.split())
        assert ended.exit_code == Exit.UNDECIDED and "inframind db upgrade" in ended.stderr
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    engine.dispose()
    ended = run("db", "upgrade")
    assert ended.exit_code == Exit.UNDECIDED and "later" in ended.stderr


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / "inframind-data").mkdir()
    (folder / "inframind-data" / "inframind.db").write_text("no database at all, " * 100)
    ended = run("keys", "list")
    assert ended.exit_code == Exit.UNDECIDED and "inframind doctor" in ended.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://u:hunter2@127.0.0.1:9/d", "the database does not answer"),
        ("nonsense", "INFRAMIND_DATABASE_URL is no URL of a database"),
        # Once asked as if it were PostgreSQL.
        ("mysql://h/n", "INFRAMIND_DATABASE_URL is no URL of a database"),
    ],
)
def test_a_database_that_is_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("INFRAMIND_DATABASE_URL", url)
    settings.cache_clear()
    ended = run("keys", "list")
    assert ended.exit_code == Exit.UNDECIDED
    assert said in ended.stderr and "hunter2" not in ended.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("INFRAMIND_PORT", "99999999", "less than or equal to 65535"),
        ("INFRAMIND_PORT", "eighty", "valid integer"),
        ("INFRAMIND_RATE_LIMIT", "lots", "couldn't parse"),
        ("INFRAMIND_TRUSTED_HOST", "a", "did you mean INFRAMIND_TRUSTED_HOSTS?"),
        ("INFRAMIND_XYZZY", "1", "docs/production/settings.md"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    settings.cache_clear()
    ended = run("keys", "list")
    assert ended.exit_code == Exit.UNDECIDED
    assert variable in ended.stderr and said in ended.stderr
    settings.cache_clear()
    examined = run("doctor")
    assert examined.exit_code == Exit.FAIL
    assert variable in examined.stdout and said in examined.stdout
    assert "python     Python" in examined.stdout, (
        "what needs no settings is looked at all the same"
    )


def test_a_secret_that_is_wrong_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFRAMIND_DATABASE_UR", "postgresql://u:hunter2@h/d")
    settings.cache_clear()
    with pytest.raises(ConfigError) as raised:
        settings()
    assert "did you mean INFRAMIND_DATABASE_URL?" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "module", ["workers.up", "workers.api", "workers.supervisor", "workers.celery_app"]
)
def test_the_processes_say_it_as_the_commands_do(tmp_path: Path, module: str) -> None:
    code = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    ended = process(tmp_path, code=code, INFRAMIND_PORT="eighty")
    assert ended.returncode == Exit.UNDECIDED, ended.stderr
    assert "INFRAMIND_PORT" in ended.stderr and "Traceback" not in ended.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["keys list", "judge show", "jobs list", "prune", "db upgrade"])
def test_without_the_services_packages(tmp_path: Path, command: str) -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({SERVICE!r})); {ENTRY}"
    ended = process(tmp_path, *command.split(), code=blocked)
    assert ended.returncode == Exit.UNDECIDED
    assert "pip install -e '.[service]'" in ended.stderr and "make install" in ended.stderr
    assert "Traceback" not in ended.stderr and not any(tmp_path.iterdir())


def test_the_doctor_works_without_the_services_packages(tmp_path: Path) -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({SERVICE!r})); {ENTRY}"
    ended = process(tmp_path, "doctor", code=blocked)
    assert ended.returncode == Exit.FAIL, ended.stderr
    assert "fastapi" in ended.stdout and "pip install -e '.[service]'" in ended.stdout


def test_a_folder_with_packages_of_the_same_names(folder: Path) -> None:
    """FastAPI's and Flask's users have such folders; a shell may even name them in PYTHONPATH."""
    for package in ("app", "workers", "migrations"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text("raise RuntimeError('a stranger')\n")
    path = os.pathsep.join((".", str(ROOT)))
    verified = process(folder, "verify", "Dockerfile", PYTHONPATH=path)
    assert verified.returncode == Exit.PASS, verified.stderr
    helped = process(folder, "--help", PYTHONPATH=path)
    assert helped.returncode == Exit.PASS and "Create, list, show" in helped.stdout
    listed = process(folder, "jobs", "list", PYTHONPATH=path)
    assert listed.returncode == Exit.UNDECIDED and "does not answer" in listed.stderr
    started = process(folder, "up", "--port", "99999999", PYTHONPATH=path)
    assert started.returncode == Exit.UNDECIDED and "port 99999999" in started.stderr


def test_up_names_the_models_that_it_can_serve_before_it_starts_anything(folder: Path) -> None:
    """Its inference server once ended three times, and the user read a log to learn why."""
    named = process(folder, "up", "--base-model", "nosuch")
    configured = process(folder, "up", INFRAMIND_INFERENCE_BASE_MODEL="nosuch")
    for started in (named, configured):
        assert started.returncode == Exit.UNDECIDED
        assert "unknown base model 'nosuch'; known: inframind-nano" in started.stderr
        assert "Traceback" not in started.stderr
    assert [path.name for path in folder.iterdir()] == ["Dockerfile"]


def test_verify_loads_nothing_of_the_service(folder: Path) -> None:
    code = (
        "import sys\nfrom inframind.cli import app\n"
        "app(['verify', 'Dockerfile'], standalone_mode=False)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('app', 'workers')])\n"
    )
    ended = process(folder, code=code)
    assert ended.stdout.splitlines()[-1] == "[]", ended.stderr


def test_version_and_help() -> None:
    assert run("--version").output == f"inframind {__version__}\n"
    assert run("-h").output == run("--help").output
    assert run("jobs", "-h").output == run("jobs", "--help").output


def test_an_interruption_ends_quietly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.jobs.rows_of", interrupt)
    ended = run("jobs", "list")
    assert (ended.exit_code, ended.output) == (Exit.INTERRUPTED, "")


def test_a_bug_is_no_users_error() -> None:
    assert explain_service(AttributeError("a bug")) is None
    assert explain_service(BrokenPipeError()) is None
    assert explain_service(ImportError("ours", name="app.nothing")) is None
