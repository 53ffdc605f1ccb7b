"""A store that takes half of a file and then fails, as a full or a dying one does."""

import errno
from pathlib import Path
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

PROTOCOL = "failing"


class FailingStore(LocalFileSystem):  # type: ignore[misc] - fsspec has no types
    """A folder; while `is_failing`, half of each file arrives."""

    protocol = PROTOCOL
    is_failing: ClassVar[bool] = False

    def put_file(self, path1: str, path2: str, callback: Any = None, **_: Any) -> None:
        """Copies the file, or the first half of it."""
        data = Path(path1).read_bytes()
        target = Path(self._strip_protocol(path2))
        target.write_bytes(data[: len(data) // 2] if self.is_failing else data)
        if self.is_failing:
            raise OSError(errno.EIO, "the store went away half way")

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(str(path).removeprefix(f"{PROTOCOL}://")))


fsspec.register_implementation(PROTOCOL, FailingStore, clobber=True)
