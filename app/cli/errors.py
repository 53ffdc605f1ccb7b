"""Puts the service's errors into words for a terminal; `inframind.commands.Handled` asks."""

import sys
from collections.abc import Callable

from app.errors import RefusedError
from inframind.commands import Ending, Exit, Handled, explain, report


def explain_service(error: Exception) -> Ending | None:
    """Put the service's and the database's errors into words; None for a bug."""
    if isinstance(error, RefusedError):
        return Ending(str(error), Exit.FAIL)
    # A database that was never asked has loaded no sqlalchemy: then the error is not its own.
    if "sqlalchemy.exc" in sys.modules:
        from sqlalchemy.exc import ArgumentError, DBAPIError

        if isinstance(error, DBAPIError):
            kind = type(error).__name__
            return Ending(
                f"the database does not answer, or is not at this version ({kind}): start it, run "
                "`inframind db upgrade`, or correct INFRAMIND_DATABASE_URL; `inframind doctor` "
                "says which",
                Exit.UNDECIDED,
            )
        if isinstance(error, ArgumentError):
            return Ending(
                "INFRAMIND_DATABASE_URL is no URL of a database, such as "
                "postgresql+psycopg://USER:PASSWORD@HOST/NAME",
                Exit.UNDECIDED,
            )
    return explain(error)


class ServiceCommands(Handled):
    """Commands of the service, which end by `explain_service`."""

    def explain(self, error: Exception) -> Ending | None:
        """Put an error into words; None for a bug, whose traceback is wanted."""
        return explain_service(error)


def run_process(main: Callable[[], int | None]) -> int:
    """Run a process of the service to its exit status; errors end as those of commands do."""
    try:
        return main() or Exit.PASS
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        ending = explain_service(error)
        if ending is None:
            raise
        report(ending.message)
        return ending.status
