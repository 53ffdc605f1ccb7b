"""The settings that stages share. Loads no torch."""

from typing import Literal

from pydantic import Field, model_validator

from inframind.types import Contract

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
