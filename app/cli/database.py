"""`inframind db`, and how other commands open the database: they make none and migrate none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import console
from inframind.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.settings import Settings

app = typer.Typer(help="Bring the database to another version.", no_args_is_help=True)
MAKES = "`inframind up` or `inframind db upgrade` makes one"


@app.command()
def upgrade(
    revision: Annotated[str, typer.Option(help="A migration; head is the newest.")] = "head",
) -> None:
    """Run the migrations up to a revision. Makes the database where there is none."""
    from app.db import migrate
    from app.settings import settings

    settings().data_dir.mkdir(parents=True, exist_ok=True)
    with _engine(settings()) as engine:
        migrate.upgrade(engine, revision)
    console.print(f"the database is at {revision}", markup=False)


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="A migration; base is before all.")],
) -> None:
    """Take migrations back; `base` takes all."""
    from app.db import migrate
    from app.settings import settings

    check_exists(settings())
    with _engine(settings()) as engine:
        migrate.downgrade(engine, revision)
    console.print(f"the database is at {revision}", markup=False)


@contextmanager
def open_database() -> Iterator["Engine"]:
    """Open the database of the settings.

    Raises ConfigError where there is none, or where its tables are not those that this code knows.
    """
    from app.db.migrate import is_current
    from app.settings import settings

    check_exists(settings())
    with _engine(settings()) as engine:
        if not is_current(engine):
            raise ConfigError(
                "the database is not at this version: run `inframind db upgrade` first"
            )
        yield engine


def check_exists(settings: "Settings") -> None:
    """Refuse an embedded database that is not there. Raises ConfigError."""
    if not settings.url.startswith("sqlite"):
        return
    from sqlalchemy import make_url

    name = make_url(settings.url).database
    if name and not Path(name).is_file():
        raise ConfigError(
            f"there is no database at {name}: {MAKES}, or INFRAMIND_DATA_DIR names the right folder"
        )


@contextmanager
def _engine(settings: "Settings") -> Iterator["Engine"]:
    from app.db.session import make_engine

    engine = make_engine(settings.url)
    try:
        yield engine
    finally:
        engine.dispose()
