"""A run's context that records, and adapters with random weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from inframind.models.adapter import AdapterManifest, publish
from inframind.models.registry import base_model_path
from inframind.stages.base import Resume, SavedCheckpoint, StageReport

NANO = "inframind-nano"
JOB = "0198f3c2-a7b4-7c31-9f00-3d2a5b6c7d8e"


class Recorder:
    """A run's context that keeps what it is told. `stop_at`: the (stage index, step) after which it asks to stop."""

    def __init__(
        self, run_dir: Path, resume: Resume | None = None, attempt: int = 1, stop_at: tuple[int, int] | None = None
    ) -> None:
        self.run_dir, self.attempt, self.resume = run_dir, attempt, resume or Resume()
        self.stop_at = stop_at
        self.steps: list[tuple[int, int, Mapping[str, float]]] = []
        self.events: list[tuple[str, str]] = []
        self.checkpoints: list[SavedCheckpoint] = []
        self.finished: dict[int, StageReport] = {}

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None:
        pass

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        self.steps.append((stage_index, step, metrics))

    def event(self, level: str, code: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        self.events.append((level, code))

    def checkpoint(self, saved: SavedCheckpoint) -> None:
        self.checkpoints.append(saved)

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None:
        self.finished[stage_index] = report

    def should_stop(self) -> bool:
        # Asked between the step's end and its report.
        last = max(((index, step) for index, step, _ in self.steps), default=(-1, 0))
        return self.stop_at is not None and last >= self.stop_at


def make_adapter(folder: Path, name: str, seed: int) -> Path:
    """A published adapter with random weights that change answers."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base_model_path(NANO))
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    raw = folder / f"{name}.raw"
    get_peft_model(model, lora).save_pretrained(str(raw))
    manifest = AdapterManifest(
        id=name, job_id=JOB, base_model=NANO, stage="sft", stage_index=0, parent=None, quantization="none", lora={"r": 8},
        config={}, dataset="inframind-bench", bench_hash="", seed=seed, metrics={}, train_seconds=0.0, versions={},
    )  # fmt: skip
    publish(raw, folder / name, manifest)
    return folder / name
