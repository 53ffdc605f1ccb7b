"""Evaluation: greedy pass@1 and judges' scores on tasks that were never trained on.

Of the base model and every adapter of the lineage, or of the models that are named.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from inframind.errors import ConfigError, DataError, StoppedError
from inframind.judge import rules
from inframind.judge.judgement import Judgement
from inframind.judge.prompt import MAX_CANDIDATE, Case
from inframind.stages._crashes import CrashLog
from inframind.stages.base import StageContext, StageInput, StageReport, TrainedAdapter
from inframind.stages.config import (
    NANO_SLICE,
    CategoryNames,
    ModelNames,
    Recipes,
    StageConfig,
)
from inframind.types import Outcome, Task, Verdict

if TYPE_CHECKING:
    from inframind.generation.engine import Engine
    from inframind.verifier.verifier import Verifier


Subject = TrainedAdapter | None
"""A model to evaluate: an adapter, or None for the base model alone."""
Answered = tuple[str, Verdict]
"""An answer and what the verifier says of it."""
JUDGED_AT_ONCE = 32
"""Answers that the judge model gets between two looks at whether the run shall stop."""


class Config(StageConfig):
    """Configuration of the stage `evaluate`."""

    method = ("evaluate",)
    evaluates = True
    recipes: ClassVar[Recipes] = {
        "inframind-nano": {"tasks": 300, "new_family_tasks": 80, "max_tokens": 240, **NANO_SLICE}
    }
    seconds_per_step = 0.1

    stage: Literal["evaluate"] = "evaluate"
    tasks: int = Field(default=400, ge=1, le=100_000)
    """Tasks of known families with values never trained on."""
    new_family_tasks: int = Field(default=120, ge=0, le=100_000)
    """Tasks of families never trained on."""
    max_tokens: int = Field(default=512, ge=16, le=8192)
    max_difficulty: int = Field(default=5, ge=1, le=5)
    categories: CategoryNames | None = None
    batch_size: int = Field(default=128, ge=1, le=4096)
    # Sixteen, as many as `GET /models/compare` shows side by side.
    models: ModelNames | None = None
    """What to evaluate, in order: adapters, or the base model; null: it and the run's lineage."""
    judged_tasks: int = Field(default=0, ge=0, le=10_000)
    """Answers of each model, to tasks of known families, that the judge model scores too."""

    @property
    def total_steps(self) -> int:
        """Tasks of one model; the stage reports in tasks of all models."""
        return self.tasks + self.new_family_tasks

    @property
    def models_named(self) -> dict[str, str]:
        return {f"models.{index}": name for index, name in enumerate(self.models or ())}

    def naming(self, models: Mapping[str, str]) -> Self:
        if self.models is None:
            return self
        renamed = {**self.models_named, **models}
        return self.model_copy(update={"models": tuple(renamed.values())})

    @property
    def asks_judge(self) -> str | None:
        return "judged_tasks" if self.judged_tasks else None


def chosen(config: Config, stage_input: StageInput) -> tuple[list[Task], list[Task]]:
    """Loads the tasks of known families with new values, and those of new families.

    Users' own tasks have no new families. Raises DataError if nothing is held out.
    """
    categories, hardest = config.categories, config.max_difficulty
    seen = stage_input.tasks("test-values", categories, hardest, config.tasks)
    new = stage_input.tasks("test-families", categories, hardest, config.new_family_tasks)
    if not seen:
        raise DataError(
            f"no held-out task of {stage_input.dataset} is in these categories", param="categories"
        )
    return seen, new


def subjects(config: Config, stage_input: StageInput) -> list[Subject]:
    """Lists the models to evaluate, in order. Raises DataError for one that the run has not."""
    if config.models is None:
        return [None, *stage_input.lineage]
    adapters = {adapter.id: adapter for adapter in (*stage_input.lineage, *stage_input.models)}
    base_model = stage_input.base_model
    unknown = [name for name in config.models if name != base_model and name not in adapters]
    if unknown:
        raise DataError(f"the run has no adapter {unknown[0]!r}", param="models")
    return [None if name == base_model else adapters[name] for name in config.models]


