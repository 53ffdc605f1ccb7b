"""Fixtures on the bundled model."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def adapters(
    tmp_path_factory: pytest.TempPathFactory, make_adapter: Callable[..., Path]
) -> dict[str, Path]:
    """Two published adapters."""
    folder = tmp_path_factory.mktemp("adapters")
    return {
        name: make_adapter(folder, name, seed) for seed, name in enumerate(("im-one.a", "im-two"))
    }
