"""Every stage of the registry answers what the service asks of a stage."""

from typing import Any

import pytest

from inframind.errors import ConfigError
from inframind.pipeline import PipelineSpec, resolve_stages
from inframind.stages import STAGES, config_class, evaluating, methods, parse, parse_all
from inframind.stages.config import TrainingConfig


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_answers_every_question(name: str) -> None:
    stage = parse({"stage": name})
    assert stage.stage == name and callable(STAGES[name].run)
    assert stage.total_steps > 0 and stage.seconds_per_step > 0
    assert set(stage.method) <= set(STAGES) and (not stage.method or name in stage.method)
    assert stage.asks_judge is None and stage.models_named == {} and stage.naming({}) == stage
    if isinstance(stage, TrainingConfig):
        assert stage.new_adapter == stage.lora
        assert getattr(stage, stage.rows_per_step) > 0 and "loss" in stage.reported
    else:
        assert stage.new_adapter is None


@pytest.mark.parametrize("name", STAGES)
def test_every_recipe_is_valid(name: str) -> None:
    for base_model in config_class(name).recipes:
        whole = parse({"stage": name}, recipe_of=base_model)
        assert whole != parse({"stage": name})


def test_an_evaluation_names_models_by_their_places() -> None:
    stage = parse({"stage": "evaluate", "models": ["production", "inframind-nano"]})
    assert stage.models_named == {"models.0": "production", "models.1": "inframind-nano"}
    resolved = stage.naming({"models.0": "im-a"})
    assert list(resolved.models_named.values()) == ["im-a", "inframind-nano"]
    assert parse({"stage": "evaluate", "judged_tasks": 3}).asks_judge == "judged_tasks"
    assert evaluating() == ["evaluate"]


def test_every_method_ends_with_an_evaluation() -> None:
    assert methods().keys() == STAGES.keys()
    for name, stages in methods().items():
        assert stages[-1] == "evaluate" and name in stages


def test_stages_cross_the_wire_unchanged() -> None:
    stages = resolve_stages("inframind-nano", "dapo")
    spec = PipelineSpec(job_id="j", base_model="inframind-nano", stages=stages)
    assert PipelineSpec.model_validate_json(spec.model_dump_json()) == spec
    assert parse_all([stage.model_dump(mode="json") for stage in stages]) == stages


@pytest.mark.parametrize(
    ("settings", "param", "reason"),
    [
        ({"max_steps": "5"}, "stages.0.max_steps", "valid integer"),
        ({"max_steps": 5.0}, "stages.0.max_steps", "valid integer"),
        ({"max_steps": True}, "stages.0.max_steps", "valid integer"),
        ({"learning_rate": "2e-4"}, "stages.0.learning_rate", "valid number"),
        ({"lora": {"r": "16"}}, "stages.0.lora.r", "8, 16, 32"),
        ({"lora": 5}, "stages.0.lora", "an object"),
        ({"categories": "dockerfile"}, "stages.0.categories", "a list"),
        ({"categories": ["docker"]}, "stages.0.categories.0", "unknown category 'docker'; known"),
        ({"categories": ["\ud800"]}, "stages.0", "no JSON"),
    ],
)
def test_types_are_strict_and_names_known(
    settings: dict[str, Any], param: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        parse_all([{"stage": "sft", **settings}])
    assert refused.value.param == param
    whole = {"families_share": 1, "categories": ["dockerfile"], "lora": {"targets": ["q_proj"]}}
    assert parse({"stage": "sft", **whole}).stage == "sft", "a whole number is one, too"


def test_settings_of_another_version_are_refused_by_their_place() -> None:
    with pytest.raises(ConfigError, match="unknown stage 'ppo'") as refused:
        parse_all([{"stage": "sft"}, {"stage": "ppo"}])
    assert refused.value.param == "stages.1.stage"
