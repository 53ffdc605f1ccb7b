"""The registry of the stages: one line each. Importing this loads no torch.

A stage is one file with two names: `Config`, below `inframind.stages.config.StageConfig`, whose
field `stage` is the stage's name, and `run(config, given, context)`, which does the work and gives
a `StageReport`. Everything else that the service, the trainer and the commands want to know of a
stage they ask its `Config`: its recipes, the method of its name, its steps, the models that it
names, the adapter that it makes, its cost.

To add one, write its file and its line here: `tests/support/toy_stage.py` is the smallest one.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Annotated, Any

from pydantic import PlainValidator, SerializeAsAny, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from inframind.errors import ConfigError
from inframind.stages import dapo, evaluate, grpo, sft
from inframind.stages.config import StageConfig
from inframind.validation import first_fault

STAGES: dict[str, ModuleType] = {"sft": sft, "grpo": grpo, "dapo": dapo, "evaluate": evaluate}
MAX_STAGES = 16


def config_class(name: object) -> type[StageConfig]:
    """Finds the settings' class of a stage. Raises ConfigError that lists those that exist."""
    if not isinstance(name, str) or name not in STAGES:
        raise ConfigError(f"unknown stage {name!r}; known: {', '.join(STAGES)}", param="stage")
    config: type[StageConfig] = STAGES[name].Config
    return config


def parse(
    settings: Mapping[str, Any] | StageConfig, recipe_of: str | None = None, own_data: bool = False
) -> StageConfig:
    """Reads one stage; what it does not name takes the recipe of the base model `recipe_of`.

    Raises ConfigError whose `param` is the field, such as `lora.r`.
    """
    if isinstance(settings, StageConfig):
        return settings
    config = config_class(settings.get("stage"))
    recipe = config.recipe(recipe_of, own_data=own_data) if recipe_of is not None else {}
    whole = {**recipe, **settings}
    try:
        # As JSON, for only there a tuple's strict form is a list: "5" is no number in either.
        return config.model_validate_json(to_json(whole), strict=True)
    except ValidationError as error:
        fault = first_fault(error.errors(), whole)
        raise ConfigError(
            f"{fault.field or settings['stage']}: {fault.reason}", param=fault.field
        ) from None
    except PydanticSerializationError as error:
        # A lone surrogate, or an object of Python's: the api lets neither through.
        raise ConfigError(f"{settings['stage']}: no JSON: {error}", param="") from None


def parse_all(
    stages: Sequence[Mapping[str, Any]], recipe_of: str | None = None, own_data: bool = False
) -> tuple[StageConfig, ...]:
    """Reads a job's stages. Raises ConfigError whose `param` is such as `stages.0.lora.r`."""
    configs = []
    for index, settings in enumerate(stages):
        try:
            configs.append(parse(settings, recipe_of, own_data))
        except ConfigError as error:
            error.param = f"stages.{index}.{error.param}".rstrip(".")
            raise
    return tuple(configs)


def methods() -> dict[str, tuple[str, ...]]:
    """Lists the stages of every method, by its name."""
    return {name: config_class(name).method for name in STAGES if config_class(name).method}


def evaluating() -> list[str]:
    """Lists the stages whose reports have a row for every model they asked."""
    return [name for name in STAGES if config_class(name).evaluates]


AnyStage = Annotated[SerializeAsAny[StageConfig], PlainValidator(parse)]
"""The settings of any stage of the registry, as the field of a model."""
