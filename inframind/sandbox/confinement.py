"""Takes from a worker process what it does not need, before it sees the first text.

Memory, file size, descriptors and core dumps are limited; sockets and new programs are refused by
seccomp, and the network namespace is empty where the kernel allows that to an unprivileged process;
files outside Python's own folders are out of reach by Landlock; the parent's death is the worker's.
A layer that the kernel lacks is left out: what runs here parses text and executes none of it, so
these are the second line.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

MEMORY_BYTES = 2 << 30
MemoryBound = Literal["address-space", "resident"]
"""`resident`: the target reserves far more than it uses, and the parent watches what is in use."""
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SECCOMP_MODE_FILTER = 2

# https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html
# Numbers from linux/audit.h and unistd.h: socket, connect, ptrace, execve, execveat, io_uring_setup
ARCHITECTURES: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, (41, 42, 101, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 203, 117, 221, 281, 425)),
}
X32_CALLS = 0x40000000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050001
"""SECCOMP_RET_ALLOW, and SECCOMP_RET_ERRNO with EPERM."""


# https://docs.kernel.org/userspace-api/landlock.html
# The calls' numbers are the same on every architecture; the rights are those of ABI 1.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
EXECUTE, READ_FILE, READ_DIRECTORY, ALL_FILE_RIGHTS = 1, 1 << 2, 1 << 3, (1 << 13) - 1
PATH_BENEATH = 1


class _Program(ctypes.Structure):
    """Kernel's `struct sock_fprog`: the length and address of a seccomp filter."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine(parent: int, *, limit_address_space: bool = True) -> None:
    """Applies the limits to this process. Leaves at once if the parent is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    # After unshare, because a change of credentials may clear it.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
    for kind, limit in (
        *(((resource.RLIMIT_AS, MEMORY_BYTES),) if limit_address_space else ()),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (limit, limit))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restrict_files(libc, readable_folders())
    code = seccomp_filter(platform.machine())
    if code:
        program = _Program(len(code) // 8, code)
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


def readable_folders() -> list[Path]:
    """Lists the folders that imports need.

    These are Python, installed packages, the system's libraries and this package, but not the
    checkout around it.
    """
    package = Path(__file__).parents[1]
    folders = {
        Path(sys.prefix),
        Path(sys.base_prefix),
        package,
        Path("/usr"),
        Path("/lib"),
        Path("/lib64"),
    }
    folders |= {Path(entry) for entry in sys.path if Path(entry) != package.parent}
    return [folder for folder in folders if folder.is_dir()]


def restrict_files(libc: ctypes.CDLL, readable: Sequence[Path]) -> None:
    """Lets this process only read, and only beneath `readable`; files that are open stay open."""
    rights = struct.pack("=Q", ALL_FILE_RIGHTS)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
    if ruleset < 0:
        return
    for folder in readable:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", EXECUTE | READ_FILE | READ_DIRECTORY, descriptor)
        libc.syscall(LANDLOCK_ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
        os.close(descriptor)
    libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def seccomp_filter(machine: str) -> bytes | None:
    """Assembles classic BPF that refuses sockets and new programs with EPERM.

    None on a machine whose call numbers are not known.
    """
    if machine not in ARCHITECTURES:
        return None
    architecture, refused = ARCHITECTURES[machine]
    tests = [(EQUAL, number) for number in refused] + [(AT_LEAST, X32_CALLS)]
    code = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, 0)]
    # A jump counts the instructions it skips: what is left of the tests, and the ALLOW.
    code += [(test, len(tests) - index, 0, number) for index, (test, number) in enumerate(tests)]
    code += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)
