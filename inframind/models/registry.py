"""Lists the base models: names that a user may send, and where their files are. No torch."""

from dataclasses import dataclass
from pathlib import Path

from inframind.errors import ModelNotFoundError
from inframind.models.nano import WEIGHTS


@dataclass(frozen=True)
class BaseModel:
    """A base model. `path` is a bundled folder or a hub id with a pinned revision in the cache."""

    id: str
    path: str
    bundled: bool
    description: str


BASE_MODELS: dict[str, BaseModel] = {
    model.id: model
    for model in (
        BaseModel(
            "inframind-nano",
            str(WEIGHTS),
            True,
            "Bundled demonstration model, 3 million parameters, runs on two CPU cores",
        ),
        BaseModel(
            "Qwen/Qwen2.5-0.5B-Instruct",
            "Qwen/Qwen2.5-0.5B-Instruct",
            False,
            "Default on a GPU; needs its weights in the hub's cache",
        ),
    )
}


def base_model_path(name: str) -> str:
    """Finds folder or hub id of a base model. Raises ModelNotFoundError."""
    model = BASE_MODELS.get(name)
    if model is None:
        raise ModelNotFoundError(
            f"unknown base model {name!r}; known: {', '.join(BASE_MODELS)}", param="base_model"
        )
    return model.path


def is_available(name: str) -> bool:
    """Tells that the files are here: bundled, or in the hub's cache."""
    model = BASE_MODELS[name]
    if model.bundled:
        return (Path(model.path) / "model.safetensors").is_file()
    from importlib.util import find_spec

    if find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    # Asks the disk alone: the api must answer without a network.
    return isinstance(try_to_load_from_cache(model.path, "config.json"), str)
