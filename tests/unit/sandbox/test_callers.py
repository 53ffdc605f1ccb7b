"""Turns and shares: nobody fills what others wait for, and whoever leaves is let go of."""

from concurrent.futures import CancelledError, Future
from threading import Event

import pytest

from inframind.sandbox.callers import AbandonedError, Call, Caller, FairQueue, FairThreads
from tests.support.waiting import HANG_SECONDS


def call(name: str) -> Call:
    return Call(Caller(name), Future(), lambda: None)


def test_the_next_call_is_of_whoever_has_fewest_under_way() -> None:
    queue = FairQueue(limit=2)
    for name in "aaaaabc":
        queue.add(call(name))
    taken = [queue.take() for _ in range(4)]
    assert [ready.caller.name for ready in taken if ready] == ["a", "b", "c", "a"]
    # The limit of `a`; nobody else waits.
    assert queue.take() is None
    assert taken[0] is not None and taken[1] is not None
    queue.done(taken[1])
    assert queue.take() is None
    queue.done(taken[0])
    following = queue.take()
    assert following is not None and following.caller.name == "a"


def test_calls_of_equal_names_are_served_in_their_order() -> None:
    queue = FairQueue(limit=9)
    calls = [call("a") for _ in range(5)]
    for waiting in calls:
        queue.add(waiting)
    assert [queue.take() for _ in range(5)] == calls


def test_a_caller_that_leaves_takes_what_waits_with_them() -> None:
    threads, may_end = FairThreads(1, 1, "test"), Event()
    caller = Caller("a")
    running = threads.run(caller, lambda: may_end.wait(HANG_SECONDS))
    waiting = threads.run(caller, lambda: True)
    others = threads.run(Caller("b"), lambda: "done")
    while not running.running():
        pass
    caller.leave()
    with pytest.raises(CancelledError):
        waiting.result()
    with pytest.raises(AbandonedError):
        threads.run(caller, lambda: True)
    may_end.set()
    assert others.result(HANG_SECONDS) == "done"
    threads.close()


def test_an_exception_belongs_to_the_caller_whose_work_raised_it() -> None:
    threads = FairThreads(1, 1, "test")
    failing = threads.run(Caller("a"), lambda: 1 / 0)
    following = threads.run(Caller("a"), lambda: 1)
    with pytest.raises(ZeroDivisionError):
        failing.result(HANG_SECONDS)
    assert following.result(HANG_SECONDS) == 1
    threads.close()
