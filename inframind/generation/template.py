"""Renders the base model's chat template without transformers.

The api applies it, so that every server sees the same text.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from inframind.errors import EngineError
from inframind.models.registry import BASE_MODELS


def folder_of(base_model: str) -> Path:
    """Finds the folder with the tokenizer's files. Raises EngineError."""
    model = BASE_MODELS[base_model]
    if model.bundled:
        return Path(model.path)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                model.path, local_files_only=True, allow_patterns=["*.json", "*.jinja"]
            )
        )
    except LocalEntryNotFoundError:
        raise EngineError(f"the files of {base_model} are not in the hub's cache") from None


@cache
def template(base_model: str) -> Any:
    """Compiles the chat template, with the settings of transformers' own rendering."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    folder = folder_of(base_model)
    file = folder / "chat_template.jinja"
    text = (
        file.read_text()
        if file.is_file()
        else json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
    )
    # A template comes with a model, from strangers: it may neither run code nor change values.
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    return environment.from_string(text)


def render(base_model: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Writes the prompt's text, ready for the assistant's turn."""
    text: str = template(base_model).render(messages=list(messages), add_generation_prompt=True)
    return text
