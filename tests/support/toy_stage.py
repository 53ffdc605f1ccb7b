"""The smallest stage there can be, in one file: it counts, and leaves no adapter."""

from collections.abc import Collection
from typing import ClassVar, Literal

from pydantic import Field

from inframind.errors import StoppedError
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import Recipes, StageConfig
from inframind.stages.fit import Fit, StageData


class Config(StageConfig):
    """The settings of the stage `toy`."""

    method = ("toy",)
    recipes: ClassVar[Recipes] = {"inframind-nano": {"count_to": 5}}

    stage: Literal["toy"] = "toy"
    count_to: int = Field(default=3, ge=1, le=100)

    @property
    def total_steps(self) -> int:
        return self.count_to

    def check(self, data: StageData, sent: Collection[str] = ()) -> Fit:
        return Fit()


def run(config: Config, given: StageInput, context: StageContext) -> StageReport:
    """Counts, and reports the sum."""
    for number in range(1, config.count_to + 1):
        if context.should_stop():
            raise StoppedError(f"stopped at {number}")
        context.progress(given.stage_index, number, {"counted": float(number)})
    return StageReport(metrics={"sum": sum(range(config.count_to + 1))}, train_seconds=0.0)
