"""Runs other people's tools (`terraform validate`, hadolint ...) away from network and files.

bubblewrap isolates them where it is installed, else util-linux's `unshare`; where neither may, no
tool runs. A tool sees the system's programs and libraries, what it names as readable, and a folder
of its own, which is gone afterwards.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from inframind.errors import SandboxError

WORK = "/inframind"
"""The path at which a tool finds its folder."""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
FILE_BLOCKS = 131_072
"""Size of a file that a tool may write, its output included, in units of 512 bytes: 64 MiB."""
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": WORK,
    "TMPDIR": "/tmp",  # noqa: S108 - in there
    "LC_ALL": "C.UTF-8",
}
LIMITED = 'ulimit -c 0; ulimit -f "$1"; shift; exec "$@"'

# $1: an empty folder, $2: the tool's folder, then what is readable up to `--`, then the command.
# `--rbind` of the system's folders is read-only at its top; below, the tool has no capability left
# to write what its user may not.
SETUP = r"""
set -eu
root=$1 work=$2; shift 2
mount -t tmpfs -o size=256m,mode=755 tmpfs "$root"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; : > "$root$1"; fi
  mount --rbind "$1" "$root$1"
  mount -o remount,bind,ro "$root$1"
  shift
done
shift
mkdir -p "$root/dev" "$root/proc" "$root/tmp" "$root/inframind" "$root/old"
for device in null zero urandom; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc proc "$root/proc" 2>/dev/null || :
mount --bind "$work" "$root/inframind"
cd "$root"
pivot_root . old
umount -l /old
cd /inframind
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
"""


@dataclass(frozen=True)
class Program:
    """A program to run.

    `readable` are the files and folders that it needs beside the system's; `seconds` is its
    wall-clock time.
    """

    command: Sequence[str]
    readable: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0


@dataclass(frozen=True)
class Finished:
    """The end of a program: its exit status, and what it printed."""

    status: int
    output: str
    errors: str


class OverdueError(Exception):
    """The program did not end in time, and was killed."""


def _bubblewrap(
    program: str, work: Path, readable: Sequence[str], environment: Mapping[str, str]
) -> list[str]:
    command = [
        program,
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
    ]
    command += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108 - in there
    for path in readable:
        command += ["--ro-bind", path, path]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    return [*command, "--bind", str(work), WORK, "--chdir", WORK, "--"]


def _unshare(
    program: str, work: Path, readable: Sequence[str], environment: Mapping[str, str]
) -> list[str]:
    namespaces = [
        "--user",
        "--map-root-user",
        "--mount",
        "--net",
        "--pid",
        "--ipc",
        "--uts",
        "--fork",
        "--kill-child",
    ]
    assignments = [f"{name}={value}" for name, value in environment.items()]
    setup = ["sh", "-c", SETUP, "sh", str(work.parent / "root"), str(work), *readable]
    return [program, *namespaces, "--", "env", "-i", *assignments, *setup, "--"]


WAYS = {"bwrap": _bubblewrap, "unshare": _unshare}


@contextmanager
def folder() -> Iterator[Path]:
    """Makes a fresh folder for a program's files. Raises SandboxError if the disk gives none."""
    try:
        outer = tempfile.TemporaryDirectory(prefix="inframind-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SandboxError(f"no folder for a tool's files: {error.strerror}") from None
    with outer as name:
        work = Path(name) / "work"
        work.mkdir()
        (Path(name) / "root").mkdir()
        yield work


def run(tool: Program, work: Path, way: str | None = None) -> Finished:
    """Runs a program on the files in `work`, a `folder()`.

    Raises SandboxError where nothing isolates, OverdueError where the program does not end in time.
    """
    way = way or isolation()
    if way is None:
        raise SandboxError(
            "nothing here can isolate a tool:"
            " install bubblewrap, or allow user namespaces to `unshare`"
        )
    environment = {**ENVIRONMENT, **tool.environment}
    needed = [
        str(path)
        for path in tool.readable
        if not any(path.is_relative_to(place) for place in SYSTEM)
    ]
    readable = [path for path in (*SYSTEM, *dict.fromkeys(needed)) if Path(path).exists()]
    outside = WAYS[way](shutil.which(way) or way, work, readable, environment)
    limits = ["sh", "-c", LIMITED, "sh", str(FILE_BLOCKS)]
    with (
        (work.parent / "output").open("w+b") as output,
        (work.parent / "errors").open("w+b") as errors,
    ):
        try:
            process = subprocess.Popen(  # noqa: S603 - the isolation is what this module is for
                [*limits, *outside, *tool.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start {way}: {error.strerror}") from None
        try:
            status = process.wait(tool.seconds)
        except subprocess.TimeoutExpired:
            raise OverdueError(
                f"{Path(tool.command[0]).name} took over {tool.seconds:g} s"
            ) from None
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        errors.seek(0)
        return Finished(
            status,
            output.read().decode("utf-8", "replace"),
            errors.read().decode("utf-8", "replace"),
        )


@cache
def isolation() -> str | None:
    """Finds what isolates here: `bwrap`, `unshare`, or None.

    Each is tried, because a kernel may forbid what is installed.
    """
    for way in WAYS:
        if shutil.which(way) is not None:
            with folder() as work:
                try:
                    if run(Program(["true"], seconds=20.0), work, way).status == 0:
                        return way
                except (SandboxError, OverdueError):
                    continue
    return None


def program(name: str) -> Path | None:
    """Finds a program: beside Python's own, where pip puts a tool, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    on_path = shutil.which(name)
    return beside if beside.is_file() else Path(on_path) if on_path else None


def first_folder(variables: Sequence[str], usual: Sequence[str]) -> Path | None:
    """Finds the first folder that exists, of those that variables name and of the usual ones."""
    named = [os.environ[variable] for variable in variables if os.environ.get(variable)]
    return next(
        (
            folder
            for folder in (Path(name).expanduser() for name in (*named, *usual))
            if folder.is_dir()
        ),
        None,
    )
