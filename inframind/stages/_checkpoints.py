"""Checkpoints that are whole or nothing.

A manifest of digests, written last, commits one; only while every byte is the same is it resumed
from.
"""

import json
from pathlib import Path

from inframind.durable import sync, write_whole
from inframind.errors import TrainingError
from inframind.models.adapter import sha256_of
from inframind.stages.base import SavedCheckpoint, StageContext

CHECKPOINT_FILES = (
    "adapter_model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
)
MANIFEST = "MANIFEST.json"


def commit(folder: Path, stage_index: int, step: int) -> SavedCheckpoint:
    """Syncs every file of a checkpoint and lists their digests in MANIFEST.json, written last.

    Raises TrainingError if a file is missing.
    """
    # transformers would write its arguments as a pickle, which nobody here ever loads.
    (folder / "training_args.bin").unlink(missing_ok=True)
    missing = [name for name in CHECKPOINT_FILES if not (folder / name).is_file()]
    if missing:
        raise TrainingError(f"the checkpoint of step {step} lacks {', '.join(missing)}")
    names = sorted(
        path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST
    )
    for name in names:
        sync(folder / name)
    digests = {name: sha256_of(folder / name) for name in names}
    # Last, when all that it lists is on the disk: its rename is what commits the checkpoint.
    document = json.dumps({"step": step, "files": digests}, sort_keys=True)
    write_whole(folder / MANIFEST, document.encode())
    return SavedCheckpoint(
        stage_index=stage_index, step=step, path=folder, sha256=sha256_of(folder / MANIFEST)
    )


def is_whole(saved: SavedCheckpoint) -> bool:
    """Compares every byte of the checkpoint with what was committed."""
    manifest = saved.path / MANIFEST
    if not manifest.is_file() or sha256_of(manifest) != saved.sha256:
        return False
    files = json.loads(manifest.read_text())["files"]
    return all(
        (saved.path / name).is_file() and sha256_of(saved.path / name) == digest
        for name, digest in files.items()
    )


def newest_whole(context: StageContext, stage_index: int) -> SavedCheckpoint | None:
    """Finds the newest checkpoint of the stage that is whole; a torn one is passed over."""
    mine = [saved for saved in context.resume.checkpoints if saved.stage_index == stage_index]
    for saved in sorted(mine, key=lambda saved: saved.step, reverse=True):
        if is_whole(saved):
            return saved
        context.event(
            "warn",
            "checkpoint_torn",
            f"the checkpoint of step {saved.step} is not whole: an older one is used",
        )
    return None
