"""Settings are held against the rows, the model and its context."""

from pathlib import Path
from typing import Any

import pytest

from inframind.datasets.store import save
from inframind.errors import ConfigError, DataError
from inframind.models.registry import BASE_MODELS
from inframind.pipeline import resolve_stages
from inframind.stages import STAGES, config_class, methods, parse
from inframind.stages.config import StageConfig
from inframind.stages.fit import Fit, StageData
from inframind.types import Split, Task
from tests.support.recorder import NANO

QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
WORD = "alpha "
"""Two tokens of nano's."""


def row(number: int, *, prompt: int = 5, answer: int = 5, **more: Any) -> Task:
    """A task with so many words in its prompt and its answer."""
    return Task(
        id=f"own/{number}",
        category=more.pop("category", "dockerfile"),
        family="own/dockerfile",
        instruction=f"{number} " + WORD * prompt,
        reference=more.pop("reference", f"FROM debian:12 # {WORD * answer}"),
        difficulty=1,
        split=more.pop("split", "train"),
        **more,
    )


def held_out(number: int, **more: Any) -> Task:
    split: Split = "test-values"
    return row(number, split=split, **more)


def data(folder: Path, *tasks: Task, base_model: str = NANO) -> StageData:
    path = save([*tasks, held_out(999)], folder)
    return StageData(path.stem, base_model, path)


def check(stage: dict[str, Any], found: StageData) -> Fit:
    return whole(stage).check(found, frozenset(stage))


def whole(stage: dict[str, Any]) -> StageConfig:
    return parse(stage, recipe_of=NANO, own_data=True)


def refused(stage: dict[str, Any], found: StageData) -> tuple[str | None, str]:
    with pytest.raises((ConfigError, DataError)) as error:
        check(stage, found)
    return error.value.param, str(error.value)


