"""Writes files and folders that are there whole or not at all, whoever else writes the same."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".*.tmp"
"""Pattern of the names that are being written: what matches it for long, a killed process left."""


def temporary_beside(target: Path) -> Path:
    """Makes a name beside the target that no other thread, process or container makes."""
    # Not the process's id: threads share it, and in containers every api is process 1 of its own.
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")


@contextmanager
def building(target: Path, *, synced: bool = True) -> Iterator[Path]:
    """Gives a new name beside the target, which what was made there takes at the end.

    After an exception nothing is left. A file replaces the one of before; a folder, which cannot,
    leaves the equal one that another process was faster to build. `synced` False: after a loss of
    power it may be empty.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    made = temporary_beside(target)
    try:
        yield made
        if synced:
            for path in (*made.rglob("*"), made):
                sync(path)
        try:
            made.replace(target)
        except OSError:
            # rename(2) takes a folder's place only while that is empty.
            if not (made.is_dir() and target.is_dir()):
                raise
        if synced:
            sync(target.parent)
    finally:
        discard(made)


def write_whole(target: Path, data: bytes, *, synced: bool = True) -> None:
    """Writes a file whole or not at all: a reader sees what was there before, or all of this."""
    with building(target, synced=synced) as made:
        made.write_bytes(data)


def sync(path: Path) -> None:
    """Writes a file's or folder's data through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(path: Path) -> None:
    """Deletes a file or a folder; what is gone already is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
