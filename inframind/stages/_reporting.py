"""Reports every step of a training stage, in our names for metrics, or ends it at the first NaN."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.nn.utils import get_total_norm
from transformers import TrainerCallback, TrainerControl, TrainerState

from inframind.errors import NonFiniteError
from inframind.models.memory import peak_bytes
from inframind.stages._checkpoints import commit
from inframind.stages.base import StageContext
from inframind.stages.config import TrainingConfig


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Reports every step, commits whole checkpoints, and stops when asked to."""

    def __init__(self, context: StageContext, stage_index: int, config: TrainingConfig) -> None:
        self._context = context
        self._config = config
        self._stage_index = stage_index
        self._step_started = time.monotonic()
        self._tokens = 0.0
        self.history: list[dict[str, float]] = []

    def on_step_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._step_started = time.monotonic()

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if self._context.should_stop():
            control.should_save = True
            control.should_training_stop = True
        return control

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        model: Any = None,
        **_: Any,
    ) -> None:
        """Reports the step.

        Raises NonFiniteError. transformers logs a step before it saves it, so that nothing is kept
        of one that fails.
        """
        # TRL's GRPOTrainer gives None for what has no value: the mean of rewards that are all
        # unscorable.
        values = {
            ours: float(logs[theirs])
            for theirs, ours in self._config.reported.items()
            if logs and logs.get(theirs) is not None
        }
        if not values or "train_runtime" in (logs or {}):
            return
        self._refuse_non_finite(state.global_step, values, model)
        tokens = values.pop("num_tokens", self._tokens)
        values["step_seconds"] = time.monotonic() - self._step_started
        values["tokens_per_second"] = max(0.0, tokens - self._tokens) / max(
            values["step_seconds"], 1e-6
        )
        self._tokens = tokens
        self.history.append(values)
        self._context.progress(
            self._stage_index,
            state.global_step,
            {**values, "device_memory_bytes": float(peak_bytes())},
        )

    def _refuse_non_finite(self, step: int, values: Mapping[str, float], model: Any) -> None:
        """Raises NonFiniteError for a metric or a trained weight that is NaN or infinite."""
        place = f"{self._config.stage} stopped at step {step}"
        param = f"stages.{self._stage_index}.learning_rate"
        remedy = f"lower `learning_rate` ({self._config.learning_rate:g})"
        broken = next((name for name, value in values.items() if not math.isfinite(value)), None)
        if broken is not None:
            message = f"{place}: its {broken} is {values[broken]}"
            if step == 1:
                # Computed before the first update: no rate can be the cause.
                raise NonFiniteError(
                    f"{message} before anything was learnt: the model it starts from overflows"
                    " on these data"
                )
            raise NonFiniteError(f"{message}: {remedy}", param=param)
        if not _are_finite(model):
            raise NonFiniteError(
                f"{place}: the update made weights NaN or infinite: {remedy}", param=param
            )

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._context.checkpoint(commit(folder, self._stage_index, state.global_step))


def _are_finite(model: Any) -> bool:
    """Tells that every trained weight is a number."""
    weights = [weight.detach() for weight in model.parameters() if weight.requires_grad]
    # One figure of all, for which a device is waited for once. NaN and infinity stay what they are
    # in it; nine times as fast on a processor as the largest absolute value.
    if math.isfinite(get_total_norm(weights)):
        return True
    # A sum of squares can overflow by itself, from 1.8e19 on.
    return all(bool(weight.isfinite().all()) for weight in weights)


def summary(history: list[dict[str, float]]) -> dict[str, float]:
    """Averages every metric over the last fifth of the steps, at least one step."""
    last = history[-max(1, len(history) // 5) :]
    names = {name for values in last for name in values}
    return {
        name: round(
            sum(values.get(name, 0.0) for values in last) / sum(name in values for values in last),
            6,
        )
        for name in sorted(names)
    }
