"""A Redis that hangs, taking connections and never answering; clocks that disagree."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.jobs import wake_ups
from app.jobs.wake_ups import QUEUE, WakeUps
from tests.support.servers import Redis
from tests.support.waiting import HANG_SECONDS


@pytest.fixture
def hanging(redis: Redis) -> Iterator[WakeUps]:
    made = WakeUps(redis.url)
    assert made.send("before")
    redis.hang()
    yield made
    redis.go_on()
    redis.client.flushall()


def test_one_message_waits_for_it_and_not_all(
    hanging: WakeUps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug: each thread waited four seconds for the server, and the requests behind them too."""
    monkeypatch.setattr(wake_ups, "SILENCE_SECONDS", HANG_SECONDS)
    asked: list[str] = []
    send_task = hanging._celery.send_task

    def counted(name: str, arguments: tuple[str], **options: object) -> object:
        asked.extend(arguments)
        return send_task(name, arguments, **options)

    monkeypatch.setattr(hanging._celery, "send_task", counted)
    with ThreadPoolExecutor(40) as threads:
        assert not any(threads.map(hanging.send, map(str, range(200))))
    assert len(asked) == 1


def test_the_reconciler_is_told_that_it_does_not_answer(hanging: WakeUps) -> None:
    """A bug: the client's own error came through, and the reconciler ended."""
    assert hanging.waiting() is None


def test_a_message_has_no_date_by_which_a_workers_clock_could_drop_it(redis: Redis) -> None:
    """A bug: a worker whose clock was an hour ahead dropped every message, and ran no job."""
    redis.client.flushall()
    assert WakeUps(redis.url).send("any")
    (message,) = redis.client.lrange(QUEUE, 0, -1)
    headers = json.loads(message)["headers"]
    assert headers["expires"] is None and headers["eta"] is None
    redis.client.flushall()
