"""Reports of stages and their adapters' manifests, where no trainer has made them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inframind.models.adapter import AdapterManifest
from inframind.stages.base import SavedCheckpoint, StageReport


def report(
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any] | None = None,
    path: Path | str | None = None,
) -> StageReport:
    """Makes the report of a stage of one second."""
    values = {"metrics": metrics, "train_seconds": 1.0, "manifest": manifest, "path": path}
    return StageReport.model_validate(values)


def manifest(name: str, parent: str | None = None) -> dict[str, Any]:
    """Makes the manifest of an adapter that has no files."""
    return AdapterManifest(
        id=name,
        job_id="",
        base_model="inframind-nano",
        stage="sft",
        stage_index=0,
        parent=parent,
        quantization="none",
        lora={"r": 8},
        config={},
        dataset="inframind-bench",
        bench_hash="",
        seed=0,
        metrics={},
        train_seconds=1.0,
        versions={},
    ).model_dump(mode="json")


def checkpoint(step: int, path: Path | str = "/x", stage_index: int = 0) -> SavedCheckpoint:
    """Makes a checkpoint that nobody reads."""
    return SavedCheckpoint(stage_index=stage_index, step=step, path=Path(path), sha256="0" * 64)
