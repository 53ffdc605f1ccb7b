"""Group relative policy optimization (arXiv:2402.03300) with verified rewards, on TRL's trainer."""

from typing import ClassVar, Literal

from pydantic import Field

from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import NANO_ROLLOUTS, Recipes, RolloutConfig


class Config(RolloutConfig):
    """Configuration of the stage `grpo`."""

    method = ("sft", "grpo", "evaluate")
    recipes: ClassVar[Recipes] = {"inframind-nano": {"max_steps": 24, **NANO_ROLLOUTS}}
    seconds_per_step = 4.0

    stage: Literal["grpo"] = "grpo"
    max_steps: int = Field(default=200, ge=1, le=100_000)
    learning_rate: float = Field(default=2e-5, gt=0.0, le=0.1)
    epsilon: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Clip range of the probability ratio, the same on both sides."""
    beta: float = Field(default=0.0, ge=0.0, le=1.0)
    """Weight of the divergence from the reference model; above 0 the model is kept twice."""


def run(config: Config, stage_input: StageInput, context: StageContext) -> StageReport:
    """Trains the adapter and publishes it."""
    from trl import GRPOTrainer

    from inframind.stages import _rollouts

    # Loss per answer, then over the group: the original's form, not DAPO's token-level one.
    losses = {"loss_type": "grpo", "epsilon": config.epsilon, "beta": config.beta}
    return _rollouts.run(GRPOTrainer, config, stage_input, context, losses)
