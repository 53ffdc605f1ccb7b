"""The command group of `inframind`: its errors end in a sentence, its service is loaded on demand.

Every command's errors pass through `Handled.invoke`, the only handler that there is.
Exit codes: docs/installation.md; why the service is loaded so: docs/decisions/0006.
"""

import importlib
import sys
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from inframind.errors import InfraMindError
from inframind.installation import checkout, extra_of, missing_packages, no_service

SERVICE_COMMANDS = (
    "up", "jobs", "datasets", "models", "generate", "doctor", "keys", "prune", "judge", "db",
)  # fmt: skip
"""What app/cli adds. Named here so that `inframind verify` need not look."""
HELP = "Small language models for Infrastructure as Code, rewarded by real validation."
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Exit(IntEnum):
    """Exit codes of every command."""

    PASS = 0
    FAIL = 1
    """The answer is no: a file is wrong, a job has failed, the service refuses."""
    UNDECIDED = 2
    """There is no answer: unscorable, wrong usage, bad settings, or something does not answer."""
    INTERRUPTED = 130


class Ending(NamedTuple):
    """End of a command that could not do its work: its message and exit status."""

    message: str
    status: Exit


def explain(error: Exception) -> Ending | None:
    """Put the library's and the system's errors into words; None for an error that is a bug."""
    if isinstance(error, InfraMindError):
        return Ending(str(error), Exit.UNDECIDED)
    if isinstance(error, ImportError) and (extra := extra_of(error.name)):
        return Ending(missing_packages([str(error.name)], extra), Exit.UNDECIDED)
    # A reader that went away, as `head` does, is the command line's own business.
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        place = f"{error.filename}: " if error.filename else ""
        return Ending(f"{place}{error.strerror or error}", Exit.UNDECIDED)
    return None


def report(message: str) -> None:
    """Print an error, on one line however narrow the terminal or pipe."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[red]error:[/red] {escape(message)}")


class Handled(TyperGroup):
    """Commands whose errors end in a sentence and an exit code."""

    def explain(self, error: Exception) -> Ending | None:
        """Put an error into words; None for a bug, whose traceback is wanted."""
        return explain(error)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command. The exit code says how it ended."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
        except Exception as error:
            ending = self.explain(error)
            if ending is None:
                raise
            report(ending.message)
            raise typer.Exit(ending.status) from None


class Commands(Handled):
    """The library's commands, and the service's where a checkout or an image has them."""

    service: Handled | None = None

    def explain(self, error: Exception) -> Ending | None:
        """Ask the service's own words first, if one of its commands was loaded."""
        return self.service.explain(error) if self.service else explain(error)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command. Raises InfraMindError for the service's where there is no checkout."""
        if cmd_name not in SERVICE_COMMANDS:
            return super().get_command(ctx, cmd_name)
        return self._load(cmd_name).get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the chosen command. A usage error names the nearest one, the service's too."""
        name = args[0]
        # Typer compares with the commands that are loaded, which the service's are not yet.
        if self.get_command(ctx, name) is None:
            near = get_close_matches(name, self.list_commands(ctx), 1)
            if near:
                ctx.fail(f"No such command {name!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name what `--help` shows."""
        return [*super().list_commands(ctx), *(SERVICE_COMMANDS if checkout() else ())]

    def _load(self, command: str) -> Handled:
        """Load app/cli from the checkout, before any other package that is called `app`."""
        if self.service is None:
            root = checkout()
            if root is None:
                raise InfraMindError(no_service(command))
            if sys.path[0] != str(root):
                sys.path.insert(0, str(root))
            loaded = typer.main.get_command(importlib.import_module("app.cli.main").app)
            if not isinstance(loaded, Handled):
                raise TypeError("the service's commands have no handler of errors")
            self.service = loaded
        return self.service
