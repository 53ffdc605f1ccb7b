"""A stage's input, its context and the report that it leaves. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from inframind.models.adapter import AdapterManifest
from inframind.types import Contract, Json, Split

if TYPE_CHECKING:
    from inframind.judge.judgement import Judgement
    from inframind.judge.prompt import Case
    from inframind.types import Task


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
