"""The real stages (TRL, PEFT, bitsandbytes) on the bundled model, with the real verifier."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from trl import GRPOTrainer

from inframind.bench.load import load_tasks
from inframind.bench.prompt import prompt
from inframind.errors import StoppedError
from inframind.generation.engine import Engine, Request
from inframind.models.adapter import sha256_of, verify_adapter
from inframind.pipeline import PipelineSpec, resolve_stages, run_pipeline
from inframind.stages.base import Resume, TrainedAdapter
from inframind.types import Verdict, VerifyRequest
from inframind.verifier.ladder import unscorable
from inframind.verifier.verifier import Verifier
from tests.support.recorder import JOB, NANO, Recorder

SMALL: dict[str, Any] = {"max_difficulty": 1, "lora": {"r": 8}}
SFT = {"stage": "sft", "max_steps": 4, "batch_size": 4, "save_every": 2, "max_length": 256, **SMALL}
ROLLOUTS = {"max_steps": 2, "prompts_per_step": 2, "num_generations": 4, "max_tokens": 64, **SMALL}
GRPO = {"stage": "grpo", **ROLLOUTS}
DAPO = {"stage": "dapo", "refill_rounds": 1, "overlong_buffer": 16, **ROLLOUTS}
EVALUATE = {
    "stage": "evaluate",
    "tasks": 6,
    "new_family_tasks": 2,
    "max_tokens": 64,
    "max_difficulty": 1,
}


def train(context: Recorder, *stages: dict[str, Any], seed: int = 0) -> Recorder:
    spec = PipelineSpec(
        job_id=JOB, base_model=NANO, seed=seed, stages=resolve_stages(NANO, stages=stages)
    )
    run_pipeline(spec, context)
    return context


def folder(context: Recorder, index: int) -> Path:
    return Path(context.finished[index].path or "")


def weights(context: Recorder, index: int) -> str:
    return sha256_of(folder(context, index) / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """Every stage in sequence."""
    return train(Recorder(tmp_path_factory.mktemp("whole")), SFT, GRPO, DAPO, EVALUATE)


def test_one_adapter_goes_through_all_stages_as_a_lineage(whole: Recorder) -> None:
    manifests = [verify_adapter(folder(whole, index)) for index in range(3)]
    assert [m.stage for m in manifests] == ["sft", "grpo", "dapo"]
    assert [m.parent for m in manifests] == [None, manifests[0].id, manifests[1].id]
    assert len({weights(whole, index) for index in range(3)}) == 3
    assert {m.base_model for m in manifests} == {NANO}


def test_adapters_fit_the_unmodified_base_and_what_vllm_loads(whole: Recorder) -> None:
    tensors = load_file(str(folder(whole, 2) / "adapter_model.safetensors"))
    assert {name.rpartition(".")[2] for name in tensors} == {"weight"}
    assert {name.split(".")[-2] for name in tensors} == {"lora_A", "lora_B"}
    assert not [
        path.name
        for path in folder(whole, 2).iterdir()
        if path.suffix not in (".json", ".safetensors")
    ]


def test_every_step_is_reported_with_what_a_person_watches(whole: Recorder) -> None:
    steps = [(index, step) for index, step, _ in whole.steps if index < 3]
    assert steps == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 1), (1, 2), (2, 1), (2, 2)]
    sft, dapo = whole.steps[0][2], whole.steps[7][2]
    assert {"loss", "tokens_per_second", "step_seconds"} <= set(sft)
    assert {
        "reward",
        "pass_rate",
        "generated_groups",
        "kept_share",
        "rungs/parse",
        "mean_length",
    } <= set(dapo)


def test_the_evaluation_asks_every_model_of_the_lineage(whole: Recorder) -> None:
    rows = whole.finished[3].metrics["rows"]
    assert isinstance(rows, list)
    assert [row["model"] for row in rows] == ["base", "sft", "grpo", "dapo"]
    assert all(row["n"] == 6 and row["new_families"]["n"] == 2 for row in rows)
    assert all(low <= row["pass_at_1"] <= high for row in rows for low, high in [row["ci95"]])
    assert all(sum(rate["n"] for rate in row["by_category"].values()) == row["n"] for row in rows)
    assert all(
        0 <= row["judge"]["rules"]["would_work"] <= 1
        and 0 <= row["judge"]["rules"]["overall"] <= 10
        for row in rows
    )


def test_an_evaluation_asks_the_models_that_are_named_and_no_others(
    whole: Recorder, tmp_path: Path
) -> None:
    manifests = [verify_adapter(folder(whole, index)) for index in (2, 0)]
    models = tuple(
        TrainedAdapter(stage=m.stage, id=m.id, folder=folder(whole, m.stage_index), train_seconds=1)
        for m in manifests
    )
    names = [m.id for m in manifests]
    stages = resolve_stages(NANO, stages=[{**EVALUATE, "models": [names[0], NANO, names[1]]}])
    context = Recorder(tmp_path)
    run_pipeline(PipelineSpec(job_id=JOB, base_model=NANO, stages=stages, models=models), context)
    rows, lineage_rows = context.finished[0].metrics["rows"], whole.finished[3].metrics["rows"]
    assert isinstance(rows, list) and isinstance(lineage_rows, list)
    assert [row["adapter"] for row in rows] == [names[0], None, names[1]]
    lineage = {row["adapter"]: row for row in lineage_rows}
    assert [row["pass_at_1"] for row in rows] == [
        lineage[row["adapter"]]["pass_at_1"] for row in rows
    ]


def test_dynamic_sampling_that_meets_its_cap_says_so_and_goes_on(tmp_path: Path) -> None:
    # Answers of 16 tokens are all cut off: no group has any variance.
    context = train(
        Recorder(tmp_path), {**DAPO, "max_steps": 1, "max_tokens": 16, "overlong_buffer": 8}
    )
    assert ("warn", "refill_cap") in context.events
    assert context.steps[0][2]["kept_share"] == 0.0
    assert context.steps[0][2]["generated_groups"] == 4


@pytest.mark.parametrize("stage", [GRPO, DAPO])
def test_an_answer_that_crashes_a_checker_is_neither_rewarded_nor_punished(
    stage: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, generate = Verifier.verify_many, GRPOTrainer._generate_and_score_completions
    advantages: list[torch.Tensor] = []

    def crash_on_every_second(self: Verifier, requests: list[VerifyRequest]) -> list[Verdict]:
        crash = [unscorable(request, "", rule="checker-crash") for request in requests]
        return [v if i % 4 != 1 else crash[i] for i, v in enumerate(judge(self, requests))]

    def note(self: Any, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = generate(self, inputs)
        advantages.append(batch["advantages"].view(-1, 4).cpu())
        return batch

    monkeypatch.setattr(Verifier, "verify_many", crash_on_every_second)
    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", note)
    context = train(Recorder(tmp_path), stage)
    rows = torch.cat(advantages)
    assert rows.abs().sum() > 0
    assert not rows[:, 1].any()
    assert {step["unscorable_rate"] for _, _, step in context.steps} == {0.25}
    assert {("warn", "checker_crash"), ("warn", "checker_crashes")} <= set(context.events)


@pytest.mark.parametrize("stage", [SFT, {**GRPO, "max_steps": 3}])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    stage: dict[str, Any], tmp_path: Path
) -> None:
    undisturbed = train(Recorder(tmp_path / "a"), stage)
    stopped = Recorder(tmp_path / "b", stop_at=(0, 1))
    with pytest.raises(StoppedError):
        train(stopped, stage)
    assert stopped.checkpoints and not stopped.finished
    again = Recorder(tmp_path / "c", Resume(checkpoints=tuple(stopped.checkpoints)), attempt=2)
    train(again, stage)
    assert ("info", "resumed") in again.events
    assert again.steps[0][1] == stopped.checkpoints[-1].step + 1
    assert weights(again, 0) == weights(undisturbed, 0)


@pytest.mark.parametrize("stage", [SFT, {**GRPO, "max_steps": 2}])
def test_a_run_whose_last_step_was_saved_trains_no_more(
    stage: dict[str, Any], tmp_path: Path
) -> None:
    """A chaos run found it: resumed from the last step, transformers trained one step too many."""
    done = train(Recorder(tmp_path / "a"), {**stage, "save_every": 1})
    assert done.checkpoints[-1].step == stage["max_steps"]
    again = Recorder(tmp_path / "b", Resume(checkpoints=tuple(done.checkpoints)), attempt=2)
    train(again, {**stage, "save_every": 1})
    assert not again.steps and weights(again, 0) == weights(done, 0)


def test_a_torn_checkpoint_is_passed_over(tmp_path: Path) -> None:
    stopped = Recorder(tmp_path / "a", stop_at=(0, 2))
    with pytest.raises(StoppedError):
        train(stopped, {**SFT, "save_every": 1})
    newest = stopped.checkpoints[-1].path / "optimizer.pt"
    newest.write_bytes(newest.read_bytes()[:-1])
    again = Recorder(tmp_path / "b", Resume(checkpoints=tuple(stopped.checkpoints)), attempt=2)
    train(again, {**SFT, "save_every": 1})
    assert ("warn", "checkpoint_torn") in again.events
    assert again.steps[0][1] == stopped.checkpoints[-1].step
    assert weights(again, 0) == weights(train(Recorder(tmp_path / "c"), SFT), 0)


def test_finished_stages_are_not_run_again(whole: Recorder, tmp_path: Path) -> None:
    context = Recorder(tmp_path, Resume(finished={0: whole.finished[0]}), attempt=2)
    train(context, SFT, GRPO)
    assert {index for index, _, _ in context.steps} == {1}
    assert context.finished[1].manifest is not None
    assert context.finished[1].manifest.parent == whole.finished[0].manifest.id  # type: ignore[union-attr]  # it trained


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    first = train(Recorder(tmp_path / "a"), SFT)
    other = train(Recorder(tmp_path / "b"), SFT, seed=1)
    assert weights(first, 0) != weights(other, 0)


def test_qlora_trains_four_bit_weights_and_serves_on_the_plain_base(tmp_path: Path) -> None:
    context = train(
        Recorder(tmp_path),
        {**SFT, "quantization": "nf4"},
        {**GRPO, "quantization": "nf4", "max_steps": 1},
    )
    manifest = verify_adapter(folder(context, 1))
    assert manifest.quantization == "nf4"
    engine = Engine(NANO, "cpu")
    (task,) = load_tasks("test-values", max_difficulty=1, limit=1)
    text = engine.tokenizer.apply_chat_template(
        prompt(task), add_generation_prompt=True, tokenize=False
    )
    before = engine.generate([Request(text, None, 32)])[0]
    engine.add_adapter(manifest.id, folder(context, 1))
    assert engine.generate([Request(text, None, 32)])[0] == before
    assert engine.generate([Request(text, manifest.id, 32)])[0].completion_tokens > 0
    assert all(
        torch.isfinite(t).all()
        for t in load_file(str(folder(context, 1) / "adapter_model.safetensors")).values()
    )
