"""Ages by a database's clock that somebody sets."""

import pytest

from app.db.steady_clock import SteadyClock
from tests.support.clocks import DAY, ManualClock


def test_it_is_the_databases_time_while_nobody_sets_it() -> None:
    clock = ManualClock()
    steady = SteadyClock(clock)
    for seconds in (0.0, 3.0, 1000.0, DAY):
        clock.goes_on(seconds)
        # Slow answers and drift are no leaps.
        assert steady.look(5e8 + clock.now + 2.0) == 5e8 + clock.now + 2.0


@pytest.mark.parametrize(("leaps", "believed"), [([DAY], 0.0), ([-DAY], -DAY), ([DAY, -DAY], 0.0)])
def test_a_leap_forward_makes_nothing_older(leaps: list[float], believed: float) -> None:
    clock, wrong_by = ManualClock(), 0.0
    steady = SteadyClock(clock)
    steady.look(5e8 + clock.now)
    for leap in leaps:
        wrong_by += leap
        clock.goes_on(60.0)
        told = steady.look(5e8 + clock.now + wrong_by)
    assert told == 5e8 + clock.now + believed
