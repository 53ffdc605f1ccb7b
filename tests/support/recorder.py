"""A context for stages that keeps what they report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inframind.stages.base import AnswerJudge, Resume, SavedCheckpoint, StageReport

NANO = "inframind-nano"
JOB = "0198f3c2-a7b4-7c31-9f00-3d2a5b6c7d8e"


class Recorder:
    """Keeps reports in lists, and asks to stop after the (stage index, step) `stop_at`."""

    def __init__(
        self,
        run_dir: Path,
        resume: Resume | None = None,
        attempt: int = 1,
        stop_at: tuple[int, int] | None = None,
    ) -> None:
        self.run_dir, self.attempt, self.resume = run_dir, attempt, resume or Resume()
        self.stop_at = stop_at
        self.judge: AnswerJudge | None = None
        self.steps: list[tuple[int, int, Mapping[str, float]]] = []
        self.events: list[tuple[str, str]] = []
        self.event_data: list[Mapping[str, Any]] = []
        self.checkpoints: list[SavedCheckpoint] = []
        self.finished: dict[int, StageReport] = {}

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None:
        pass

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        self.steps.append((stage_index, step, metrics))

    def event(
        self, level: str, code: str, message: str, data: Mapping[str, Any] | None = None
    ) -> None:
        self.events.append((level, code))
        self.event_data.append(data or {})

    def checkpoint(self, saved: SavedCheckpoint) -> None:
        self.checkpoints.append(saved)

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None:
        self.finished[stage_index] = report

    def should_stop(self) -> bool:
        # Asked between the step's end and its report.
        last = max(((index, step) for index, step, _ in self.steps), default=(-1, 0))
        return self.stop_at is not None and last >= self.stop_at
