"""Torn checkpoints: whatever a crash or a disk leaves, none is taken for whole."""

from pathlib import Path

import pytest
import torch

from inframind.errors import NonFiniteError, TrainingError
from inframind.stages._checkpoints import (
    CHECKPOINT_FILES,
    OPTIMIZER,
    commit,
    is_whole,
    newest_whole,
)
from inframind.stages.base import Resume, SavedCheckpoint
from tests.support.recorder import Recorder
from tests.support.weights import write_checkpoint

MANIFEST = "MANIFEST.json"


def made(folder: Path, step: int) -> SavedCheckpoint:
    """A checkpoint with files of the right names."""
    path = folder / f"checkpoint-{step}"
    write_checkpoint(path, f"of step {step}")
    return commit(path, 0, step)


@pytest.mark.parametrize("name", [*CHECKPOINT_FILES, MANIFEST])
def test_f16_every_file_cut_at_every_byte_or_gone_is_noticed(tmp_path: Path, name: str) -> None:
    saved = made(tmp_path, 1)
    assert is_whole(saved)
    file = saved.path / name
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert not is_whole(saved), length
    file.unlink()
    assert not is_whole(saved)
    file.write_bytes(whole)
    assert is_whole(saved)


@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_a_checkpoint_that_lacks_a_file_is_never_registered(tmp_path: Path, name: str) -> None:
    saved = made(tmp_path, 1)
    (saved.path / name).unlink()
    with pytest.raises(TrainingError, match=name):
        commit(saved.path, 0, 1)


def test_what_the_optimizer_remembers_is_looked_at_too(tmp_path: Path) -> None:
    """Moments of NaN make the weights NaN one step after the checkpoint."""
    write_checkpoint(tmp_path)
    moments = {"exp_avg": torch.tensor([0.0, torch.inf]), "step": 3}
    torch.save({"state": {7: moments}, "param_groups": []}, tmp_path / OPTIMIZER)
    with pytest.raises(NonFiniteError, match=r"exp_avg .* step 3"):
        commit(tmp_path, 0, 3)
    assert not (tmp_path / MANIFEST).exists()


def test_the_newest_whole_one_is_taken_and_with_none_it_starts_again(tmp_path: Path) -> None:
    saved = [made(tmp_path, step) for step in (1, 2, 3)]
    context = Recorder(tmp_path / "run", resume=Resume(checkpoints=tuple(saved)))
    for gone in (3, 2, 1, 0):
        checkpoint = newest_whole(context, 0)
        assert (checkpoint.step if checkpoint else 0) == gone
        if gone:
            (saved[gone - 1].path / "optimizer.pt").write_bytes(b"")
