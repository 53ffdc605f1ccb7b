"""The service's commands together; `inframind.commands` loads `app` when one is asked for."""

import typer

from app.cli import database, datasets, doctor, generate, jobs, judge, keys, models, prune, up
from app.cli.errors import ServiceCommands
from inframind.commands import HELP, SETTINGS

app = typer.Typer(
    name="inframind",
    cls=ServiceCommands,
    help=HELP,
    context_settings=SETTINGS,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for name, noun in (
    ("jobs", jobs),
    ("datasets", datasets),
    ("models", models),
    ("db", database),
    ("keys", keys),
    ("judge", judge),
):
    app.add_typer(noun.app, name=name)
# A command of its own, without a noun: Typer adds it under its own name.
for command in (up, generate, doctor, prune):
    app.add_typer(command.app)
