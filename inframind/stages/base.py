"""What every stage has: its configuration, its context and the numbers it reports. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field, model_validator

from inframind.models.adapter import AdapterManifest
from inframind.types import Contract, Json, Split

if TYPE_CHECKING:
    from inframind.judge.judgement import Judgement
    from inframind.judge.prompt import Case
    from inframind.types import Task

RANKS = (8, 16, 32, 64, 128, 256)
"""LoRA ranks that vLLM serves (vllm/config/lora.py)."""

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Every linear module of a layer, as Qwen2's architecture names them."""


class Lora(Contract):
    """The adapter that a first training stage makes. A later stage continues its parent's."""

    r: Literal[8, 16, 32, 64, 128, 256] = 16
    """Rank; vLLM's server must be started with at least this `--max-lora-rank`."""
    alpha: int = Field(default=32, ge=1, le=1024)
    """Scale: the update is multiplied by alpha / r."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    targets: tuple[str, ...] = Field(default=LORA_TARGETS, min_length=1, max_length=16)
    """Linear modules of each layer that the adapter changes."""


class TrainingConfig(Contract):
    """What the training stages share."""

    max_steps: int = Field(ge=1, le=100_000)
    """Optimizer steps."""
    learning_rate: float = Field(gt=0.0, le=0.1)
    """Peak rate of AdamW, constant after the warm-up."""
    warmup_steps: int = Field(default=3, ge=0, le=10_000)
    lora: Lora = Lora()
    quantization: Literal["none", "nf4"] = "none"
    """`nf4`: the base model's weights in four bits (QLoRA, arXiv:2305.14314)."""
    max_difficulty: int = Field(default=5, ge=1, le=5)
    categories: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=32)
    """Only tasks of these categories; null: all."""
    save_every: int = Field(default=10, ge=1, le=10_000)
    """Steps between whole checkpoints."""


class RolloutConfig(TrainingConfig):
    """What the stages with rollouts share. A step generates `prompts_per_step` x `num_generations` answers."""

    prompts_per_step: int = Field(default=8, ge=1, le=512)
    num_generations: int = Field(default=8, ge=2, le=64)
    """Answers per prompt: the group whose mean is the baseline."""
    max_tokens: int = Field(default=512, ge=16, le=8192)
    """Longest answer."""
    temperature: float = Field(default=1.0, gt=0.0, le=2.0)
    micro_batch: int | None = Field(default=None, ge=1, le=4096)
    """Answers per backward pass, to fit the memory; null: all of a step at once."""

    @model_validator(mode="after")
    def _divisible(self) -> "RolloutConfig":
        answers = self.prompts_per_step * self.num_generations
        if answers > 8192:
            raise ValueError(f"prompts_per_step x num_generations is {answers}; at most 8192")
        if self.micro_batch is not None and (
            answers % self.micro_batch or self.micro_batch % self.num_generations
        ):
            raise ValueError(
                f"micro_batch must divide {answers} and be a multiple of num_generations ({self.num_generations})"
            )
        return self


class StageReport(Contract):
    """What a finished stage leaves."""

    metrics: dict[str, Json]
    train_seconds: float
    manifest: AdapterManifest | None = None
    path: str | None = None
    """Folder of the adapter, if the stage made one."""


@dataclass(frozen=True)
class SavedCheckpoint:
    """A whole checkpoint: its folder holds MANIFEST.json with this digest."""

    stage_index: int
    step: int
    path: Path
    sha256: str


@dataclass(frozen=True)
class Resume:
    """What an earlier attempt of the job has left."""

    finished: Mapping[int, StageReport] = field(default_factory=dict)
    checkpoints: tuple[SavedCheckpoint, ...] = ()


class AnswerJudge(Protocol):
    """A judge model, as whoever runs the stage knows it."""

    described: Mapping[str, Json]
    """Its name and fingerprint, and how far it is trusted."""

    def __call__(self, asked: "Sequence[tuple[Case, str]]") -> "list[Judgement]":
        """Judges answers; one that it does not understand, or not in time, is an abstention."""
        ...


class StageContext(Protocol):
    """How a stage talks to whoever runs it."""

    run_dir: Path
    """Folder of this attempt; nothing else writes there."""
    attempt: int
    resume: Resume
    judge: AnswerJudge | None
    """None: there is no judge model, or no stage asks it."""

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None: ...

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None: ...

    def event(
        self,
        level: Literal["info", "warn", "error"],
        code: str,
        message: str,
        data: Mapping[str, Any] | None = None,
    ) -> None: ...

    def checkpoint(self, saved: SavedCheckpoint) -> None: ...

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None: ...

    def should_stop(self) -> bool: ...


@dataclass(frozen=True)
class StageInput:
    """What a stage gets: the run it belongs to and the adapter it continues."""

    job_id: str
    stage_index: int
    base_model: str
    dataset: str
    seed: int
    lineage: tuple[tuple[str, str, Path, float], ...] = ()
    """(stage, adapter id, folder, training seconds) of every adapter so far, the newest last."""
    models: tuple[tuple[str, str, Path, float], ...] = ()
    """The same of other adapters that an evaluation names."""

    dataset_path: Path | None = None
    """File of the users' own dataset; None: the bench."""

    def tasks(
        self,
        split: Split,
        categories: Sequence[str] | None = None,
        max_difficulty: int = 5,
        limit: int | None = None,
    ) -> "list[Task]":
        """The run's tasks of a split."""
        if self.dataset_path is not None:
            from inframind.datasets.store import load

            return load(self.dataset_path, split, categories, limit)
        from inframind.bench.load import load_tasks

        return load_tasks(split, categories=categories, max_difficulty=max_difficulty, limit=limit)

    @property
    def dataset_hash(self) -> str:
        """The content that names the version of the run's tasks."""
        from inframind.bench.load import content_hash

        return (
            content_hash()
            if self.dataset_path is None
            else f"sha256:{self.dataset_path.stem.removeprefix('ds-')}"
        )

    @property
    def parent(self) -> tuple[str, Path] | None:
        """Id and folder of the adapter to continue."""
        return (self.lineage[-1][1], self.lineage[-1][2]) if self.lineage else None
