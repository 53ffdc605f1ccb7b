"""Holds a stage's settings against the rows, the model and its context. Loads no torch.

The front desk asks when a job is sent, and the trainer again before the stage's first step: what
the one could not count, the other refuses with the same code and field.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inframind.datasets.lengths import Lengths, RowLength, of_bench, of_dataset
from inframind.errors import ConfigError, DataError
from inframind.models.registry import context_tokens

if TYPE_CHECKING:
    from inframind.stages.config import TaskConfig


@dataclass(frozen=True)
class StageData:
    """The rows and the model that the settings of a stage are held against."""

    dataset: str
    base_model: str
    dataset_path: Path | None = None
    """File of the users' own dataset; None for the bench."""

    @cached_property
    def lengths(self) -> Lengths:
        """The rows with their lengths, counted only if a stage asks. Raises DataError."""
        if self.dataset_path is None:
            return of_bench(self.base_model)
        return of_dataset(self.dataset_path, self.base_model)

    @property
    def context_tokens(self) -> int:
        """Tokens of prompt and answer that the model takes."""
        return context_tokens(self.base_model)


@dataclass(frozen=True)
class Note:
    """Something that a stage will leave out, cut off or not reach, and the setting behind it."""

    code: str
    setting: str
    message: str
    figures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """How the settings fit: counts of rows, the longest in tokens, and what is to be known."""

    counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def check_tasks(config: "TaskConfig", data: StageData, sent: Collection[str]) -> Fit:
    """Checks the settings of a stage that reads tasks; `sent` are those that a client chose.

    Raises ConfigError whose `param` is the setting, DataError whose `param` is `dataset`.
    """
    rows = _chosen(config, data)
    notes = list(_unanswered(config, data, rows))
    if config.needs_answer:
        rows = [row for row in rows if row.is_answered]
    # The number first: of no rows there is no longest one.
    _check_number(config, data, rows)
    _check_context(config, data, rows)
    notes += [*_row_lengths(config, data, rows), *_answer_lengths(config, data, rows, sent)]
    notes += [*_absent_categories(config, data, rows), *_unreached(config, data, rows)]
    counts = {"rows": _number(rows)}
    if data.lengths.is_counted and not data.lengths.is_sample:
        counts |= {
            "longest_prompt": max(row.prompt_tokens for row in rows),
            "longest_answer": max(row.answer_tokens for row in rows),
            "longest_row": max(row.tokens for row in rows),
        }
    for note in notes:
        counts |= note.figures
    if not data.lengths.is_counted:
        message = (
            f"the tokenizer of {data.base_model} is not here: the trainer looks at the lengths of "
            "the rows, before the first step"
        )
        notes.append(Note("lengths_unknown", "dataset", message))
    return Fit(counts, tuple(notes))


def fitted_lengths(config: "TaskConfig", data: StageData, sent: Collection[str]) -> dict[str, int]:
    """Raises the limits of length that no client chose to what the rows need.

    The recipes know the bench's rows. Those of users may be longer, and nobody asked to cut them.
    """
    lengths = data.lengths
    if lengths.is_sample or not lengths.is_counted:
        return {}
    rows = [row for row in lengths.rows if row.split in config.splits]
    changed: dict[str, int] = {}
    needs = {
        config.row_limit: max((row.tokens for row in rows), default=0),
        config.answer_limit: min(
            max((row.answer_tokens for row in rows), default=0),
            # What no prompt leaves room for is not promised.
            data.context_tokens - max((row.prompt_tokens for row in rows), default=0),
        ),
    }
    for setting, needed in needs.items():
        if setting is not None and setting not in sent:
            most = min(needed, data.context_tokens, config.most(setting))
            if most > getattr(config, setting):
                changed[setting] = most
    return changed


def _chosen(config: "TaskConfig", data: StageData) -> list[RowLength]:
    rows = [row for row in data.lengths.rows if row.split in config.splits]
    if config.categories is not None:
        everywhere, here = _by_category(data.lengths.rows), _by_category(rows)
        unknown = [name for name in config.categories if name not in everywhere]
        rows = [row for row in rows if row.category in config.categories]
        if unknown or not rows:
            scope, counts = ("", everywhere) if unknown else (" that this stage reads", here)
            listed = ", ".join(f"{name} {count}" for name, count in counts.most_common())
            raise ConfigError(
                f"categories: no row of {data.dataset}{scope} is of "
                f"{', '.join(unknown or config.categories)}; its rows: {listed}",
                param="categories",
            )
    # Users' own rows are all of difficulty 1, so that only the bench is chosen from by it.
    easy = [row for row in rows if row.difficulty <= config.max_difficulty]
    if rows and not easy:
        least = min(row.difficulty for row in rows)
        raise ConfigError(
            f"max_difficulty: none of the {_number(rows)} rows of {data.dataset} is so easy; the "
            f"easiest are of difficulty {least}",
            param="max_difficulty",
        )
    return easy


def _unanswered(config: "TaskConfig", data: StageData, rows: Sequence[RowLength]) -> Iterable[Note]:
    without = [row for row in rows if not row.is_answered]
    if not config.needs_answer or not without:
        return
    if len(without) == len(rows):
        raise DataError(
            f"none of the {len(rows)} rows of {data.dataset} has an answer to learn from: use "
            "reinforcement alone",
            param="dataset",
        )
    message = f"{len(without)} of {len(rows)} rows of {data.dataset} have no answer: left out"
    yield Note("rows_dropped", "dataset", message, {"rows_unanswered": len(without)})


