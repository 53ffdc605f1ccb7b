"""Intervals of rates and of their differences."""

import pytest

from inframind.statistics.intervals import newcombe, wilson


def test_known_values() -> None:
    assert wilson(50, 100) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_newcombes_own_example() -> None:
    """56 of 70 against 48 of 80 (Newcombe 1998, table II, column a, method 10)."""
    low, high = newcombe((56 / 70, wilson(56, 70)), (48 / 80, wilson(48, 80)))
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert newcombe((0.5, wilson(5, 10)), (0.5, wilson(5, 10)))[0] < 0
