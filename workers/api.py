"""The api, a child of `inframind up` or a container of its own.

`python -m workers.api [--host H] [--port N]`.
"""

import argparse
import os
import sys

import uvicorn

from app import logs
from app.cli.errors import run_process
from app.settings import settings
from workers.process import die_with_parent


def main() -> None:
    """Serves the api until a signal."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.api", description=__doc__)
    configured = settings()
    parser.add_argument("--host", default=configured.host)
    parser.add_argument("--port", type=int, default=configured.port)
    arguments = parser.parse_args()
    logs.configure(configured.log_format, configured.log_level)
    # The application reads its settings itself, and has to know where it can be reached.
    os.environ |= {"INFRAMIND_HOST": arguments.host, "INFRAMIND_PORT": str(arguments.port)}
    # Open event streams must not hold up the end.
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=arguments.host,
        port=arguments.port,
        # The application does it, for the proxies that its settings name alone.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    sys.exit(run_process(main))