@pytest.mark.parametrize("base_model", BASE_MODELS)
def test_every_method_fits_the_bench(base_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inframind.stages.fit.context_tokens", lambda _: 1024)
    for method in methods():
        for stage in resolve_stages(base_model, method):
            fit = stage.check(StageData("inframind-bench", base_model))
            assert fit.counts["rows"] > 100, method
            assert {note.code for note in fit.notes} <= {"lengths_unknown"}, fit.notes


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_forgets_to_check(name: str, tmp_path: Path) -> None:
    assert config_class(name).check is not StageConfig.check
    tasks = [row(number) for number in range(20)]
    assert check({"stage": name}, data(tmp_path, *tasks)).counts["rows"] > 0


@pytest.mark.parametrize("name", ["grpo", "dapo"])
def test_a_step_of_more_prompts_than_rows_is_refused(name: str, tmp_path: Path) -> None:
    few = data(tmp_path, row(1), row(2))
    param, message = refused({"stage": name, "max_steps": 1}, few)
    assert param == "prompts_per_step"
    assert "needs 8 rows" in message and f"{few.dataset} has 2" in message
    assert "lower prompts_per_step to 2" in message
    enough = {"stage": name, "max_steps": 1, "prompts_per_step": 2}
    assert check(enough, few).counts["rows"] == 2


def test_supervised_training_takes_fewer_rows_than_a_batch(tmp_path: Path) -> None:
    assert check({"stage": "sft", "batch_size": 16}, data(tmp_path, row(1))).counts["rows"] == 1


def test_rows_over_max_length_are_counted_with_the_longest(tmp_path: Path) -> None:
    tasks = [row(number, prompt=100 if number % 2 else 5) for number in range(24)]
    found = data(tmp_path, *tasks)
    param, message = refused({"stage": "sft", "max_length": 128}, found)
    longest = max(each.tokens for each in found.lengths.rows)
    assert param == "max_length"
    assert f"12 of 24 rows of {found.dataset} are longer than max_length 128" in message
    assert f"has {longest} tokens" in message and f"set max_length to {longest}" in message
    assert check({"stage": "sft", "max_length": longest}, found).counts["longest_row"] == longest


def test_rows_beyond_the_model_have_no_setting_as_a_remedy(tmp_path: Path) -> None:
    param, message = refused({"stage": "sft"}, data(tmp_path, row(1, prompt=750), row(2)))
    assert param == "max_length" and "1 of 2 rows" in message
    assert "inframind-nano takes 1024: shorten or leave out those rows" in message


@pytest.mark.parametrize(
    ("stage", "param"),
    [
        ({"stage": "sft", "max_length": 32_000}, "max_length"),
        ({"stage": "dapo", "max_tokens": 4096}, "max_tokens"),
        ({"stage": "grpo", "max_tokens": 1024}, "max_tokens"),
        ({"stage": "evaluate", "max_tokens": 8192}, "max_tokens"),
    ],
)
def test_a_length_beyond_the_models_context_is_refused(
    stage: dict[str, Any], param: str, tmp_path: Path
) -> None:
    own = data(tmp_path, *(row(number) for number in range(9)))
    for found in (own, StageData("inframind-bench", NANO)):
        place, message = refused(stage, found)
        assert place == param and "inframind-nano takes 1024 tokens" in message


def test_prompts_that_leave_no_room_for_an_answer_are_counted(tmp_path: Path) -> None:
    tasks = [row(number, prompt=450 if number < 3 else 5) for number in range(9)]
    found = data(tmp_path, *tasks)
    longest = max(each.prompt_tokens for each in found.lengths.rows)
    param, message = refused({"stage": "dapo", "max_tokens": 240}, found)
    assert param == "max_tokens" and "3 of 9 prompts" in message
    assert f"set max_tokens to {1024 - longest} at most" in message


def test_right_answers_over_a_chosen_max_tokens_are_counted(tmp_path: Path) -> None:
    tasks = [row(number, answer=80 if number < 2 else 1) for number in range(9)]
    found = data(tmp_path, *tasks)
    longest = max(each.answer_tokens for each in found.lengths.rows)
    param, message = refused({"stage": "grpo", "max_tokens": 100}, found)
    assert param == "max_tokens" and "2 of 9 right answers" in message
    assert f"set max_tokens to {longest}" in message
    # The trainer does not know what was chosen: there it is an event.
    fit = whole({"stage": "grpo", "max_tokens": 100}).check(found)
    assert [note.code for note in fit.notes] == ["answers_cut"]
    assert fit.counts["answers_over_limit"] == 2


def test_limits_that_nobody_chose_are_raised_to_what_the_rows_need(tmp_path: Path) -> None:
    tasks = [row(number, prompt=20, answer=260) for number in range(9)]
    found = data(tmp_path, *tasks)
    longest = max(each.tokens for each in found.lengths.rows)
    assert 512 < longest < 1024
    for stage, setting in (("sft", "max_length"), ("dapo", "max_tokens")):
        settings: Any = whole({"stage": stage}).fitted(found)
        settings.check(found)
        assert getattr(settings, setting) > getattr(whole({"stage": stage}), setting)
        chosen = whole({"stage": stage, setting: 64})
        assert chosen.fitted(found, {"stage", setting}) == chosen
    small = data(tmp_path, *(row(number) for number in range(9)))
    assert whole({"stage": "sft"}).fitted(small) == whole({"stage": "sft"})


def test_categories_that_no_row_has_are_refused_with_those_that_there_are(tmp_path: Path) -> None:
    found = data(tmp_path, row(1), row(2, category="compose"), row(3))
    for stage in ("sft", "evaluate"):
        param, message = refused({"stage": stage, "categories": ["terraform"]}, found)
        assert param == "categories" and "dockerfile 3, compose 1" in message
    param, message = refused({"stage": "evaluate", "categories": ["compose"]}, found)
    assert param == "categories" and "that this stage reads" in message
    fit = check({"stage": "evaluate", "categories": ["compose", "dockerfile"]}, found)
    assert [note.code for note in fit.notes] == ["categories_absent"]


def test_rows_without_an_answer_are_left_out_and_counted(tmp_path: Path) -> None:
    some = data(tmp_path, row(1), row(2, reference=""), row(3))
    fit = check({"stage": "sft"}, some)
    assert (fit.counts["rows"], fit.counts["rows_unanswered"]) == (2, 1)
    assert [note.code for note in fit.notes] == ["rows_dropped"]
    param, message = refused({"stage": "sft"}, data(tmp_path, row(2, reference="")))
    assert param == "dataset" and "has an answer to learn from" in message


def test_rows_that_no_step_reaches_are_counted(tmp_path: Path) -> None:
    found = data(tmp_path, *(row(number) for number in range(9)))
    fit = check({"stage": "sft", "max_steps": 2, "batch_size": 2}, found)
    assert fit.counts["rows_unreached"] == 5
    assert fit.notes[0].message.startswith("2 steps reach 4 of 9 rows")


def test_without_a_tokenizer_numbers_are_checked_and_lengths_left_to_the_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inframind.stages.fit.context_tokens", lambda _: 1024)
    found = data(tmp_path, row(1, prompt=2000), row(2), base_model=QWEN)
    fit = check({"stage": "sft"}, found)
    assert [note.code for note in fit.notes] == ["lengths_unknown"]
    assert "longest_row" not in fit.counts
    assert refused({"stage": "dapo"}, found)[0] == "prompts_per_step"
    assert refused({"stage": "sft", "max_length": 2048}, found)[0] == "max_length"


def test_the_benchs_overlong_tasks_are_left_out_but_not_all_of_them() -> None:
    bench = StageData("inframind-bench", NANO)
    hard = {"stage": "sft", "max_difficulty": 5, "max_length": 512}
    assert "rows_dropped" in {note.code for note in check(hard, bench).notes}
    param, message = refused({"stage": "sft", "max_length": 32}, bench)
    assert param == "max_length" and "set max_length to" in message
