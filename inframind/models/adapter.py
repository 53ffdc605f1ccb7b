"""Publishes and checks adapters: immutable folders with a manifest (docs/contracts/adapter.md)."""

import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from inframind.durable import building, discard
from inframind.errors import EngineError, NonFiniteError
from inframind.models.probe import Probe
from inframind.models.weights import check_finite
from inframind.types import Contract, Json, Rendering

# `\Z` and not `$`, which lets a line break follow.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
WEIGHTS, CONFIG, MANIFEST = "adapter_model.safetensors", "adapter_config.json", "manifest.json"
PUBLISHED = (CONFIG, WEIGHTS)


class ManifestFile(Contract):
    """One file of an adapter."""

    name: str
    bytes: int
    sha256: str


class AdapterManifest(Contract):
    """Says what an adapter is, where it comes from, and what its files are."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    job_id: str
    base_model: str
    stage: str
    stage_index: int
    parent: str | None
    quantization: str
    lora: dict[str, Json]
    config: dict[str, Json]
    dataset: str
    # Left out where it is the form that manifests had before there was another: a server of that
    # version refuses what it does not know.
    rendering: Rendering = Field(default="fenced", exclude_if=lambda value: value == "fenced")
    """How the prompts were written that it was trained on: serving writes them alike."""
    bench_hash: str
    seed: int
    metrics: dict[str, Json]
    train_seconds: float
    versions: dict[str, str]
    probe: Probe | None = None
    """What PEFT said of it; null: it was trained in another precision than it is served in."""
    files: tuple[ManifestFile, ...] = ()
    created_at: float = Field(default_factory=time.time)


def adapter_id(job_id: str, stage_index: int, stage: str, attempt: int = 1) -> str:
    """Makes the id `im-<start of the job's id>-<index>-<stage>`.

    A later attempt has an id of its own, for ids are never used twice.
    """
    return f"im-{job_id.replace('-', '')[:20]}-{stage_index}-{stage}" + (
        f"-{attempt}" if attempt > 1 else ""
    )


def sha256_of(path: Path) -> str:
    """Computes the hex digest of a file."""
    with path.open("rb") as file:
        # In pieces, and without the interpreter's lock: an adapter may have gigabytes.
        return hashlib.file_digest(file, "sha256").hexdigest()


def publish(source: Path, target: Path, manifest: AdapterManifest) -> AdapterManifest:
    """Copies an adapter's files from `source` to the new folder `target`, with its manifest.

    It is there whole or not at all. Raises NonFiniteError for weights or metrics that are no
    numbers.
    """
    check_finite(source / WEIGHTS, f"the adapter {manifest.id}")
    with building(target) as made:
        made.mkdir()
        files = []
        for name in PUBLISHED:
            if name == CONFIG:
                (made / name).write_text(_portable(source / name, manifest.base_model))
            else:
                shutil.copyfile(source / name, made / name)
            files.append(
                ManifestFile(
                    name=name, bytes=(made / name).stat().st_size, sha256=sha256_of(made / name)
                )
            )
        whole = manifest.model_copy(update={"files": tuple(files)})
        (made / MANIFEST).write_text(_document(whole))
        # What lies there is of an attempt that never published it: no row names it.
        discard(target)
    return whole


def _document(manifest: AdapterManifest) -> str:
    """Writes the manifest as JSON, which has no NaN (RFC 8259, section 6)."""
    values = manifest.model_dump(mode="json")
    try:
        return json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n"
    except ValueError:
        raise NonFiniteError(
            f"a number in the manifest of the adapter {manifest.id} is NaN or infinity"
        ) from None


def _portable(config: Path, base_model: str) -> str:
    """Names the base model in PEFT's configuration, which has its folder.

    A folder of this machine means nothing elsewhere.
    """
    return (
        json.dumps(
            {**json.loads(config.read_text()), "base_model_name_or_path": base_model},
            indent=2,
            sort_keys=True,
        )
        + "\n"
    )


def read_manifest(path: Path) -> AdapterManifest:
    """Reads the manifest of an adapter's folder. Raises EngineError."""
    try:
        return AdapterManifest.model_validate_json((path / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise EngineError(
            f"the adapter's manifest cannot be read: {type(error).__name__}"
        ) from None


def verify_adapter(path: Path) -> AdapterManifest:
    """Checks every file against the manifest, and that the weights are numbers.

    Raises EngineError at the first wrong byte, NonFiniteError.
    """
    manifest = read_manifest(path)
    if {file.name for file in manifest.files} != set(PUBLISHED):
        raise EngineError("the adapter's manifest does not list the adapter's files")
    for file in manifest.files:
        here = path / file.name
        if not here.is_file() or sha256_of(here) != file.sha256:
            raise EngineError(
                f"{file.name} of adapter {manifest.id} is not what was published:"
                " its SHA-256 differs"
            )
    # A digest proves that the file is what was published, not that what was published is any good.
    check_finite(path / WEIGHTS, f"the adapter {manifest.id}")
    return manifest


def lora_of(config: dict[str, Any]) -> dict[str, Json]:
    """Takes rank, alpha and targets out of PEFT's configuration, as the manifest names them."""
    return {
        "r": config["r"],
        "alpha": config["lora_alpha"],
        "targets": sorted(config["target_modules"]),
    }
