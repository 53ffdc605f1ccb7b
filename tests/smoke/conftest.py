"""Fixtures on the bundled model."""

from pathlib import Path

import pytest
from recorder import make_adapter


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two published adapters."""
    folder = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(folder, name, seed) for seed, name in enumerate(("im-one.a", "im-two"))}
