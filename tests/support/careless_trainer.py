"""A trainer that does not look at its numbers, as ours once did not: it commits a checkpoint that
holds NaN, and is killed.
"""

import os
import signal
from typing import Any

import transformers.trainer
from transformers import TrainerCallback, TrainerControl, TrainerState

from inframind.stages import _checkpoints, _reporting
from tests.support.poisoned_trainer import POISONED_STEP, AfterUpdate
from workers.trainer import main

MODULE = "tests.support.careless_trainer"


class KilledAfterwards(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Kills the trainer once the poisoned step is saved."""

    def on_step_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.global_step == POISONED_STEP:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    AfterUpdate.step = POISONED_STEP
    transformers.trainer.DEFAULT_CALLBACKS += [AfterUpdate, KilledAfterwards]
    _checkpoints.check_numbers = lambda *_: None
    _reporting.Reporter._refuse_non_finite = lambda *_: None  # type: ignore[method-assign]
    main()
