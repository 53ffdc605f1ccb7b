"""DAPO: Decoupled Clip and Dynamic sAmpling Policy Optimization (arXiv:2503.14476).

All four techniques are wired: clip-higher, dynamic sampling with refill, token-level loss, soft
overlong punishment in tokens. Deviations from the paper: rewards are graded by rung and intent
instead of right or wrong, so a group is dropped when its rewards are all equal; and at the cap of
refill rounds the step trains on what there is instead of failing.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import NANO_ROLLOUTS, Recipes, RolloutConfig


class Config(RolloutConfig):
    """Configuration of the stage `dapo`."""

    method = ("sft", "grpo", "dapo", "evaluate")
    recipes: ClassVar[Recipes] = {
        "inframind-nano": {
            "max_steps": 50,
            "refill_rounds": 2,
            "overlong_buffer": 48,
            **NANO_ROLLOUTS,
        }
    }
    seconds_per_step = 6.0
    reported: ClassVar[Mapping[str, str]] = {
        **RolloutConfig.reported,
        "sampling/generated_groups": "generated_groups",
        "sampling/kept_share": "kept_share",
    }

    stage: Literal["dapo"] = "dapo"
    max_steps: int = Field(default=200, ge=1, le=100_000)
    learning_rate: float = Field(default=2e-5, gt=0.0, le=0.1)
    # The paper's section 4.1 has the same 0.2 and 0.28.
    epsilon_low: float = Field(default=0.2, gt=0.0, lt=1.0)
    epsilon_high: float = Field(default=0.28, gt=0.0, lt=10.0)
    """Clip-higher: unlikely tokens may grow more than they may shrink."""
    refill_rounds: int = Field(default=3, ge=0, le=32)
    """Dynamic sampling: how often groups without variance are replaced by others; 0: never."""
    overlong_buffer: int = Field(default=64, ge=1, le=8192)
    """Tokens before `max_tokens` over which the punishment grows from 0 to `overlong_penalty`."""
    overlong_penalty: float = Field(default=1.0, ge=0.0, le=10.0)

    @model_validator(mode="after")
    def _buffer_fits(self) -> "Config":
        if self.overlong_buffer >= self.max_tokens:
            raise ValueError(f"overlong_buffer must be below max_tokens ({self.max_tokens})")
        if self.epsilon_high < self.epsilon_low:
            raise ValueError("epsilon_high must not be below epsilon_low")
        return self


def run(config: Config, stage_input: StageInput, context: StageContext) -> StageReport:
    """Trains the adapter and publishes it."""
    from functools import partial

    from inframind.stages import _rollouts
    from inframind.stages._dynamic_sampling import DynamicSamplingTrainer
    from inframind.stages._reward import overlong_reward

    losses = {
        "loss_type": "dapo",
        "epsilon": config.epsilon_low,
        "epsilon_high": config.epsilon_high,
        # The paper's section 2.3: the policy may move far from its start, so no divergence is held.
        "beta": 0.0,
    }
    trainer = partial(
        DynamicSamplingTrainer,
        refill_rounds=config.refill_rounds,
        on_cap=partial(context.event, "warn", "refill_cap"),
    )
    overlong = overlong_reward(config.max_tokens, config.overlong_buffer, config.overlong_penalty)
    return _rollouts.run(trainer, config, stage_input, context, losses, (overlong,))
