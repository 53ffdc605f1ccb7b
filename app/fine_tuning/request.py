"""Body of `POST /v1/fine_tuning/jobs`, and the stages that it means.

Source: https://platform.openai.com/docs/api-reference/fine-tuning/create and openai-python's types.
"""

import math
import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints

from app.errors import InvalidError
from app.fields import MetadataKey, MetadataValue, ModelName
from app.jobs.spec import JobSpec
from inframind.errors import InfraMindError
from inframind.pipeline import resolve_stages
from inframind.stages.config import RolloutConfig, TrainingConfig

Auto = Literal["auto"]
Multiplier = Auto | Annotated[float, Field(gt=0.0, le=1000.0)]
Count = Auto | Annotated[int, Field(ge=1, le=4096)]
VERIFIER = "verifier"
TRAINS_BY = {"supervised": "sft", "reinforcement": "dapo"}
"""The method's type -> the stage that trains."""
FIELDS = {
    "start_from": "model",
    "base_model": "model",
    "dataset": "training_file",
    "name": "suffix",
}
SETTINGS = {
    "batch_size": "batch_size",
    "prompts_per_step": "batch_size",
    "learning_rate": "learning_rate_multiplier",
    "max_steps": "n_epochs",
    "num_generations": "compute_multiplier",
}
"""The training stage's settings -> the hyperparameters that they come from."""
OF_THE_ROWS = ("max_length", "max_tokens")
"""The training stage's settings that this API has no field for: shorter rows are the remedy."""


class Body(BaseModel):
    """Unknown fields are refused: a setting that does nothing would be taken for one that does."""

    model_config = ConfigDict(extra="forbid")


class SupervisedHyperparameters(Body):
    """Of the method `supervised`, and the deprecated ones of the job."""

    batch_size: Count | None = None
    learning_rate_multiplier: Multiplier | None = None
    n_epochs: Auto | Annotated[int, Field(ge=1, le=1000)] | None = None


class ReinforcementHyperparameters(SupervisedHyperparameters):
    """Of the method `reinforcement`."""

    compute_multiplier: Multiplier | None = None
    eval_samples: Count | None = None
    eval_interval: Auto | None = None
    """Evaluation comes once, at the end."""
    reasoning_effort: Literal["default"] | None = None


class Supervised(Body):
    """Field `method.supervised`: the hyperparameters of sft."""

    hyperparameters: SupervisedHyperparameters | None = None


class Reinforcement(Body):
    """`method.reinforcement`. The reward is the verifier with each row's checks."""

    grader: dict[str, Any] | None = None
    hyperparameters: ReinforcementHyperparameters | None = None
    response_format: None = None


class Method(Body):
    """Field `method`: the way of training and its hyperparameters."""

    type: Literal["supervised", "reinforcement"]
    supervised: Supervised | None = None
    reinforcement: Reinforcement | None = None


