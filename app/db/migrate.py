"""Brings a database to the newest migration, or back."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from app.errors import InvalidError

SCRIPTS = Path(__file__).parents[2] / "migrations"


def config(engine: Engine) -> Config:
    """Alembic's configuration for one database, without a file."""
    alembic = Config()
    alembic.set_main_option("script_location", str(SCRIPTS))
    alembic.attributes["engine"] = engine
    return alembic


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`. Raises InvalidError for one that there is not."""
    try:
        command.upgrade(config(engine), revision)
    except CommandError as error:
        raise _unknown(error) from None


def downgrade(engine: Engine, revision: str) -> None:
    """Take migrations back to `revision` (`base`: all). Raises InvalidError for an unknown one."""
    try:
        command.downgrade(config(engine), revision)
    except CommandError as error:
        raise _unknown(error) from None


def _unknown(error: CommandError) -> InvalidError:
    """The revision asked for, or the database's own, is none of this version's."""
    return InvalidError(
        f"{error}: this version knows the migrations up to {head()}, which "
        "`inframind db upgrade` runs; a newer database needs the version that made it",
        param="revision",
    )


@cache
def head() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory(str(SCRIPTS)).get_current_head()


def is_current(engine: Engine) -> bool:
    """Tells whether the database is at the newest migration."""
    with engine.execution_options(read_only=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()
