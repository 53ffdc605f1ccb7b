"""A warm worker process: `python -I -m inframind.sandbox.worker MODULE:FUNCTION`. Reads and writes length-prefixed text.

Covered: memory, file size, descriptors and core dumps are limited; the parent's death is the worker's; a new network namespace
without interfaces where the kernel allows it to an unprivileged process. Not covered: it is no jail against native code
execution. What runs here parses text; nothing executes it.
"""

import ctypes
import importlib
import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

MEMORY_BYTES = 2 << 30
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
HEADER = struct.Struct(">I")


def confine(parent: int) -> None:
    """Applies the limits to this process. Leaves at once if the parent is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
    libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (limit, limit))


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, or None at the end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return stream.read(HEADER.unpack(header)[0])


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    """Length, then the payload."""
    stream.write(HEADER.pack(len(payload)) + payload)
    stream.flush()


def main() -> None:
    """Serves calls until the pipe closes. An exception of the function ends the worker: the pool sees a crash."""
    target, parent = sys.argv[1], int(sys.argv[2])
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    confine(parent)
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    write_frame(outgoing, b"ready")
    while (frame := read_frame(incoming)) is not None:
        write_frame(outgoing, function(frame.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    main()
