"""Evaluation: greedy pass@1 of the base model and every adapter of the lineage, on tasks that were never trained on."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from inframind.errors import DataError
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.types import Contract, Outcome, Task

if TYPE_CHECKING:
    from inframind.generation.engine import Engine
    from inframind.rewards.verifier import Verifier


class Config(Contract):
    """Configuration of the stage `evaluate`."""

    stage: Literal["evaluate"] = "evaluate"
    tasks: int = Field(default=400, ge=1, le=100_000)
    """Tasks of known families with values never trained on."""
    new_family_tasks: int = Field(default=120, ge=0, le=100_000)
    """Tasks of families never trained on."""
    max_tokens: int = Field(default=512, ge=16, le=8192)
    max_difficulty: int = Field(default=5, ge=1, le=5)
    categories: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=32)
    batch_size: int = Field(default=128, ge=1, le=4096)

    @property
    def total_steps(self) -> int:
        """Tasks of one model; the stage reports in tasks of all models."""
        return self.tasks + self.new_family_tasks


def chosen(config: Config, given: StageInput) -> tuple[list[Task], list[Task]]:
    """The tasks of known families with new values, and those of new families (of users' own tasks there are none)."""
    known = given.tasks("test-values", config.categories, config.max_difficulty, config.tasks)
    new = given.tasks("test-families", config.categories, config.max_difficulty, config.new_family_tasks)
    if not known:
        raise DataError(f"no held-out task of {given.dataset} is in these categories", param="categories")
    return known, new


def run(config: Config, given: StageInput, context: StageContext) -> StageReport:
    """Evaluates each model with the engine that serves it."""
    from inframind.generation.engine import Engine
    from inframind.rewards.verifier import Verifier

    known, new = chosen(config, given)
    started = time.monotonic()
    engine = Engine(given.base_model)
    models: list[tuple[str, str | None, float]] = [("base", None, 0.0)]
    for stage, name, path, seconds in given.lineage:
        engine.add_adapter(name, path)
        models.append((stage, name, seconds))
    with Verifier(workers=2) as verifier:
        examination = Examination(config, engine, verifier, context, given.stage_index, len(known) + len(new), len(models))
        rows = [
            {"model": stage, "adapter": adapter, **examination.row(adapter, known, new), "train_seconds": seconds}
            for stage, adapter, seconds in models
        ]
    metrics: dict[str, Any] = {"rows": rows, "bench_hash": given.dataset_hash, "max_difficulty": config.max_difficulty}
    return StageReport(metrics=metrics, train_seconds=round(time.monotonic() - started, 3))


class Examination:
    """Asks models and judges their answers, reporting as it goes."""

    def __init__(
        self,
        config: Config,
        engine: "Engine",
        verifier: "Verifier",
        context: StageContext,
        stage_index: int,
        tasks: int,
        models: int,
    ) -> None:
        self._config, self._engine, self._verifier, self._context = config, engine, verifier, context
        self._stage_index = stage_index
        self._done = 0
        self._share = config.total_steps / (tasks * models)

    def row(self, model: str | None, known: Sequence[Task], new: Sequence[Task]) -> dict[str, Any]:
        """One model's line of the table."""
        from inframind.metrics.intervals import wilson

        passed = self.passes(model, known)
        on_new = self.passes(model, new)
        by_category: dict[str, list[bool]] = defaultdict(list)
        for task, good in zip(known, passed, strict=True):
            by_category[task.category].append(good)
        low, high = wilson(sum(passed), len(passed))
        return {
            "pass_at_1": round(sum(passed) / len(passed), 4),
            "n": len(passed),
            "ci95": [round(low, 4), round(high, 4)],
            "new_families": {"pass_at_1": round(sum(on_new) / max(1, len(on_new)), 4), "n": len(on_new)},
            "by_category": {name: round(sum(values) / len(values), 4) for name, values in sorted(by_category.items())},
        }

    def passes(self, model: str | None, tasks: Sequence[Task]) -> list[bool]:
        """Whether the greedy answer to each task passes. Raises StoppedError when the run is asked to stop."""
        from inframind.bench.prompt import prompt
        from inframind.errors import StoppedError
        from inframind.generation.engine import Request
        from inframind.rewards.trl import request_of

        template = self._engine.tokenizer.apply_chat_template
        requests = [
            Request(template(prompt(task), add_generation_prompt=True, tokenize=False), model, self._config.max_tokens)
            for task in tasks
        ]
        # Like lengths together: a batch runs as long as its longest answer, which follows the prompt's length.
        order = sorted(range(len(tasks)), key=lambda index: len(tasks[index].reference))
        passed = [False] * len(tasks)
        for start in range(0, len(order), self._config.batch_size):
            if self._context.should_stop():
                raise StoppedError("stopped during evaluation")
            batch = order[start : start + self._config.batch_size]
            began = time.monotonic()
            completions = self._engine.generate([requests[index] for index in batch])
            verdicts = self._verifier.verify_many([request_of(tasks[i], c.text) for i, c in zip(batch, completions, strict=True)])
            for index, verdict in zip(batch, verdicts, strict=True):
                passed[index] = verdict.verdict is Outcome.PASS
            tokens = sum(completion.completion_tokens for completion in completions)
            self._done += len(batch)
            rate = tokens / max(time.monotonic() - began, 1e-6)
            share = sum(v.verdict is Outcome.PASS for v in verdicts) / len(verdicts)
            step = min(self._config.total_steps, round(self._done * self._share))
            self._context.progress(self._stage_index, step, {"tokens_per_second": rate, "pass_rate": share})
        return passed
