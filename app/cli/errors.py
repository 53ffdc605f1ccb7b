"""What the service's errors mean to a person at a terminal. `inframind.commands.Handled` asks, for every command."""

import sys

from app.errors import RefusedError
from inframind.commands import Ending, Exit, Handled, explain


def explain_service(error: Exception) -> Ending | None:
    """Put the service's and the database's errors into words; None for a bug."""
    if isinstance(error, RefusedError):
        return Ending(str(error), Exit.FAIL)
    # A database that was never asked has loaded no sqlalchemy: then the error is not its own.
    if "sqlalchemy" in sys.modules:
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
    """The service's commands."""

    def explain(self, error: Exception) -> Ending | None:
        """Put an error into words; None for a bug, whose traceback is wanted."""
        return explain_service(error)
