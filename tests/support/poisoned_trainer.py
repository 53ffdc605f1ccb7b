"""The trainer of a run whose weights turn NaN, as an overflow does: with the product's stages."""

import math
from typing import Any

import torch
import transformers.trainer
from transformers import TrainerCallback, TrainerControl, TrainerState

from workers.trainer import main

MODULE = "tests.support.poisoned_trainer"
POISONED_STEP = 4


def poison(model: Any, value: float = math.nan) -> None:
    """Gives one matrix of the adapter another value."""
    weights = next(weight for name, weight in model.named_parameters() if "lora_B" in name)
    with torch.no_grad():
        weights.fill_(value)


class AfterUpdate(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Poisons the weights after the update of a step."""

    step = 1
    value = math.nan

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        if state.global_step == self.step:
            poison(model, self.value)


class BeforeStep(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Poisons them between two steps, so that the next step's own numbers are the first sign."""

    def on_step_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        if state.global_step == 1:
            poison(model)


if __name__ == "__main__":
    AfterUpdate.step = POISONED_STEP
    transformers.trainer.DEFAULT_CALLBACKS.append(AfterUpdate)
    main()
