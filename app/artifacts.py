"""Store of adapters, checkpoints and datasets.

A folder, and behind it, in production, a store that every host reaches.

With `INFRAMIND_ARTIFACTS_URL` (anything that fsspec opens, such as `s3://bucket/prefix`) the folder
is this host's copy: what is published is pushed before its row is written, and what is needed is
pulled first. Without a URL the folder itself is shared, or there is one host, and nothing is
copied. Rows hold names relative to the folder, so that it may lie elsewhere after a restore.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any, Self

from app.errors import StoreError
from app.settings import Settings
from inframind.durable import TEMPORARY, building, discard, temporary_beside
from inframind.errors import FULL

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Questions to the store at once."""
PUT_IS_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "az"}
"""Stores where an object that is being written is not there yet, and never half."""


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

    @property
    def uploads(self) -> Path:
        """The folder of all uploaded files."""
        return self.folder / "files"

    def upload(self, name: str) -> Path:
        """The place of an uploaded file's bytes, by its id.

        Nobody shares it, so no other's delete or failed upload can touch it. Versions before named
        it by the content's SHA-256, for all who uploaded the same.
        """
        return self.uploads / f"{name}.jsonl"

    def locate(self, place: str) -> Path:
        """The path of what a row names, wherever the folder lies now."""
        return self.folder / place

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
        discard(path)
        if self._files is not None:
            self._try(
                lambda: (
                    self._files.rm(self._key(path), recursive=True)
                    if self._files.exists(self._key(path))
                    else None
                )
            )

    def prunable(self) -> set[Path]:
        """Lists what may be left over, here and in the store, wherever it was made.

        Folders of attempts, uploaded files, and what was being written. Raises StoreError.
        """
        names = [] if self._files is None else self._try(lambda: self._files.find(self._root))
        inside = {Path(name[len(self._root) + 1 :]) for name in names}
        # As deep as a pulled checkpoint lies, and no deeper: a walk of everything costs minutes.
        for pattern in ("*/*", f"*/*/{TEMPORARY}", f"*/*/*/{TEMPORARY}"):
            inside |= {path.relative_to(self.folder) for path in self.folder.glob(pattern)}
        return {self.folder / unit for path in inside if (unit := _unit(path)) is not None}

    def age(self, path: Path) -> float:
        """Seconds since it was last written to, here or in the store. Raises StoreError."""
        written = []
        with suppress(FileNotFoundError):
            written.append(path.stat().st_mtime)
        if self._files is not None:
            names = self._try(lambda: self._files.find(self._key(path)))
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
        key, protocol = self._key(file), self._files.protocol
        if PUT_IS_WHOLE.intersection({protocol} if isinstance(protocol, str) else protocol):
            self._files.put_file(str(file), key)
            return
        # Buckets have no folders; other stores want them first.
        self._files.makedirs(key.rpartition("/")[0], exist_ok=True)
        made = self._key(temporary_beside(file))
        try:
            self._files.put_file(str(file), made)
            self._files.mv(made, key)
        except BaseException:
            # What cannot be removed now is pruned later.
            with suppress(Exception):
                self._files.rm(made)
            raise

    def _copy_down(self, path: Path) -> None:
        key = self._key(path)
        keys: list[str] = self._files.find(key)
        if not keys:
            return
        with building(path) as made:
            for name in keys:
                here = made / name[len(key) :].lstrip("/") if name != key else made
                here.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(name, str(here))

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


def _unit(path: Path) -> Path | None:
    """Finds what goes or stays as a whole: the outermost that is one of the prunable kinds."""
    for depth, part in enumerate(path.parts):
        unit = Path(*path.parts[: depth + 1])
        is_attempt = depth == 1 and part.isdigit()
        is_upload = depth == 1 and path.parts[0] == "files"
        if is_attempt or is_upload or fnmatch(part, TEMPORARY):
            return unit
    return None
