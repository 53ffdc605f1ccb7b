"""Serves a pool's calls: `python -I -m inframind.sandbox.worker TARGET PARENT CPU_SECONDS BOUND`.

TARGET is MODULE:FUNCTION. A call comes as length and text, its answer goes back as status, length
and text. A call that uses up its processor time ends the process: the kernel's timer kills it, so
that a busy machine, where time passes without work, punishes nobody.
"""

import importlib
import os
import signal
import struct
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

from inframind.sandbox.confinement import confine

REQUEST = struct.Struct(">I")
RESPONSE = struct.Struct(">cI")
ANSWER, RAISED, EXHAUSTED = b"=", b"!", b"#"


def read_request(stream: BinaryIO) -> str | None:
    """Reads the next call's text; None at the end."""
    header = stream.read(REQUEST.size)
    if len(header) < REQUEST.size:
        return None
    return stream.read(REQUEST.unpack(header)[0]).decode("utf-8", "surrogatepass")


def write_response(stream: BinaryIO, status: bytes, text: str) -> None:
    """Writes status, length, then the text."""
    payload = text.encode("utf-8", "surrogatepass")
    stream.write(RESPONSE.pack(status, len(payload)) + payload)
    stream.flush()


def raised(error: Exception) -> str:
    """Names an exception and its place, but not its message, which may hold the text."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"


def main() -> None:
    """Serves calls until the pipe closes."""
    target, parent, cpu_seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    # What a parser prints must not end up between the answers.
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    confine(parent, limit_address_space=sys.argv[4] == "address-space")
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    write_response(outgoing, ANSWER, "ready")
    # Only now: why a worker cannot start is for the log, how a parser dies is not.
    os.dup2(null, 2)
    while (text := read_request(incoming)) is not None:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            status, answer = ANSWER, function(text)
        except (MemoryError, RecursionError) as error:
            # A text's size and depth cost these; what else is raised is a mistake of the checker.
            status, answer = EXHAUSTED, raised(error)
        except Exception as error:  # noqa: BLE001 - the pool judges whatever a checker raises
            status, answer = RAISED, raised(error)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        write_response(outgoing, status, answer)


if __name__ == "__main__":
    main()
