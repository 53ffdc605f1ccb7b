"""A wire that can be cut: a proxy on the loopback in front of a server's Unix socket."""

import contextlib
import socket
import threading
from pathlib import Path


class Proxy:
    """Forwards connections. While it is cut, nothing passes and nothing is refused, as on a network
    that drops packets."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._whole = threading.Event()
        self._whole.set()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        """New connections pass; those of before are reset."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._whole.set()

    def close(self) -> None:
        """Ends every connection, and returns when no socket is open any more."""
        # A close alone would leave the thread in `accept`.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        with self._lock:
            self._closed = True
        self.mend()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(threading.Thread(target=self._connect, args=(client,)))
            self._threads[-1].start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            self._whole.wait()
            try:
                server.connect(str(self._target))
            except OSError:
                return
            with self._lock:
                if self._closed:
                    return
                self._connections |= {client, server}
            back = threading.Thread(target=self._pump, args=(server, client))
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