class CreateRequest(Body):
    """The body of `POST /v1/fine_tuning/jobs`."""

    model: Annotated[ModelName, Field(min_length=1)]
    training_file: str = Field(max_length=64)
    validation_file: str | None = Field(default=None, max_length=64)
    # OpenAI takes 64 characters, too; a colon would end the suffix within the `ft:` name.
    suffix: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None
    ) = None
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    metadata: dict[MetadataKey, MetadataValue] | None = Field(default=None, max_length=16)
    method: Method = Method(type="supervised")
    hyperparameters: SupervisedHyperparameters | None = None
    integrations: list[Any] | None = Field(default=None, max_length=0)

    _means: dict[str, Any] = PrivateAttr(default_factory=dict)
    """The settings of the training stage that the hyperparameters became."""

    @property
    def asked(self) -> SupervisedHyperparameters:
        """Finds the hyperparameters, wherever they stand.

        Raises InvalidError for what the method does not take.
        """
        kind = self.method.type
        methods = {name: getattr(self.method, name) for name in ("supervised", "reinforcement")}
        other = next(
            (name for name, value in methods.items() if value is not None and name != kind), None
        )
        if other:
            raise InvalidError(
                f"`method.{other}` goes with the type `{other}`", param=f"method.{other}"
            )
        if kind == "reinforcement":
            reinforcement = self.method.reinforcement or Reinforcement()
            _check_grader(reinforcement.grader)
            chosen: SupervisedHyperparameters = (
                reinforcement.hyperparameters or ReinforcementHyperparameters()
            )
        else:
            chosen = (
                self.method.supervised or Supervised()
            ).hyperparameters or SupervisedHyperparameters()
        if self.hyperparameters is not None:
            if chosen.model_dump(exclude_none=True):
                raise InvalidError(
                    "give `hyperparameters` in `method` alone", param="hyperparameters"
                )
            return type(chosen)(**self.hyperparameters.model_dump())
        return chosen

    def spec(self, *, base_model: str, start_from: str | None, dataset: str, rows: int) -> JobSpec:
        """Says which job of ours is meant. `rows` of the dataset are trained on."""
        chosen = self.asked
        name = TRAINS_BY[self.method.type]
        (recipe,) = resolve_stages(base_model, stages=[{"stage": name}], dataset=dataset)
        assert isinstance(recipe, TrainingConfig)
        stage: dict[str, Any] = {"stage": name}
        rows_per_step = getattr(recipe, recipe.rows_per_step)
        if isinstance(chosen.batch_size, int):
            stage[recipe.rows_per_step] = rows_per_step = chosen.batch_size
        if isinstance(chosen.learning_rate_multiplier, float):
            stage["learning_rate"] = recipe.learning_rate * chosen.learning_rate_multiplier
        if isinstance(chosen.n_epochs, int):
            # Rounded up: every row is seen so many times at least.
            stage["max_steps"] = math.ceil(chosen.n_epochs * rows / rows_per_step)
        evaluate: dict[str, Any] = {"stage": "evaluate"}
        if isinstance(chosen, ReinforcementHyperparameters):
            assert isinstance(recipe, RolloutConfig)
            if isinstance(chosen.compute_multiplier, float):
                answers = round(recipe.num_generations * chosen.compute_multiplier)
                stage["num_generations"] = answers
            if isinstance(chosen.eval_samples, int):
                evaluate["tasks"] = chosen.eval_samples
        self._means = stage
        return JobSpec(
            stages=[stage, evaluate],
            base_model=base_model,
            start_from=start_from,
            dataset=dataset,
            # numpy.random.seed, which transformers calls with it, takes 32 bits.
            seed=secrets.randbelow(2**31) if self.seed is None else self.seed,
            name=self.suffix,
            metadata=self.metadata or {},
        ).asked_as(
            {
                "training_file": self.training_file,
                "validation_file": self.validation_file,
                "suffix": self.suffix,
                "method": self.method.type,
                "hyperparameters": _shown(chosen),
            }
        )

    def translated(self, error: InfraMindError) -> InfraMindError:
        """Says an error about our job by the field of this body that is at fault, and its value."""
        param = error.param or ""
        if not param.startswith("stages."):
            error.param = FIELDS.get(param, error.param)
            return error
        setting = param.removeprefix("stages.0.")
        reason = str(error).removeprefix(f"{setting}: ")
        name = SETTINGS.get(setting)
        if name is None:
            return type(error)(reason, param=self._field(param))
        asked, means = getattr(self.asked, name, None), self._means.get(setting)
        # A recipe's own value, or one that is passed on as it is, explains itself.
        if asked not in (None, "auto", means):
            reason = f"{asked:g} means {setting} {means:g}: {reason}"
        return type(error)(f"{name}: {reason}", param=self._field(name))

    def _field(self, name: str) -> str:
        """The place of a hyperparameter as the client sent it; of our stages, what is nearest."""
        if name in {f"stages.0.{setting}" for setting in OF_THE_ROWS}:
            return "training_file"
        place = f"method.{self.method.type}.hyperparameters"
        if self.hyperparameters is not None:
            place = "hyperparameters"
        if name == "stages.1.tasks":
            return f"{place}.eval_samples"
        return place if name.startswith("stages.") else f"{place}.{name}"


def _check_grader(grader: dict[str, Any] | None) -> None:
    if grader is not None and grader.get("type") != VERIFIER:
        message = (
            f"graders of the type {str(grader.get('type'))[:64]!r} are not run: the reward is the "
            "verifier with each row's checks. "
            f'Leave the grader out, or give {{"type": "{VERIFIER}"}}'
        )
        raise InvalidError(message, param="method.reinforcement.grader")


def _shown(hyperparameters: SupervisedHyperparameters) -> dict[str, Any]:
    """Shows hyperparameters; one that was left out is `auto`: the recipe of the base model."""
    automatic = ("batch_size", "learning_rate_multiplier", "n_epochs")
    return dict.fromkeys(automatic, "auto") | hyperparameters.model_dump(exclude_none=True)
