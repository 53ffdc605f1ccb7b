"""The base of every stage's settings, and the settings that stages share. Loads no torch.

What the service wants to know of a stage it asks its settings, so that no other file has to know
the stages one by one. A stage's own file has its `Config` and its `run`: see `inframind.stages`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from inframind.categories import package
from inframind.types import Contract

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Every linear module of a layer, as Qwen2's architecture names them."""


def _known(name: str) -> str:
    # Asks the registry alone: no category's code is loaded for it.
    return package(name).id


CategoryNames = Annotated[
    tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1, max_length=32)
]
"""Categories of the registry, such as `dockerfile`."""
# As long as a whole `ft:` name, the longest that a model has.
ModelNames = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=192)], ...],
    Field(min_length=1, max_length=16),
]
"""Models by any of their names."""


class Lora(Contract):
    """The adapter that a first training stage makes. A later stage continues its parent's."""

    r: Literal[8, 16, 32, 64, 128, 256] = 16
    """Rank; vLLM's server must be started with at least this `--max-lora-rank`."""
    alpha: int = Field(default=32, ge=1, le=1024)
    """Scale: the update is multiplied by alpha / r."""
    # At 1 nothing would be left to train.
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    targets: tuple[Annotated[str, StringConstraints(max_length=64)], ...] = Field(
        default=LORA_TARGETS, min_length=1, max_length=16
    )
    """Linear modules of each layer that the adapter changes."""


NANO_SLICE: dict[str, Any] = {"max_difficulty": 1}
"""The tasks of the bench that the demo trains on: every category's easiest families."""
NANO_ROLLOUTS: dict[str, Any] = {
    "prompts_per_step": 8,
    "num_generations": 8,
    "max_tokens": 240,
    "learning_rate": 1e-3,
    **NANO_SLICE,
}
"""The demo's stages with rollouts: with the others they take ten minutes of two CPU cores."""

Recipes = Mapping[str, Mapping[str, Any]]


class StageConfig(Contract):
    """The settings of one stage of a job, and the answers to what the service asks of any stage."""

    stage: str
    """The stage's name: the key of `inframind.stages.STAGES`."""

    recipes: ClassVar[Recipes] = {}
    """Base model -> what differs from the defaults, which suit a 0.5B model on one GPU."""
    method: ClassVar[tuple[str, ...]] = ()
    """The stages of the method that is named after this one; empty: there is no such method."""
    starts_afresh: ClassVar[bool] = False
    """Fits a new adapter for later stages: jobs that continue one leave it out of their methods."""
    evaluates: ClassVar[bool] = False
    """Reports a row for every model it asked (docs/contracts/job.md), which the catalog shows."""
    seconds_per_step: ClassVar[float] = 1.0
    """A guess for the demo on two cores. Only the ratios matter: measured steps scale them."""

    @classmethod
    def recipe(cls, base_model: str, *, own_data: bool = False) -> dict[str, Any]:
        """Gives the settings that suit the base model; users' own data are taken whole."""
        values = cls.recipes.get(base_model, {})
        return {
            name: value for name, value in values.items() if not own_data or name not in NANO_SLICE
        }

    @property
    def total_steps(self) -> int:
        """The steps that `progress` counts to."""
        raise NotImplementedError

    @property
    def models_named(self) -> dict[str, str]:
        """Maps the place of every model that the settings name, such as `models.0`, to the name."""
        return {}

    def naming(self, models: Mapping[str, str]) -> Self:
        """Copies the settings with other models at these places: what aliases mean right now."""
        return self

    @property
    def asks_judge(self) -> str | None:
        """The setting that makes the stage ask a judge model; None: it asks none."""
        return None

    @property
    def new_adapter(self) -> Lora | None:
        """The setting `lora`: the adapter to make if the job has none; None: it trains nothing."""
        return None


class TrainingConfig(StageConfig):
    """Settings that the training stages share."""

    rows_per_step: ClassVar[str]
    """The setting that says how many rows of the dataset a step trains on."""
    reported: ClassVar[Mapping[str, str]] = {
        "loss": "loss",
        "grad_norm": "grad_norm",
        "learning_rate": "learning_rate",
        "entropy": "entropy",
        "num_tokens": "num_tokens",
    }
    """The trainer's names of metrics -> ours; the others are not reported."""

    max_steps: int = Field(ge=1, le=100_000)
    """Optimizer steps."""
    learning_rate: float = Field(gt=0.0, le=0.1)
    """Peak rate of AdamW, constant after the warm-up."""
    warmup_steps: int = Field(default=3, ge=0, le=10_000)
    lora: Lora = Lora()
    quantization: Literal["none", "nf4"] = "none"
    """`nf4`: the base model's weights in four bits (QLoRA, arXiv:2305.14314)."""
    max_difficulty: int = Field(default=5, ge=1, le=5)
    categories: CategoryNames | None = None
    """Only tasks of these categories; null: all."""
    save_every: int = Field(default=10, ge=1, le=10_000)
    """Steps between whole checkpoints."""

    @property
    def total_steps(self) -> int:
        return self.max_steps

    @property
    def new_adapter(self) -> Lora:
        return self.lora


class RolloutConfig(TrainingConfig):
    """Settings of the stages with rollouts: a step has `prompts_per_step` groups of answers."""

    rows_per_step = "prompts_per_step"
    reported: ClassVar[Mapping[str, str]] = {
        **TrainingConfig.reported,
        "reward": "reward",
        "reward_std": "reward_std",
        "frac_reward_zero_std": "frac_reward_zero_std",
        "completions/mean_length": "mean_length",
        "completions/clipped_ratio": "clipped_ratio",
        "clip_ratio/region_mean": "clip_ratio",
        "pass_rate": "pass_rate",
        "unscorable_rate": "unscorable_rate",
        "rungs/parse": "rungs/parse",
        "rungs/schema": "rungs/schema",
        "rungs/references": "rungs/references",
    }

    prompts_per_step: int = Field(default=8, ge=1, le=512)
    # A group of one is its own baseline: its advantage is always 0.
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
                f"micro_batch must divide {answers} and be a multiple of num_generations "
                f"({self.num_generations})"
            )
        return self
