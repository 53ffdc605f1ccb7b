"""A real S3-compatible server, from a package: started, killed and started again by the tests that
disturb it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import s3fs

from tests.support.http import request
from tests.support.servers import free_port
from tests.support.waiting import until

BUCKET = "artifacts"


class ObjectStore:
    """What it holds is in its memory: a killed server forgets everything."""

    def __init__(self) -> None:
        self.port = free_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._has_bucket)

    def _has_bucket(self) -> bool:
        try:
            place = f"{self.environment['AWS_ENDPOINT_URL']}/{BUCKET}"
            return request("PUT", place).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A running server that this process's clients reach by the environment."""
    made = ObjectStore()
    os.environ.update(made.environment)
    made.start()
    try:
        yield made
    finally:
        made.kill()
        # Clients are kept by their arguments, and the next server has the same ones.
        s3fs.S3FileSystem.clear_instance_cache()
        for name in made.environment:
            del os.environ[name]
