"""Evaluation: greedy pass@1 and the rules judge's scores on tasks that were never trained on.

Of the base model and every adapter of the lineage, or of the models that are named.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from inframind.errors import DataError
from inframind.judge.rules import judge, mean_scores
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.types import Contract, Outcome, Task, Verdict

if TYPE_CHECKING:
    from inframind.generation.engine import Engine
    from inframind.rewards.verifier import Verifier


Subject = tuple[str, str | None, Path | None, float]
"""(stage, adapter, folder, training seconds); the base model has no adapter."""


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
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=16)
    """What to evaluate, in this order: adapters, or the base model by its name; null: the base model and the run's lineage."""

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


def subjects(config: Config, given: StageInput) -> list[Subject]:
    """The models to evaluate, in order. Raises DataError for one that the run does not have."""
    base: Subject = ("base", None, None, 0.0)
    if config.models is None:
        return [base, *given.lineage]
    known: dict[str | None, Subject] = {one[1]: one for one in (*given.lineage, *given.models)}
    unknown = [name for name in config.models if name != given.base_model and name not in known]
    if unknown:
        raise DataError(f"the run has no adapter {unknown[0]!r}", param="models")
    return [base if name == given.base_model else known[name] for name in config.models]


def run(config: Config, given: StageInput, context: StageContext) -> StageReport:
    """Evaluates each model with the engine that serves it."""
    from inframind.generation.engine import Engine
    from inframind.rewards.verifier import Verifier

    known, new = chosen(config, given)
    asked = subjects(config, given)
    started = time.monotonic()
    engine = Engine(given.base_model)
    for _, name, path, _ in asked:
        if name is not None and path is not None and name not in engine.adapters:
            engine.add_adapter(name, path)
    with Verifier(workers=2) as verifier:
        examination = Examination(config, engine, verifier, context, given.stage_index, len(known) + len(new), len(asked))
        rows = [
            {"model": stage, "adapter": adapter, **examination.row(adapter, known, new), "train_seconds": seconds}
            for stage, adapter, _, seconds in asked
        ]
    metrics: dict[str, Any] = {"rows": rows, "bench_hash": given.dataset_hash, "max_difficulty": config.max_difficulty}
    return StageReport(metrics=metrics, train_seconds=round(time.monotonic() - started, 3))


def rate(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """`{"pass_at_1", "n", "ci95"}` with Wilson's interval."""
    from inframind.metrics.intervals import wilson

    passed = sum(verdict.verdict is Outcome.PASS for verdict in verdicts)
    low, high = wilson(passed, len(verdicts))
    share = passed / len(verdicts) if verdicts else 0.0
    return {"pass_at_1": round(share, 4), "n": len(verdicts), "ci95": [round(low, 4), round(high, 4)]}


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
        verdicts = self.verdicts(model, known)
        on_new = self.verdicts(model, new)
        by_category: dict[str, list[Verdict]] = defaultdict(list)
        for task, verdict in zip(known, verdicts, strict=True):
            by_category[task.category].append(verdict)
        return {
            **rate(verdicts),
            "new_families": rate(on_new),
            "by_category": {name: rate(found) for name, found in sorted(by_category.items())},
            "judge": {"rules": mean_scores([judge(verdict) for verdict in verdicts if verdict.verdict is not Outcome.UNSCORABLE])},
        }

    def verdicts(self, model: str | None, tasks: Sequence[Task]) -> list[Verdict]:
        """The verdict of the greedy answer to each task. Raises StoppedError when the run is asked to stop."""
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
        found: dict[int, Verdict] = {}
        for start in range(0, len(order), self._config.batch_size):
            if self._context.should_stop():
                raise StoppedError("stopped during evaluation")
            batch = order[start : start + self._config.batch_size]
            began = time.monotonic()
            completions = self._engine.generate([requests[index] for index in batch])
            verdicts = self._verifier.verify_many([request_of(tasks[i], c.text) for i, c in zip(batch, completions, strict=True)])
            found |= zip(batch, verdicts, strict=True)
            tokens = sum(completion.completion_tokens for completion in completions)
            self._done += len(batch)
            speed = tokens / max(time.monotonic() - began, 1e-6)
            share = sum(v.verdict is Outcome.PASS for v in verdicts) / len(verdicts)
            step = min(self._config.total_steps, round(self._done * self._share))
            self._context.progress(self._stage_index, step, {"tokens_per_second": speed, "pass_rate": share})
        return [found[index] for index in range(len(tasks))]
