"""How far a job is, and how long it will take: measured seconds per step, and a guess for the stages that are still to come."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from inframind.stages.config import StageConfig

USUAL_STEPS = 100
"""Steps whose median is the usual one."""
STALLED_STEPS = 10
"""So many usual steps without a step are a stall, if they are longer than the setting."""


@dataclass
class Stage:
    """One stage's share of the work."""

    steps: int
    guess: float
    """Seconds per step while nothing is measured: only the ratios of the stages matter."""
    done: int = 0
    first: tuple[int, float] | None = None
    """Step and time of the attempt's first report: what came before it is loading, which says nothing of the steps."""
    seconds_per_step: float | None = None
    """Measured between reports; before the second report, not yet."""


@dataclass
class Estimate:
    """Fed with the trainer's reports."""

    stages: list[Stage] = field(default_factory=list)
    shown: float = 0.0

    @classmethod
    def of(cls, stages: Iterable[StageConfig], finished: Sequence[int]) -> "Estimate":
        """Begins with a job's stages and the indices of those that an earlier attempt finished."""
        return cls(
            [
                Stage(
                    stage.total_steps,
                    stage.seconds_per_step,
                    stage.total_steps if index in finished else 0,
                )
                for index, stage in enumerate(stages)
            ]
        )

    def step(self, index: int, step: int, now: float) -> None:
        """A stage has done `step` steps."""
        stage = self.stages[index]
        stage.done = min(step, stage.steps)
        if stage.first is None:
            stage.first = (step, now)
        elif step > stage.first[0]:
            stage.seconds_per_step = (now - stage.first[1]) / (step - stage.first[0])

    def finish(self, index: int) -> None:
        """A stage is done."""
        self.stages[index].done = self.stages[index].steps

    def _costs(self) -> list[float]:
        measured = [
            (s.seconds_per_step * s.done, s.guess * s.done)
            for s in self.stages
            if s.seconds_per_step is not None
        ]
        guessed = sum(guess for _, guess in measured)
        scale = sum(seconds for seconds, _ in measured) / guessed if guessed else 1.0
        return [
            s.guess * scale if s.seconds_per_step is None else s.seconds_per_step
            for s in self.stages
        ]

    def progress(self) -> float:
        """Share of the work that is done, 0..1. Never less than before: a better guess of the rest is no step back."""
        costs = self._costs()
        total = sum(cost * stage.steps for cost, stage in zip(costs, self.stages, strict=True))
        done = sum(cost * stage.done for cost, stage in zip(costs, self.stages, strict=True))
        self.shown = max(self.shown, min(1.0, done / total) if total else 0.0)
        return self.shown

    def eta_seconds(self) -> float | None:
        """Seconds of work left; None before the first measured step."""
        if all(stage.seconds_per_step is None for stage in self.stages):
            return None
        return sum(
            cost * (stage.steps - stage.done)
            for cost, stage in zip(self._costs(), self.stages, strict=True)
        )


class StallDetector:
    """Says when a trainer that still lives has stopped to get on."""

    def __init__(self, shortest_seconds: float, now: float) -> None:
        self._shortest = shortest_seconds
        self._moved_at = now
        self._steps: deque[float] = deque(maxlen=USUAL_STEPS)

    def moved(self, now: float, *, step: bool = False) -> None:
        """The trainer got on: a step, a stage or a checkpoint. What it merely says is no progress."""
        if step:
            self._steps.append(now - self._moved_at)
        self._moved_at = now

    @property
    def limit_seconds(self) -> float:
        """The longest time without progress: max(10 usual steps, the setting)."""
        return max(self._shortest, STALLED_STEPS * median(self._steps) if self._steps else 0.0)

    def is_stalled(self, now: float) -> bool:
        """Whether that time has passed."""
        return now - self._moved_at > self.limit_seconds
