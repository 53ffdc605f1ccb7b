"""Brings a database to the newest migration, or back."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

SCRIPTS = Path(__file__).parents[2] / "migrations"


def config(engine: Engine) -> Config:
    """Alembic's configuration for one database, without a file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Runs the migrations up to `revision`."""
    command.upgrade(config(engine), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Takes migrations back down to `revision` (`base`: all)."""
    command.downgrade(config(engine), revision)


@cache
def head() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory(str(SCRIPTS)).get_current_head()


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest migration."""
    with engine.execution_options(read_only=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()
