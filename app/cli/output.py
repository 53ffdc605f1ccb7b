"""Consoles of the commands: a message is one line, so that no terminal cuts an id in two."""

from rich.console import Console
from rich.table import Column, Table

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def listed(first: str, *others: str) -> Table:
    """Make a table whose first column can be copied, however narrow the terminal."""
    return Table(Column(first, no_wrap=True), *(Column(name, overflow="fold") for name in others))
