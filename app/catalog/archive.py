"""An adapter as one tar.

The PEFT folder that transformers, PEFT and vLLM load, its manifest and its model card.
"""

import os
import tarfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.catalog.service import adapter, detail
from app.errors import InvalidError
from inframind.errors import EngineError
from inframind.models.adapter import MANIFEST, PUBLISHED, verify_adapter
from inframind.models.card import card
from inframind.models.registry import BASE_MODELS

CARD = "README.md"
CHUNK_BYTES = 1 << 20
MODE = 0o644


def archive(engine: Engine, artifacts: Artifacts, name: str) -> tuple[str, Iterator[bytes]]:
    """The adapter's id and the tar in pieces.

    `<id>/` with safetensors, configuration, manifest and card.

    Every byte is checked against the manifest before the first is sent. Raises NotFoundError;
    InvalidError for a base model; EngineError for files that are not what was published.
    """
    described = detail(engine, artifacts, name)
    if described.id in BASE_MODELS:
        raise InvalidError(
            f"{described.id} is a base model: only adapters can be downloaded", param="model"
        )
    folder = artifacts.locate(adapter(engine, described.id).whereabouts)
    artifacts.pull(folder)
    manifest = verify_adapter(folder)
    # Open before the first byte is sent: a deletion meanwhile must not cut the archive short.
    try:
        files = {name: (folder / name).open("rb") for name in (*PUBLISHED, MANIFEST)}
    except FileNotFoundError:
        raise EngineError(f"{described.id} is being deleted") from None
    text = card(
        manifest, [evaluation.model_dump(mode="json") for evaluation in described.evaluations]
    ).encode()
    return described.id, _tar(described.id, files, text, int(manifest.created_at))


def _tar(
    name: str, files: Mapping[str, BinaryIO], card_text: bytes, created_at: int
) -> Iterator[bytes]:
    # By hand: `tarfile` writes to a file object, and what is sent in pieces has none.
    yield _head(f"{name}/{CARD}", len(card_text), created_at) + card_text + _padding(len(card_text))
    for file, opened in files.items():
        with opened:
            size = os.fstat(opened.fileno()).st_size
            yield _head(f"{name}/{file}", size, created_at)
            while data := opened.read(CHUNK_BYTES):
                yield data
        yield _padding(size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _head(name: str, size: int, created_at: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, created_at, MODE
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
