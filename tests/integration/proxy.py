"""A wire that can be cut: a proxy on the loopback in front of a server's Unix socket."""

import contextlib
import socket
import threading
from pathlib import Path


class Proxy:
    """Forwards connections. While it is cut, nothing passes and nothing is refused, as on a network that drops packets."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._whole = threading.Event()
        self._whole.set()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        """New connections pass; those of before are reset."""
        with self._lock:
            broken, self._connections = self._connections, set()
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._whole.set()

    def close(self) -> None:
        self._listener.close()
        self.mend()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._whole.wait()
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self._target))
            except OSError:
                return
            with self._lock:
                self._connections |= {client, server}
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()
            with self._lock:
                self._connections -= {client, server}

    def _pump(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(1 << 16):
                self._whole.wait()
                there.sendall(data)
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
