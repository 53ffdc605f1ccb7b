"""Reports every step of a training stage, in our names for metrics."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from inframind.models.memory import peak_bytes
from inframind.stages._checkpoints import commit
from inframind.stages.base import StageContext


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Reports every step, commits whole checkpoints, and stops when asked to."""

    def __init__(
        self, context: StageContext, stage_index: int, reported: Mapping[str, str]
    ) -> None:
        """`reported`: the metrics of TRL that are passed on -> their names in our reports."""
        self._context = context
        self._reported = reported
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
        **_: Any,
    ) -> None:
        values = {
            ours: float(logs[theirs])
            for theirs, ours in self._reported.items()
            if logs and theirs in logs
        }
        if not values or "train_runtime" in (logs or {}):
            return
        tokens = values.pop("num_tokens", self._tokens)
        values["step_seconds"] = time.monotonic() - self._step_started
        values["tokens_per_second"] = max(0.0, tokens - self._tokens) / max(
            values["step_seconds"], 1e-6
        )
        self._tokens = tokens
        values = {name: value for name, value in values.items() if math.isfinite(value)}
        self.history.append(values)
        self._context.progress(
            self._stage_index,
            state.global_step,
            {**values, "device_memory_bytes": float(peak_bytes())},
        )

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._context.checkpoint(commit(folder, self._stage_index, state.global_step))


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
