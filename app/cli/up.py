"""`inframind up`: the embedded service takes the place of this process."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from inframind.installation import require

app = typer.Typer()
ROOT = Path(__file__).resolve().parents[2]


@app.command()
def up(
    data_dir: Annotated[Path | None, typer.Option(help="Database, artifacts and logs.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.")] = None,
    base_model: Annotated[str | None, typer.Option(help="The base model that is served.")] = None,
) -> None:
    """Start the embedded service: api, worker and inference server."""
    require("service", "train")
    chosen = {"--data-dir": data_dir, "--host": host, "--port": port, "--base-model": base_model}
    options = [
        part for name, value in chosen.items() if value is not None for part in (name, str(value))
    ]
    # Our packages come first, not those of a user's folder that are called app or workers too.
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-P", "-m", "workers.up", *options]
    os.execve(sys.executable, command, env)  # noqa: S606 - our own module
