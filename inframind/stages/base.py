"""Input and output of a stage. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field

from inframind.models.adapter import AdapterManifest
from inframind.types import Contract, Json, Rendering, Split

# Types alone: a run without a judge loads nothing of it.
if TYPE_CHECKING:
    from inframind.judge.judgement import Judgement
    from inframind.judge.prompt import Case
    from inframind.types import Task


class TrainedAdapter(Contract):
    """An adapter that a stage has trained, wherever a run, an evaluation or a job names one."""

    stage: str
    id: str
    # A path on the host that trains: what is stored and sent elsewhere names the id.
    folder: Path
    """Its published files, manifest.json among them."""
    train_seconds: float = 0.0
    """Time this run spent on it; 0 for the adapter that a run starts from."""


class SavedCheckpoint(Contract):
    """A whole checkpoint: its folder holds MANIFEST.json with this digest."""

    # A run may have two stages of one name: the index tells them apart. Columns have 32 bits.
    stage_index: int = Field(ge=0, lt=2**31)
    step: int = Field(ge=0, lt=2**31)
    path: Path
    # In hex digits (FIPS 180-4).
    sha256: str = Field(max_length=64)


class StageReport(Contract):
    """Result of a finished stage: its metrics and, if it trained one, its adapter."""

    metrics: dict[str, Json]
    train_seconds: float
    manifest: AdapterManifest | None = None
    path: Path | None = None
    """Folder of the adapter, if the stage made one."""

    # Made when it is asked for: the manifest is written last, by whoever checked the folder.
    @property
    def adapter(self) -> TrainedAdapter | None:
        """The stage's adapter as later stages know it."""
        if self.manifest is None or self.path is None:
            return None
        return TrainedAdapter(
            stage=self.manifest.stage,
            id=self.manifest.id,
            folder=self.path,
            train_seconds=self.train_seconds,
        )


@dataclass(frozen=True)
class Resume:
    """Finished stages and checkpoints of a job's earlier attempts."""

    finished: Mapping[int, StageReport] = field(default_factory=dict)
    checkpoints: tuple[SavedCheckpoint, ...] = ()


class AnswerJudge(Protocol):
    """Judges answers with a model that only the caller of the stage can reach."""

    described: Mapping[str, Json]
    """The model's name and fingerprint, and how far it is trusted."""

    def __call__(self, cases: "Sequence[tuple[Case, str]]") -> "list[Judgement]":
        """Judges answers, in order; no answer of the model, or none in time, is an abstention."""
        ...


class StageContext(Protocol):
    """Carries a stage's reports to whoever runs it, and the wish to stop back."""

    run_dir: Path
    """Folder of this attempt; nothing else writes there."""
    attempt: int
    resume: Resume
    judge: AnswerJudge | None
    """None if there is no judge model, or no stage asks it."""

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None: ...

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        """Reports a step.

        A metric without a value is left out; one that is NaN or infinite is a NonFiniteError.
        """
        ...

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
    """The run that a stage belongs to, and the adapters that it continues or evaluates."""

    job_id: str
    stage_index: int
    base_model: str
    dataset: str
    seed: int
    lineage: tuple[TrainedAdapter, ...] = ()
    """Every adapter of the run so far, the newest last."""
    models: tuple[TrainedAdapter, ...] = ()
    """Adapters of other runs that an evaluation names."""
    dataset_path: Path | None = None
    """File of the users' own dataset; None for the bench."""

    def tasks(
        self,
        split: Split,
        categories: Sequence[str] | None = None,
        max_difficulty: int = 5,
        limit: int | None = None,
    ) -> "list[Task]":
        """Loads the run's tasks of a split."""
        if self.dataset_path is not None:
            # Here: rows pull in the verifier, and who only reads a report needs neither.
            from inframind.datasets.store import load

            return load(self.dataset_path, split, categories, limit)
        from inframind.bench.load import load_tasks

        return load_tasks(split, categories=categories, max_difficulty=max_difficulty, limit=limit)

    @property
    def rendering(self) -> Rendering:
        """How the run's tasks are shown to a model: of one dataset all alike."""
        if self.dataset_path is None:
            return "fenced"
        # One row is enough: an upload renders all of its rows alike.
        return self.tasks("train", limit=1)[0].rendering

    @property
    def dataset_hash(self) -> str:
        """Names the version of the run's tasks by a hash of their content."""
        from inframind.bench.load import content_hash

        # Users' rows are named by the hash of their content: they need not be read again.
        return (
            content_hash()
            if self.dataset_path is None
            else f"sha256:{self.dataset_path.stem.removeprefix('ds-')}"
        )

    @property
    def parent(self) -> TrainedAdapter | None:
        """The adapter to continue; None for a fresh one."""
        # The newest: a stage continues what the one before it left.
        return self.lineage[-1] if self.lineage else None
