"""Tells how far a job is, how long it will take, and whether it has stopped to get on."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from inframind.stages.config import StageConfig

USUAL_STEPS = 100
"""Steps whose median is the usual time of one."""
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
    """Step and time of the attempt's first report: before it is loading, not steps."""
    seconds_per_step: float | None = None
    """Measured from the second report on."""


@dataclass
class Estimate:
    """Estimates progress from the trainer's reports.

    Stages still to come cost their guess, scaled by what the measured stages cost of theirs.
    """

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
        """Notes that a stage has done `step` steps."""
        stage = self.stages[index]
        stage.done = min(step, stage.steps)
        if stage.first is None:
            stage.first = (step, now)
        elif step > stage.first[0]:
            stage.seconds_per_step = (now - stage.first[1]) / (step - stage.first[0])

    def finish(self, index: int) -> None:
        """Notes that a stage is done."""
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
        """Gives the share of the work that is done, 0..1.

        It is never less than before: a better guess of the rest is no step back.
        """
        costs = self._costs()
        total = sum(cost * stage.steps for cost, stage in zip(costs, self.stages, strict=True))
        done = sum(cost * stage.done for cost, stage in zip(costs, self.stages, strict=True))
        self.shown = max(self.shown, min(1.0, done / total) if total else 0.0)
        return self.shown

    def eta_seconds(self) -> float | None:
        """Gives the seconds of work left; None before the first measured step."""
        if all(stage.seconds_per_step is None for stage in self.stages):
            return None
        return sum(
            cost * (stage.steps - stage.done)
            for cost, stage in zip(self._costs(), self.stages, strict=True)
        )


class StallDetector:
    """Notices a trainer that lives and does not get on."""

    def __init__(self, shortest_seconds: float, now: float) -> None:
        self._shortest = shortest_seconds
        self._moved_at = now
        self._steps: deque[float] = deque(maxlen=USUAL_STEPS)

    def moved(self, now: float, *, step: bool = False) -> None:
        """Notes that the trainer got on: a step, a stage or a checkpoint, not a mere event."""
        if step:
            self._steps.append(now - self._moved_at)
        self._moved_at = now

    @property
    def limit_seconds(self) -> float:
        """The longest time without progress: ten usual steps, and never less than the setting."""
        # The median: one slow step, such as one with a checkpoint, moves a mean but not this.
        return max(self._shortest, STALLED_STEPS * median(self._steps) if self._steps else 0.0)

    def is_stalled(self, now: float) -> bool:
        """Tells whether that time has passed."""
        return now - self._moved_at > self.limit_seconds
