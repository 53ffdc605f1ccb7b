"""Inference servers of both kinds, and adapters for them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inference_servers import BASE, embedded, one_thread, vllm

from inframind.generation.engine import Engine


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory, make_adapter: Callable[..., Path]) -> dict[str, Path]:
    """Two published adapters that change answers."""
    folder = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(folder, name, seed) for seed, name in enumerate(("im-a", "im-b"), 1)}


@pytest.fixture(scope="session", params=["embedded", "vllm"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An inference server of each kind."""
    one_thread()
    with embedded(Engine(BASE, "cpu")) if request.param == "embedded" else vllm(tmp_path_factory.mktemp("vllm")) as found:
        yield found
