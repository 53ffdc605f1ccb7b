"""Supervised fine-tuning: the reference answers of training tasks, loss on the answers alone."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from inframind.errors import DataError
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import NANO_SLICE, Recipes, TrainingConfig

if TYPE_CHECKING:
    from inframind.types import Task


class Config(TrainingConfig):
    """Configuration of the stage `sft`."""

    method = ("sft", "evaluate")
    starts_afresh = True
    recipes: ClassVar[Recipes] = {
        "inframind-nano": {
            "max_steps": 40,
            "batch_size": 16,
            "learning_rate": 5e-4,
            "families_share": 0.7,
            "max_length": 512,
            **NANO_SLICE,
        }
    }
    rows_per_step = "batch_size"
    reported: ClassVar[Mapping[str, str]] = {
        **TrainingConfig.reported,
        "mean_token_accuracy": "token_accuracy",
    }

    stage: Literal["sft"] = "sft"
    max_steps: int = Field(default=300, ge=1, le=100_000)
    learning_rate: float = Field(default=2e-4, gt=0.0, le=0.1)
    batch_size: int = Field(default=16, ge=1, le=1024)
    """Answers per step."""
    max_length: int = Field(default=1024, ge=32, le=32_768)
    """Tokens of prompt and answer; longer rows are cut there."""
    families_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the training families whose written answers are shown; the rest is for rewards."""


def demonstrated(config: Config, stage_input: StageInput) -> "list[Task]":
    """Chooses the tasks whose answers are shown: `families_share` of each category's families.

    Of users' own tasks all that have an answer: families are the bench's notion. Raises DataError.
    """
    tasks = stage_input.tasks("train", config.categories, config.max_difficulty)
    if stage_input.dataset_path is not None:
        answered = [task for task in tasks if task.reference]
        if not answered:
            raise DataError(
                f"no row of {stage_input.dataset} has an answer to learn from: "
                "use reinforcement alone",
                param="dataset",
            )
        return answered
    order: dict[str, list[str]] = {}
    for task in tasks:
        families = order.setdefault(task.category, [])
        if task.family not in families:
            families.append(task.family)
    shown = {
        family
        for families in order.values()
        for index, family in enumerate(families)
        if int((index + 1) * config.families_share) > int(index * config.families_share)
    }
    return [task for task in tasks if task.family in shown]


def run(config: Config, stage_input: StageInput, context: StageContext) -> StageReport:
    """Trains the adapter and publishes it."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from inframind.datasets.rendering import render_task
    from inframind.stages import _loading, _reporting, _training

    tasks = demonstrated(config, stage_input)
    # What no step comes to need not be tokenised.
    rng = random.Random(stage_input.seed)  # noqa: S311 - a reproducible choice, not a secret
    tasks = rng.sample(tasks, min(len(tasks), config.max_steps * config.batch_size))
    # Tokens and labels are ours: TRL 1.16's `assistant_only_loss` knows no weight of a turn, and
    # the preview of a dataset's rows shows exactly these.
    rendered = [render_task(task, stage_input.base_model) for task in tasks]
    rows = [{"input_ids": row.input_ids, "labels": row.labels} for row in rendered]
    model, tokenizer = _loading.load_for_training(config, stage_input)
    arguments = SFTConfig(
        per_device_train_batch_size=config.batch_size,
        max_length=config.max_length,
        train_sampling_strategy="group_by_length",
        **_training.common_arguments(config, stage_input, context),
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[_reporting.Reporter(context, stage_input.stage_index, config)],
    )
    return _training.train_and_publish(trainer, config, stage_input, context)
