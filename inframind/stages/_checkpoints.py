"""Checkpoints that are whole or nothing, of numbers alone.

A manifest of digests, written last, commits one; only while every byte is the same, and no number
in it is NaN or infinite, is it resumed from.
"""

import json
from pathlib import Path

from inframind.durable import sync, write_whole
from inframind.errors import NonFiniteError, TrainingError
from inframind.models.adapter import WEIGHTS, sha256_of
from inframind.models.weights import check_finite
from inframind.stages.base import SavedCheckpoint, StageContext

OPTIMIZER = "optimizer.pt"
CHECKPOINT_FILES = (
    WEIGHTS,
    OPTIMIZER,
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
)
MANIFEST = "MANIFEST.json"


def commit(folder: Path, stage_index: int, step: int) -> SavedCheckpoint:
    """Syncs every file of a checkpoint and lists their digests in MANIFEST.json, written last.

    Raises TrainingError if a file is missing, NonFiniteError.
    """
    # transformers would write its arguments as a pickle, which nobody here ever loads.
    (folder / "training_args.bin").unlink(missing_ok=True)
    missing = [name for name in CHECKPOINT_FILES if not (folder / name).is_file()]
    if missing:
        raise TrainingError(f"the checkpoint of step {step} lacks {', '.join(missing)}")
    check_numbers(folder, step)
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


def check_numbers(folder: Path, step: int) -> None:
    """Looks at a checkpoint's weights and at what its optimizer remembers.

    Raises NonFiniteError, EngineError for weights in no whole file.
    """
    import torch

    check_finite(folder / WEIGHTS, f"the checkpoint of step {step}")
    remembered = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
    # Moments that are NaN make the weights NaN one step after the checkpoint.
    for moments in remembered["state"].values():
        for name, value in moments.items():
            if torch.is_tensor(value) and not value.isfinite().all():
                raise NonFiniteError(
                    f"{name} in the optimizer of the checkpoint of step {step} holds NaN or"
                    " infinity: lower `learning_rate`"
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
    """Finds the newest checkpoint of the stage that is whole and of numbers alone.

    Others are passed over, with an event each.
    """
    mine = [saved for saved in context.resume.checkpoints if saved.stage_index == stage_index]
    for saved in sorted(mine, key=lambda saved: saved.step, reverse=True):
        if not is_whole(saved):
            context.event(
                "warn",
                "checkpoint_torn",
                f"the checkpoint of step {saved.step} is not whole: an older one is used",
            )
            continue
        try:
            # Asked again: it may be from a version that did not look.
            check_numbers(saved.path, saved.step)
        except NonFiniteError as error:
            context.event("warn", "checkpoint_non_finite", f"{error}: an older checkpoint is used")
            continue
        return saved
    return None
