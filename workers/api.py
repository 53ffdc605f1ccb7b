"""The api as a child of `inframind up`: `python -m workers.api --host H --port N`."""

import argparse

import uvicorn

from workers.process import die_with_parent


def main() -> None:
    """The process."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    # Open event streams must not hold up the end.
    uvicorn.run(
        "app.main:create_app", factory=True, host=given.host, port=given.port, access_log=False, timeout_graceful_shutdown=2
    )


if __name__ == "__main__":
    main()
