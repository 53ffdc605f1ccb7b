"""Where adapters, checkpoints and datasets lie: a folder, and behind it, in production, a store that every host reaches.

With `INFRAMIND_ARTIFACTS_URL` (anything that fsspec opens, such as `s3://bucket/prefix`) the folder is this host's copy: what is
published is pushed before its row is written, and what is needed is pulled first. Paths are the same on every host, so the data
folder must be. Without a URL the folder itself is shared, or there is one host, and nothing is copied.
"""

import errno
import shutil
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from app.settings import settings


class Artifacts:
    """The folder and the store behind it."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._files: Any = None
        if url:
            import fsspec

            self._files, self._root = fsspec.core.url_to_fs(url)

    def push(self, path: Path) -> None:
        """Copies a file or folder to the store. Raises OSError."""
        if self._files is not None:
            self._try(lambda: self._copy_up(path))

    def pull(self, path: Path) -> None:
        """Makes a file or folder be here, whole or not at all; one that is nowhere stays away. Raises OSError."""
        if self._files is not None and not path.exists():
            self._try(lambda: self._copy_down(path))

    def has(self, path: Path) -> bool:
        """Whether it is here or in the store. Raises OSError."""
        return path.exists() or (self._files is not None and bool(self._try(lambda: self._files.exists(self._key(path)))))

    def remove(self, path: Path) -> None:
        """Deletes a file or folder everywhere; what is gone already is no error."""
        shutil.rmtree(path, ignore_errors=True)
        if self._files is not None:
            self._try(lambda: self._files.rm(self._key(path), recursive=True) if self._files.exists(self._key(path)) else None)

    def _key(self, path: Path) -> str:
        return f"{self._root}/{path.relative_to(self._folder).as_posix()}"

    def _copy_up(self, path: Path) -> None:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                self._files.makedirs(self._key(file).rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(file), self._key(file))

    def _copy_down(self, path: Path) -> None:
        key = self._key(path)
        self._files.invalidate_cache()
        found: list[str] = self._files.find(key)
        building = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            for name in found:
                here = building / name[len(key) :].lstrip("/") if name != key else building
                here.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(name, str(here))
            if found:
                building.rename(path)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _try(self, work: Callable[[], Any]) -> Any:
        """The boundary to the store's own libraries, which have errors of their own."""
        try:
            return work()
        except OSError:
            raise
        except Exception as error:
            raise OSError(errno.EIO, f"the store of the artifacts does not answer: {type(error).__name__}") from error


@cache
def store() -> Artifacts:
    """This process's."""
    given = settings()
    return Artifacts(given.artifacts, given.artifacts_url)
