"""What a stage trains on is what a dataset's rows are shown as, to the token."""

from pathlib import Path
from typing import Any

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer, prompt
from inframind.datasets.rendering import IGNORED, render_task
from inframind.datasets.store import name_of, save
from inframind.models.adapter import verify_adapter
from inframind.models.tokenizer import load_tokenizer
from inframind.pipeline import PipelineSpec, resolve_stages, run_pipeline
from inframind.stages import _training
from inframind.types import Task, Turn
from tests.support.recorder import JOB, NANO, Recorder


def rows_as_given() -> list[Task]:
    def row(index: int) -> Task:
        said = [
            Turn(role="user", content=f"q{index}"),
            Turn(role="assistant", content="Which image?", weight=index % 2),
            Turn(role="user", content=f"debian:{index}"),
            Turn(role="assistant", content=f"Here:\n```\nFROM debian:{index}\n```"),
        ]
        return Task(
            id=f"own/{index}",
            category="dockerfile",
            family="own/dockerfile",
            instruction=f"q{index}\n\ndebian:{index}",
            reference=f"FROM debian:{index}\n",
            difficulty=1,
            split="train" if index else "test-values",
            messages=tuple(said),
        )

    return [row(index) for index in range(8)]


def test_the_tokens_are_those_of_transformers_and_trls_completion_mask() -> None:
    tokenizer = load_tokenizer(NANO)
    for task in load_tasks("train", max_difficulty=2, limit=200):
        asked = prompt(task)
        whole = [*asked, {"role": "assistant", "content": answer(task)}]
        prompt_ids, ids = (
            tokenizer.apply_chat_template(
                messages, add_generation_prompt=messages is asked, return_dict=True
            )["input_ids"]
            for messages in (asked, whole)
        )
        rendered = render_task(task, NANO)
        assert rendered.input_ids == ids
        assert rendered.labels == [IGNORED] * len(prompt_ids) + ids[len(prompt_ids) :]


def test_a_stage_trains_on_the_rows_as_given_and_its_manifest_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = rows_as_given()
    path = save(tasks, tmp_path)
    trained: list[dict[str, Any]] = []
    original = _training.train_and_publish

    def noted(trainer: Any, *rest: Any) -> Any:
        trained.extend(trainer.train_dataset)
        return original(trainer, *rest)

    monkeypatch.setattr(_training, "train_and_publish", noted)
    stage = {"stage": "sft", "max_steps": 2, "batch_size": 4, "lora": {"r": 8}}
    spec = PipelineSpec(
        job_id=JOB,
        base_model=NANO,
        dataset=name_of(tasks),
        dataset_path=path,
        stages=resolve_stages(NANO, stages=[stage]),
    )
    context = Recorder(tmp_path / "run")
    run_pipeline(spec, context)
    rendered = [render_task(task, NANO) for task in tasks if task.split == "train"]
    shown = sorted((row.input_ids, row.labels) for row in rendered)
    assert sorted((row["input_ids"], row["labels"]) for row in trained) == shown
    manifest = verify_adapter(Path(context.finished[0].path or ""))
    assert manifest.rendering == "as_given"
