"""Supervisors for the tests of jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    """Supervisors whose trainers run the stand-in, on a database of each dialect."""
    made = Fleet(tmp_path, database_url)
    yield made
    made.close()
