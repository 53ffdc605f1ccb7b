"""Store of adapters, checkpoints and datasets.

A folder, and behind it, in production, a store that every host reaches.

With `INFRAMIND_ARTIFACTS_URL` (anything that fsspec opens, such as `s3://bucket/prefix`) the folder
is this host's copy: what is published is pushed before its row is written, and what is needed is
pulled first. Paths are the same on every host, so the data folder must be. Without a URL the folder
itself is shared, or there is one host, and nothing is copied.
"""

import logging
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self

from app.errors import StoreError
from app.settings import Settings
from inframind.errors import FULL

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Questions to the store at once."""


class Artifacts:
    """The folder and the store behind it.

    Made at a process's entry point and handed to whoever needs files.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self._files: Any = None
        self._seen: set[Path] = set()
        """What the store is known to have."""
        if url:
            import fsspec

            # Other hosts write there too: a listing of a moment ago says nothing.
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Builds the artifacts that the settings name."""
        return cls(settings.artifacts, settings.artifacts_url)

    @property
    def has_store(self) -> bool:
        """Holds where hosts share a store behind their own folders."""
        return self._files is not None

    @property
    def datasets(self) -> Path:
        """The folder of all datasets."""
        return self.folder / "datasets"

    def dataset(self, name: str) -> Path:
        """The place of a dataset's tasks."""
        return self.datasets / f"{name}.jsonl"

    def upload(self, sha256: str) -> Path:
        """The place of an uploaded file's bytes."""
        return self.folder / "files" / f"{sha256}.jsonl"

    def job(self, job_id: str) -> Path:
        """The folder of a job's attempts."""
        return self.folder / job_id

    def free_bytes(self) -> int:
        """Tells how much room the folder's disk has. Raises OSError."""
        # The folder is made with the first artifact.
        folder = next(path for path in (self.folder, *self.folder.parents) if path.is_dir())
        return shutil.disk_usage(folder).free

    def push(self, path: Path) -> None:
        """Copies a file or folder to the store. Raises StoreError."""
        if self._files is not None:
            self._try(lambda: self._copy_up(path))

    def pull(self, path: Path) -> None:
        """Makes a file or folder be here, whole or not at all; one that is nowhere stays away.

        Raises StoreError; OSError if there is no space here.
        """
        if self._files is not None and not path.exists():
            self._try(lambda: self._copy_down(path))

    def has(self, path: Path) -> bool:
        """Tells whether the artifact is in the folder or in the store. Raises StoreError."""
        return path.exists() or (
            self._files is not None and bool(self._try(lambda: self._files.exists(self._key(path))))
        )

    def present(self, paths: Iterable[Path]) -> set[Path]:
        """Those of many that are here or in the store. Raises StoreError.

        The store is asked for all at once, and once: what was published changes no more, and goes
        only after its row.
        """
        wanted = set(paths)
        nearby = {path for path in wanted if path in self._seen or path.exists()}
        if self._files is not None and (unknown := sorted(wanted - nearby)):
            with ThreadPoolExecutor(min(AT_ONCE, len(unknown))) as pool:
                answers = self._try(
                    lambda: list(pool.map(self._files.exists, map(self._key, unknown)))
                )
            stored = {path for path, is_stored in zip(unknown, answers, strict=True) if is_stored}
            self._seen |= stored
            nearby |= stored
        return nearby

    def remove(self, path: Path) -> None:
        """Deletes a file or folder everywhere; what is gone already is no error.

        Raises StoreError.
        """
        self._seen.discard(path)
        _delete(path)
        if self._files is not None:
            self._try(
                lambda: (
                    self._files.rm(self._key(path), recursive=True)
                    if self._files.exists(self._key(path))
                    else None
                )
            )

    def attempts(self) -> set[Path]:
        """Folders of attempts in the store, wherever they were made. Raises StoreError."""
        names = [] if self._files is None else self._try(lambda: self._files.find(self._root))
        inside = [Path(name[len(self._root) + 1 :]).parts for name in names]
        return {
            self.folder / parts[0] / parts[1]
            for parts in inside
            if len(parts) > 2 and parts[1].isdigit()
        }

    def age(self, folder: Path) -> float:
        """Seconds since the folder was last written to, here or in the store. Raises StoreError."""
        written = [folder.stat().st_mtime] if folder.exists() else []
        if self._files is not None:
            names = self._try(lambda: self._files.find(self._key(folder)))
            written += [
                self._try(partial(self._files.modified, name)).timestamp() for name in names
            ]
        return time.time() - max(written, default=0.0)

    def _key(self, path: Path) -> str:
        return f"{self._root}/{path.relative_to(self.folder).as_posix()}"

    def _copy_up(self, path: Path) -> None:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                self._put(file)

    def _put(self, file: Path) -> None:
        key = self._key(file)
        try:
            self._files.put_file(str(file), key)
        except FileNotFoundError:
            # Buckets have no folders; other stores want them first.
            self._files.makedirs(key.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(file), key)

    def _copy_down(self, path: Path) -> None:
        key = self._key(path)
        keys: list[str] = self._files.find(key)
        building = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            for name in keys:
                here = building / name[len(key) :].lstrip("/") if name != key else building
                here.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(name, str(here))
            if keys:
                building.rename(path)
        finally:
            _delete(building)

    def _try(self, work: Callable[[], Any]) -> Any:
        """The boundary to the store's own libraries, which have errors of their own."""
        try:
            return work()
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            # Its text may name hosts and buckets: for the log, not for callers.
            log.warning("the store of the artifacts failed", exc_info=error)
            raise StoreError(
                f"the store of the artifacts does not answer ({type(error).__name__});"
                " try again in a moment"
            ) from error


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