def run(config: Config, stage_input: StageInput, context: StageContext) -> StageReport:
    """Evaluates each model with the engine that serves it."""
    from inframind.generation.engine import Engine
    from inframind.verifier.verifier import Verifier

    seen, new = chosen(config, stage_input)
    models = subjects(config, stage_input)
    if config.judged_tasks and context.judge is None:
        raise ConfigError(
            "this worker's settings name no judge model: set INFRAMIND_JUDGE_URL and _MODEL",
            param="judged_tasks",
        )
    started = time.monotonic()
    engine = Engine(stage_input.base_model)
    for model in models:
        if model is not None and model.id not in engine.adapters:
            engine.add_adapter(model.id, model.folder)
    with Verifier(workers=2) as verifier:
        examination = Examination(
            config,
            engine,
            verifier,
            context,
            stage_input.stage_index,
            len(seen) + len(new),
            len(models),
        )
        rows = [
            {
                "model": model.stage if model else "base",
                "adapter": model.id if model else None,
                **examination.row(model.id if model else None, seen, new),
                "train_seconds": model.train_seconds if model else 0.0,
            }
            for model in models
        ]
    metrics: dict[str, Any] = {
        "rows": rows,
        "bench_hash": stage_input.dataset_hash,
        "max_difficulty": config.max_difficulty,
    }
    if config.judged_tasks and context.judge is not None:
        metrics["judge_model"] = dict(context.judge.described)
    return StageReport(metrics=metrics, train_seconds=round(time.monotonic() - started, 3))


