"""A run whose numbers turn NaN ends at that step with a code, and leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers.trainer
from transformers import TrainerCallback

from inframind.errors import NonFiniteError, StoppedError
from inframind.models.adapter import WEIGHTS
from inframind.pipeline import PipelineSpec, resolve_stages, run_pipeline
from inframind.stages import _checkpoints
from inframind.stages.base import Resume, TrainedAdapter
from tests.support.poisoned_trainer import AfterUpdate, BeforeStep
from tests.support.recorder import JOB, NANO, Recorder
from tests.support.weights import fill, poison

SMALL: dict[str, Any] = {"max_difficulty": 1, "lora": {"r": 8}, "save_every": 1}
SFT = {"stage": "sft", "max_steps": 3, "batch_size": 2, "max_length": 256, **SMALL}
ROLLOUTS = {"max_steps": 3, "prompts_per_step": 2, "num_generations": 4, "max_tokens": 32, **SMALL}
GRPO = {"stage": "grpo", **ROLLOUTS}
DAPO = {"stage": "dapo", "refill_rounds": 0, "overlong_buffer": 16, **ROLLOUTS}


def train(context: Recorder, stage: dict[str, Any], start: TrainedAdapter | None = None) -> None:
    spec = PipelineSpec(
        job_id=JOB, base_model=NANO, start_from=start, stages=resolve_stages(NANO, stages=[stage])
    )
    run_pipeline(spec, context)


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Every trainer of transformers has the callback that poisons it."""
    callbacks: list[type[TrainerCallback]] = [
        *transformers.trainer.DEFAULT_CALLBACKS,
        request.param,
    ]
    monkeypatch.setattr(transformers.trainer, "DEFAULT_CALLBACKS", callbacks)


@pytest.mark.parametrize("poisoned", [AfterUpdate], indirect=True)
@pytest.mark.parametrize("quantization", ["none", "nf4"])
@pytest.mark.parametrize("stage", [SFT, GRPO, DAPO], ids=lambda stage: stage["stage"])
def test_an_update_that_leaves_nan_ends_the_stage_at_that_step(
    poisoned: None, stage: dict[str, Any], quantization: str, tmp_path: Path
) -> None:
    context = Recorder(tmp_path)
    with pytest.raises(NonFiniteError, match=r"at step 1: .*lower `learning_rate`") as caught:
        train(context, {**stage, "quantization": quantization})
    assert (caught.value.code, caught.value.param) == ("non_finite", "stages.0.learning_rate")
    assert not (context.steps or context.checkpoints or context.finished)
    assert not list(tmp_path.rglob("manifest.json")), "nothing was published"


@pytest.mark.parametrize("poisoned", [BeforeStep], indirect=True)
@pytest.mark.parametrize(
    ("stage", "said"),
    [(SFT, "at step 2: its loss is nan"), (GRPO, "after step 1: the model's scores are")],
    ids=["sft", "grpo"],
)
def test_numbers_that_turn_nan_within_a_step_end_it_there(
    poisoned: None, stage: dict[str, Any], said: str, tmp_path: Path
) -> None:
    context = Recorder(tmp_path)
    with pytest.raises(NonFiniteError, match=said):
        train(context, stage)
    assert [step for _, step, _ in context.steps] == [1]
    assert [saved.step for saved in context.checkpoints] == [1] and not context.finished


def test_a_checkpoint_that_holds_nan_is_passed_over_whoever_committed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Recorder(tmp_path / "a", stop_at=(0, 2))
    with pytest.raises(StoppedError):
        train(stopped, {**SFT, "max_steps": 4})
    *_, older, newest = stopped.checkpoints
    fill(newest.path / WEIGHTS, float("nan"), last_only=True)
    with pytest.raises(NonFiniteError, match=f"the checkpoint of step {newest.step}"):
        _checkpoints.commit(newest.path, 0, newest.step)
    with monkeypatch.context() as version_before:
        version_before.setattr(_checkpoints, "check_numbers", lambda *_: None)
        poisoned = _checkpoints.commit(newest.path, 0, newest.step)
    again = Recorder(tmp_path / "b", Resume(checkpoints=(older, poisoned)), attempt=2)
    train(again, {**SFT, "max_steps": 4})
    assert ("warn", "checkpoint_non_finite") in again.events
    assert again.steps[0][1] == older.step + 1 and again.finished


def test_an_adapter_of_nan_is_not_continued(
    make_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_adapter(tmp_path, "im-broken", 3)
    poison(folder)
    parent = TrainedAdapter(stage="sft", id="im-broken", folder=folder)
    context = Recorder(tmp_path / "run")
    with pytest.raises(NonFiniteError, match="weights of the adapter im-broken"):
        train(context, SFT, parent)
    assert not context.steps


def test_weights_whose_answers_overflow_are_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finite in themselves; the products are not."""
    monkeypatch.setattr(AfterUpdate, "step", SFT["max_steps"])
    monkeypatch.setattr(AfterUpdate, "value", 3e38)
    callbacks = [*transformers.trainer.DEFAULT_CALLBACKS, AfterUpdate]
    monkeypatch.setattr(transformers.trainer, "DEFAULT_CALLBACKS", callbacks)
    for quantization in ("none", "nf4"):
        context = Recorder(tmp_path / quantization)
        with pytest.raises(NonFiniteError, match="the adapter's answers hold NaN"):
            train(context, {**SFT, "quantization": quantization})
        assert not context.finished
