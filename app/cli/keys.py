"""`inframind keys`: API keys, straight in the database, for the first one cannot come over HTTP."""

import time
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.database import open_database
from app.cli.output import console, listed

app = typer.Typer(help="API keys of the service.", no_args_is_help=True)


@app.command("create")
def create_key(
    scope: Annotated[
        list[str], typer.Option(help="train, generate, monitor or admin; may be given again.")
    ],
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Keys of one owner see the same jobs; default: this key alone."),
    ] = None,
) -> None:
    """Make a key and show it, once."""
    from app import keys

    with open_database() as engine:
        # On its own line and without colour, so that a script can take it.
        typer.echo(keys.create(engine, scope, name, owner))


@app.command("list")
def list_keys() -> None:
    """Show the keys; their secrets are stored nowhere."""
    from app import keys

    table = listed("id", "name", "owner", "scopes", "last used", "state")
    with open_database() as engine:
        stored = keys.every(engine)
    for key in stored:
        used = "never"
        if key.last_used_at:
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(key.last_used_at))
        state = "revoked" if key.revoked_at else "active"
        table.add_row(key.id, key.name or "", key.owner, ", ".join(key.scopes), used, state)
    console.print(table, soft_wrap=False)


@app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id, as `keys list` shows it.")],
) -> None:
    """End a key for good. A running service refuses it after a second at most."""
    from app import keys

    with open_database() as engine:
        keys.revoke(engine, key_id)
    console.print(f"{escape(key_id)} is revoked")