def _check_number(config: "TaskConfig", data: StageData, rows: Sequence[RowLength]) -> None:
    if not rows:
        raise DataError(f"{data.dataset} has no row that this stage reads", param="dataset")
    setting = config.whole_step
    if setting is not None and _number(rows) < (wanted := int(getattr(config, setting))):
        raise ConfigError(
            f"{setting}: a step needs {wanted} rows, and {data.dataset} has {_number(rows)} that "
            f"this stage reads: lower {setting} to {_number(rows)}, or add rows",
            param=setting,
        )


def _check_context(config: "TaskConfig", data: StageData, rows: Sequence[RowLength]) -> None:
    """Refuses what the model has no positions for: TRL and the engine would run past them."""
    most, model = data.context_tokens, data.base_model
    if (setting := config.row_limit) is not None and getattr(config, setting) > most:
        raise ConfigError(
            f"{setting}: {model} takes {most} tokens of prompt and answer together, less than "
            f"{getattr(config, setting)}",
            param=setting,
        )
    setting = config.answer_limit
    if setting is None:
        return
    answer = int(getattr(config, setting))
    over = [row for row in rows if row.prompt_tokens + answer > most]
    # Uncounted prompts have no length: then only a limit that no prompt at all fits is refused.
    if answer >= most or over:
        longest = max(row.prompt_tokens for row in rows)
        figures = (
            f"{_number(over)} of {_number(rows)} prompts (the longest has {longest} tokens) leave "
            f"no room for {answer}: "
            if data.lengths.is_counted
            else ""
        )
        remedy = (
            f"set {setting} to {most - longest} at most"
            if data.lengths.is_counted and most - longest >= config.least(setting)
            else "shorten the prompts"
        )
        if not data.lengths.is_counted:
            remedy = f"lower {setting}"
        raise ConfigError(
            f"{setting}: {model} takes {most} tokens of prompt and answer together. "
            f"{figures}{remedy}",
            param=setting,
        )


def _row_lengths(
    config: "TaskConfig", data: StageData, rows: Sequence[RowLength]
) -> Iterable[Note]:
    setting = config.row_limit
    if setting is None:
        return
    limit = int(getattr(config, setting))
    over = [row for row in rows if row.tokens > limit]
    if not over:
        return
    longest = max(row.tokens for row in over)
    # Whole rows or none: TRL would cut the answer's end, and a model that never sees the closing
    # token learns not to end.
    text = _over(over, rows, f"{setting} {limit}", longest, data)
    if not data.lengths.is_sample or len(over) == len(rows):
        remedy = (
            f"set {setting} to {longest}"
            if longest <= min(data.context_tokens, config.most(setting))
            else f"{data.base_model} takes {data.context_tokens}: shorten or leave out those rows"
        )
        raise ConfigError(f"{setting}: {text}: {remedy}", param=setting)
    # The bench is ours: nobody can shorten its tasks, and the stage counts what it leaves out.
    yield Note("rows_dropped", setting, f"{text}: left out")


def _answer_lengths(
    config: "TaskConfig", data: StageData, rows: Sequence[RowLength], sent: Collection[str]
) -> Iterable[Note]:
    setting = config.answer_limit
    if setting is None:
        return
    limit = int(getattr(config, setting))
    over = [row for row in rows if row.answer_tokens > limit]
    if not over:
        return
    longest = max(row.answer_tokens for row in over)
    text = _over(over, rows, f"{setting} {limit}", longest, data, "right answers")
    room = data.context_tokens - max(row.prompt_tokens for row in rows)
    # On the bench a short limit is a quick trial; users' own answers are what they want to get.
    if setting in sent and not data.lengths.is_sample:
        remedy = (
            f"set {setting} to {min(longest, room)}"
            if limit < min(longest, room)
            else "shorten or leave out those rows"
        )
        raise ConfigError(f"{setting}: {text}: {remedy}", param=setting)
    figures = {} if data.lengths.is_sample else {"answers_over_limit": len(over)}
    yield Note("answers_cut", setting, f"{text}: a model that writes as much is cut off", figures)


def _absent_categories(
    config: "TaskConfig", data: StageData, rows: Sequence[RowLength]
) -> Iterable[Note]:
    there = {row.category for row in rows}
    absent = [name for name in config.categories or () if name not in there]
    if absent:
        message = f"no row of {data.dataset} that this stage reads is of {', '.join(absent)}"
        yield Note("categories_absent", "categories", message)


def _unreached(config: "TaskConfig", data: StageData, rows: Sequence[RowLength]) -> Iterable[Note]:
    reached = config.rows_reached
    if reached is not None and not data.lengths.is_sample and reached < len(rows):
        message = (
            f"{config.total_steps} steps reach {reached} of {len(rows)} rows: more max_steps train "
            "on all of them"
        )
        yield Note("rows_unreached", "max_steps", message, {"rows_unreached": len(rows) - reached})


def _by_category(rows: Iterable[RowLength]) -> Counter[str]:
    counts = Counter[str]()
    for row in rows:
        counts[row.category] += row.stands_for
    return counts


def _number(rows: Iterable[RowLength]) -> int:
    return sum(row.stands_for for row in rows)


def _over(
    over: Sequence[RowLength],
    rows: Sequence[RowLength],
    limit: str,
    longest: int,
    data: StageData,
    things: str = "rows",
) -> str:
    about = "about " if data.lengths.is_sample else ""
    return (
        f"{about}{_number(over)} of {_number(rows)} {things} of {data.dataset} are longer than "
        f"{limit} (the longest has {longest} tokens)"
    )
