"""A limit's window ends after its length, whatever date the machine tells."""

import asyncio

import pytest
from limits import parse
from limits.aio.strategies import FixedWindowRateLimiter

from app.web import rate_window
from app.web.rate_window import SteadyStorage
from tests.support.clocks import ManualClock

LIMIT = parse("3/minute")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(SteadyStorage(clock))


def hits(limiter: FixedWindowRateLimiter, who: str, count: int) -> list[bool]:
    async def hit() -> list[bool]:
        return [await limiter.hit(LIMIT, who) for _ in range(count)]

    return asyncio.run(hit())


def test_a_window_ends_on_the_monotonic_clock(
    limiter: FixedWindowRateLimiter, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set back by a day, the date once kept a key out for a day."""
    assert hits(limiter, "a", 5) == [True, True, True, False, False]
    monkeypatch.setattr("time.time", lambda: 0.0)
    reset_at, left = asyncio.run(limiter.get_window_stats(LIMIT, "a"))
    assert (reset_at, left) == (clock.now + 60.0, 0)
    assert not asyncio.run(limiter.test(LIMIT, "a")) and asyncio.run(limiter.test(LIMIT, "b"))
    clock.goes_on(61.0)
    assert hits(limiter, "a", 1) == [True]


def test_windows_that_are_over_are_forgotten(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_window, "SWEEP_AT", 10)
    storage = SteadyStorage(clock)
    for number in range(100):
        asyncio.run(storage.incr(f"client-{number}", 60))
        clock.goes_on(30.0)
    assert asyncio.run(storage.reset()) <= 10
