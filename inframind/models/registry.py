"""Lists the base models: names that a user may send, and where their files are. No torch."""

import json
from dataclasses import dataclass
from functools import cache
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
    return _config_file(name) is not None


@cache
def context_tokens(name: str) -> int:
    """Reads how many tokens of prompt and answer a base model takes. Raises ModelNotFoundError."""
    file = _config_file(name)
    if file is None:
        raise ModelNotFoundError(f"the files of {name} are not in the hub's cache")
    # transformers only warns of a longer text, and goes on with positions that it never learned.
    return int(json.loads(file.read_bytes())["max_position_embeddings"])


def _config_file(name: str) -> Path | None:
    model = BASE_MODELS[name]
    if model.bundled:
        return Path(model.path) / "config.json"
    from importlib.util import find_spec

    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    # Asks the disk alone: the api must answer without a network.
    cached = try_to_load_from_cache(model.path, "config.json")
    return Path(cached) if isinstance(cached, str) else None
