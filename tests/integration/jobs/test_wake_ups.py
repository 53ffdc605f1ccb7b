"""A Redis that hangs: it takes connections and never answers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.jobs.wake_ups import WakeUps
from tests.support.servers import Redis


@pytest.fixture
def hanging(redis: Redis) -> Iterator[WakeUps]:
    wake_ups = WakeUps(redis.url)
    assert wake_ups.send("before")
    redis.hang()
    yield wake_ups
    redis.go_on()
    redis.client.flushall()


def test_one_message_waits_for_it_and_not_all(hanging: WakeUps) -> None:
    """A bug: as many threads as requests came waited four seconds each, and the requests behind them too."""

    def seconds(number: int) -> float:
        began = time.monotonic()
        assert not hanging.send(str(number))
        return time.monotonic() - began

    with ThreadPoolExecutor(40) as threads:
        waited = sorted(threads.map(seconds, range(200)))
    assert waited[-2] < 1, waited[-40:]


def test_the_reconciler_is_told_that_it_does_not_answer(hanging: WakeUps) -> None:
    """A bug: the client's own error came through, and the reconciler ended."""
    assert hanging.waiting() is None
