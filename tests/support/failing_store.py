"""A store that takes half of a file and then fails, as a full or a dying one does."""

import errno
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

PROTOCOL = "failing"


class FailingStore(LocalFileSystem):  # type: ignore[misc] - fsspec has no types
    """A folder that takes half of each file while there is a file `<folder>.fails` beside it.

    A file, so that the processes that write there are disturbed from outside.
    """

    protocol = PROTOCOL

    def put_file(self, path1: str, path2: str, callback: Any = None, **_: Any) -> None:
        """Copies the file, or the first half of it."""
        data = Path(path1).read_bytes()
        target = Path(self._strip_protocol(path2))
        fails = any(switch(folder).exists() for folder in target.parents if folder.name)
        target.write_bytes(data[: len(data) // 2] if fails else data)
        if fails:
            raise OSError(errno.EIO, "the store went away half way")

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(str(path).removeprefix(f"{PROTOCOL}://")))


def switch(store: Path) -> Path:
    """The file that makes the store of this folder fail."""
    return store.with_name(f"{store.name}.fails")


def register() -> None:
    """Makes the protocol known to this process."""
    fsspec.register_implementation(PROTOCOL, FailingStore, clobber=True)
