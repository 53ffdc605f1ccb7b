"""The api: `python -m workers.api [--host H] [--port N]`; a child of `inframind up`, or a container of its own."""

import argparse
import os
import sys

import uvicorn

from app import logs
from app.cli.errors import run_process
from app.settings import settings
from workers.process import die_with_parent


def main() -> None:
    """The process."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.api", description=__doc__)
    given = settings()
    parser.add_argument("--host", default=given.host)
    parser.add_argument("--port", type=int, default=given.port)
    chosen = parser.parse_args()
    logs.configure(given.log_format, given.log_level)
    # The application reads its settings itself, and has to know where it can be reached.
    os.environ |= {"INFRAMIND_HOST": chosen.host, "INFRAMIND_PORT": str(chosen.port)}
    # Open event streams must not hold up the end.
    uvicorn.run(
        "app.main:create_app", factory=True, host=chosen.host, port=chosen.port, log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=2,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run_process(main))
