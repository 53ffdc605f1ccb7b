"""From a job's words to whole stages."""

import pytest

from inframind.errors import ConfigError
from inframind.pipeline import resolve_stages
from inframind.stages import sft
from inframind.stages.config import NANO_SLICE


def names(method: str, *, continues: bool = False) -> list[str]:
    return [stage.stage for stage in resolve_stages("inframind-nano", method, continues=continues)]


def test_methods_are_shorthands() -> None:
    assert names("sft") == ["sft", "evaluate"]
    assert names("dapo") == ["sft", "grpo", "dapo", "evaluate"]
    assert names("dapo", continues=True) == ["grpo", "dapo", "evaluate"]
    assert names("sft", continues=True) == ["sft", "evaluate"]


def test_what_is_not_named_takes_the_recipe_of_the_base_model() -> None:
    (stage,) = resolve_stages("inframind-nano", stages=[{"stage": "sft", "max_steps": 3}])
    assert stage.max_steps == 3
    assert stage.learning_rate == sft.Config.recipes["inframind-nano"]["learning_rate"]


def test_without_a_recipe_the_stages_defaults_hold() -> None:
    (stage,) = resolve_stages("Qwen/Qwen2.5-0.5B-Instruct", stages=[{"stage": "dapo"}])
    assert stage.max_tokens == 512


@pytest.mark.parametrize(
    ("stages", "param"),
    [
        ([{"stage": "sft", "max_steps": 0}], "stages.0.max_steps"),
        ([{"stage": "sft"}, {"stage": "grpo", "num_generations": 1}], "stages.1.num_generations"),
        ([{"stage": "sft", "lora": {"r": 12}}], "stages.0.lora.r"),
        ([{"stage": "sft", "surprise": 1}], "stages.0.surprise"),
        ([{"stage": "ppo"}], "stages.0.stage"),
        ([{"stage": ["sft"]}], "stages.0.stage"),
        ([{"stage": "dapo", "overlong_buffer": 240}], "stages.0"),
        ([], "stages"),
    ],
)
def test_errors_name_the_field(stages: list[dict[str, object]], param: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_stages("inframind-nano", stages=stages)
    assert caught.value.param == param


@pytest.mark.parametrize(
    "given", [{}, {"method": "sft", "stages": [{"stage": "sft"}]}, {"method": "magic"}]
)
def test_exactly_one_known_method_or_stages(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        resolve_stages("inframind-nano", **given)  # type: ignore[arg-type]  # wrong on purpose


def test_the_recipes_choice_of_tasks_is_for_the_bench_alone() -> None:
    for dataset, hardest in (("inframind-bench", NANO_SLICE["max_difficulty"]), ("ds-0", 5)):
        for stage in resolve_stages("inframind-nano", "dapo", dataset=dataset):
            assert stage.max_difficulty == hardest