def rate(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Counts what passes of what could be scored: `{"pass_at_1", "n", "ci95"}`, by Wilson."""
    from inframind.statistics.intervals import wilson

    # An answer that nobody could judge is neither right nor wrong (docs/contracts/verdict.md).
    scored = [verdict for verdict in verdicts if verdict.verdict is not Outcome.UNSCORABLE]
    passed = sum(verdict.verdict is Outcome.PASS for verdict in scored)
    low, high = wilson(passed, len(scored))
    share = passed / len(scored) if scored else 0.0
    return {
        "pass_at_1": round(share, 4),
        "n": len(scored),
        "ci95": [round(low, 4), round(high, 4)],
    }


def case_of(task: Task) -> Case:
    """Shows the task as a judge sees it, with its right answer if that is not too long."""
    reference = task.reference if 0 < len(task.reference) <= MAX_CANDIDATE else None
    return Case(
        category=task.category,
        instruction=task.instruction,
        input=task.input[:MAX_CANDIDATE],
        reference=reference,
    )


def agreement(judged: Sequence[Judgement], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Means the judge model's scores, and counts how often it agrees with the verifier.

    Only answers of which both say something count for the agreement.
    """
    both = [
        (judgement.would_work, verdict.verdict is Outcome.PASS)
        for judgement, verdict in zip(judged, verdicts, strict=True)
        if judgement.would_work is not None and verdict.verdict is not Outcome.UNSCORABLE
    ]
    silent = sum(judgement.abstained is not None for judgement in judged)
    shares = (
        {"answers": float(len(judged)), "abstain_rate": round(silent / len(judged), 4)}
        if judged
        else {"answers": 0.0}
    )
    agreed = (
        {"agreement": round(sum(says == is_so for says, is_so in both) / len(both), 4)}
        if both
        else {}
    )
    return {**rules.mean_scores(judged), **agreed, **shares}


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
        self._config, self._engine, self._verifier, self._context = (
            config,
            engine,
            verifier,
            context,
        )
        self._stage_index = stage_index
        self._crashes = CrashLog(context)
        self._done = 0
        self._said: dict[str, float] = {}
        self._share = config.total_steps / (tasks * models)

    def row(self, model: str | None, seen: Sequence[Task], new: Sequence[Task]) -> dict[str, Any]:
        """Makes one model's line of the table."""
        answered = self.answers(model, seen)
        verdicts = [verdict for _, verdict in answered]
        on_new = [verdict for _, verdict in self.answers(model, new)]
        by_category: dict[str, list[Verdict]] = defaultdict(list)
        for task, verdict in zip(seen, verdicts, strict=True):
            by_category[task.category].append(verdict)
        return {
            **rate(verdicts),
            "new_families": rate(on_new),
            "by_category": {
                name: rate(verdicts_of) for name, verdicts_of in sorted(by_category.items())
            },
            "judge": {
                "rules": rules.mean_scores(
                    [rules.judge(v) for v in verdicts if v.verdict is not Outcome.UNSCORABLE]
                )
            }
            | self._by_model(seen, answered),
        }

    def _by_model(
        self, tasks: Sequence[Task], answered: Sequence["Answered"]
    ) -> dict[str, dict[str, float]]:
        """Scores answers to some tasks, evenly spread and the same for each model, by the judge."""
        judge = self._context.judge
        if not self._config.judged_tasks or judge is None:
            return {}
        chosen = list(zip(tasks, answered, strict=True))[
            :: max(1, len(tasks) // self._config.judged_tasks)
        ]
        chosen = chosen[: self._config.judged_tasks]
        judgements: list[Judgement] = []
        for start in range(0, len(chosen), JUDGED_AT_ONCE):
            self._check_stop()
            judgements += judge(
                [
                    (case_of(task), text)
                    for task, (text, _) in chosen[start : start + JUDGED_AT_ONCE]
                ]
            )
            # The step's own metrics stay: what comes later for the same step takes their place.
            self._context.progress(
                self._stage_index, self._step, {**self._said, "judged": len(judgements)}
            )
        return {"llm": agreement(judgements, [verdict for _, (_, verdict) in chosen])}

    def _check_stop(self) -> None:
        if self._context.should_stop():
            raise StoppedError("stopped during evaluation")

    @property
    def _step(self) -> int:
        return min(self._config.total_steps, round(self._done * self._share))

    def answers(self, model: str | None, tasks: Sequence[Task]) -> list["Answered"]:
        """Asks for the greedy answer to each task and judges it. Raises StoppedError."""
        from inframind.bench.prompt import prompt
        from inframind.generation.engine import Request
        from inframind.types import VerifyRequest

        template = self._engine.tokenizer.apply_chat_template
        requests = [
            Request(
                template(prompt(task), add_generation_prompt=True, tokenize=False),
                model,
                self._config.max_tokens,
            )
            for task in tasks
        ]
        # Like lengths together: a batch runs as long as its longest answer, and the reference's
        # length foretells it.
        order = sorted(range(len(tasks)), key=lambda index: len(tasks[index].reference))
        by_index: dict[int, Answered] = {}
        for start in range(0, len(order), self._config.batch_size):
            self._check_stop()
            batch = order[start : start + self._config.batch_size]
            began = time.monotonic()
            completions = self._engine.generate([requests[index] for index in batch])
            judged = [
                VerifyRequest.of(tasks[i], c.text) for i, c in zip(batch, completions, strict=True)
            ]
            verdicts = self._verifier.verify_many(judged)
            self._crashes.add(judged, verdicts)
            by_index |= zip(
                batch, zip((c.text for c in completions), verdicts, strict=True), strict=True
            )
            tokens = sum(completion.completion_tokens for completion in completions)
            self._done += len(batch)
            speed = tokens / max(time.monotonic() - began, 1e-6)
            self._said = {"tokens_per_second": speed, "pass_rate": rate(verdicts)["pass_at_1"]}
            self._context.progress(self._stage_index, self._step, self._said)
        return [by_index[index] for index in range(len(tasks))]
