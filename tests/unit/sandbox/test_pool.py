"""The worker processes themselves: deadlines, crashes, limits and endings. Their target is Python's
own `eval`."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest

from inframind.errors import SandboxError
from inframind.sandbox.callers import AbandonedError, Caller
from inframind.sandbox.confinement import seccomp_filter
from inframind.sandbox.pool import CallFailedError, Pool, WorkerProcess
from tests.support.fleet import children
from tests.support.waiting import HANG_SECONDS, until

SPIN = "[0 for _ in iter(int, 1)]"


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool("builtins:eval", workers=2, deadline_seconds=HANG_SECONDS)
    yield pool
    pool.close()


@pytest.fixture
def hurried() -> Iterator[Pool]:
    """A pool whose calls end soon, and not before a call that does nothing has its answer."""
    pool = Pool("builtins:eval", workers=2, deadline_seconds=0.5)
    yield pool
    pool.close()


def process_id(pool: Pool) -> int:
    return int(pool.call("str(__import__('os').getpid())"))


def is_running(pid: int) -> bool:
    """Not gone, and not a zombie that somebody has yet to collect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_workers_are_warm_and_started_only_when_needed(pool: Pool) -> None:
    assert pool.process_ids() == []
    assert process_id(pool) == process_id(pool)
    assert len(pool.process_ids()) == 1


def test_map_keeps_the_order_and_uses_all_workers(pool: Pool) -> None:
    assert pool.map([f"str({i})" for i in range(200)]) == [str(i) for i in range(200)]
    assert len(pool.process_ids()) == 2


def test_text_of_any_kind_and_size_comes_back_unchanged(pool: Pool) -> None:
    text = "é\n\x00\u2028" * 100_000
    assert pool.call(f"{text!r} + '!'") == text + "!"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("__import__('os').abort()", "crash"),
        ("__import__('os')._exit(0)", "crash"),
        ("1 / 0", "crash"),
        ("'x' * (1 << 40)", "memory"),
        ("(lambda f: f(f))(lambda f: f(f))", "memory"),
    ],
)
def test_a_limit_of_the_text_is_told_from_a_crash_of_ours_and_the_pool_lives(
    pool: Pool, payload: str, reason: str
) -> None:
    with pytest.raises(CallFailedError) as caught:
        pool.call(payload)
    assert caught.value.reason == reason
    assert pool.call("str(1)") == "1"


def test_an_exception_is_told_by_type_and_place_but_not_by_its_message(pool: Pool) -> None:
    with pytest.raises(CallFailedError) as caught:
        pool.call("int('the secret text')")
    assert caught.value.detail == "ValueError in <string>:1"


def test_a_failure_that_does_not_repeat_is_not_seen(pool: Pool) -> None:
    assert pool.call("str(len(__import__('builtins').__dict__.setdefault('calls', [])))") == "0"
    # Kills the warm worker, which has the mark, but not the fresh one.
    payload = "__import__('os')._exit(1) if hasattr(__import__('builtins'), 'calls') else 'fine'"
    assert pool.call(payload) == "fine"


def test_a_worker_that_is_killed_while_idle_is_replaced(pool: Pool) -> None:
    pid = process_id(pool)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid))
    assert process_id(pool) != pid


@pytest.mark.parametrize("payload", [SPIN, f"__import__('time').sleep({HANG_SECONDS})"])
def test_what_does_not_end_ends_at_its_deadline(hurried: Pool, payload: str) -> None:
    with pytest.raises(CallFailedError) as caught:
        hurried.call(payload)
    assert caught.value.reason == "deadline"
    assert hurried.call("str(1)") == "1"


def test_a_spinning_call_blocks_nobody_else(pool: Pool) -> None:
    pool.map(["str(1)"] * 8)
    with ThreadPoolExecutor(1) as thread:
        spinning = thread.submit(pool.map, [SPIN])
        assert pool.call("str(2)") == "2"
        assert not spinning.done()

        def is_ended() -> bool:
            for pid in children(os.getpid()):
                os.kill(pid, signal.SIGKILL)
            return spinning.done()

        until(is_ended)
        assert isinstance(spinning.result()[0], SandboxError | CallFailedError)


def test_many_threads_share_the_pool(pool: Pool) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda i: pool.call(f"str({i})"), range(300))) == [
            str(i) for i in range(300)
        ]


def test_workers_outlive_the_thread_that_asked_first(pool: Pool) -> None:
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.append(process_id(pool)))
    thread.start()
    thread.join()
    assert process_id(pool) == pids[0]


@pytest.mark.parametrize(
    "payload",
    [
        "__import__('socket').socket()",
        "__import__('subprocess').run(['true'])",
        "__import__('os').execv('/bin/true', ['true'])",
        "open('/dev/shm/inframind-test', 'w').write('x')",
        "open('/etc/passwd').read()",
        f"open({__file__!r}).read()",
        "str(__import__('os').listdir('/'))",
    ],
)
def test_a_worker_has_no_network_no_programs_and_no_files(pool: Pool, payload: str) -> None:
    if seccomp_filter(os.uname().machine) is None:
        pytest.fail("this machine's call numbers are not in the filter's table")
    with pytest.raises(CallFailedError):
        pool.call(payload)


def test_a_worker_has_no_secrets_to_tell(pool: Pool) -> None:
    assert pool.call("str(sorted(__import__('os').environ))") == "['LC_ALL']"
    assert pool.call("__import__('sys').stdin.read()") == ""


def test_nothing_a_checker_prints_reaches_the_answers(pool: Pool) -> None:
    assert pool.call("print('noise') or 'answer'") == "answer"
    assert pool.call("__import__('os').write(1, b'noise') and 'answer'") == "answer"


def test_close_ends_the_processes_and_refuses_further_calls(pool: Pool) -> None:
    pool.map(["str(1)"] * 20)
    pids = pool.process_ids()
    pool.close()
    assert not any(is_running(pid) for pid in pids)
    with pytest.raises(SandboxError):
        pool.call("str(1)")


def test_a_caller_that_leaves_ends_the_call_that_runs_and_those_that_wait(pool: Pool) -> None:
    """A bug: a check went on for whoever had closed the connection, and others waited for it."""
    caller = Caller("a")
    spinning = [pool.submit(SPIN, caller, str) for _ in range(6)]
    until(lambda: sum(future.running() for future in spinning) == 2)
    caller.leave()
    assert pool.call("str(1)") == "1"
    for future in spinning:
        with pytest.raises((AbandonedError, CancelledError)):
            future.result(HANG_SECONDS)
    with pytest.raises(AbandonedError):
        pool.map(["str(1)"], caller)


def test_who_waits_for_a_batch_is_told_that_its_caller_has_left(pool: Pool) -> None:
    caller = Caller("a")
    with ThreadPoolExecutor(1) as thread:
        batch = thread.submit(pool.map, [SPIN] * 4, caller)
        until(lambda: pool.is_busy)
        caller.leave()
        with pytest.raises(AbandonedError):
            batch.result(HANG_SECONDS)


def test_one_name_never_keeps_all_processes_busy() -> None:
    pool = Pool("builtins:eval", workers=1, deadline_seconds=HANG_SECONDS, spare=1)
    first = Caller("a")
    spinning = [pool.submit(SPIN, first, str) for _ in range(4)]
    until(spinning[0].running)
    assert pool.map(["str(2)"] * 3, Caller("b")) == ["2"] * 3
    assert not spinning[1].running()
    first.leave()
    pool.close()


def test_a_failure_that_nobody_foresaw_reaches_its_own_call_alone(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug: what one call raised was raised to everybody of its batch."""
    speak = WorkerProcess.call

    def fails_once(worker: WorkerProcess, payload: bytes, caller: Caller) -> bytes:
        if payload == b"'broken'":
            raise OSError(5, "Input/output error")
        return speak(worker, payload, caller)

    monkeypatch.setattr(WorkerProcess, "call", fails_once)
    replies = pool.map(["str(1)", "'broken'", "str(3)"])
    assert replies[0] == "1" and replies[2] == "3"
    assert isinstance(replies[1], SandboxError) and "Input/output" in str(replies[1])


def test_the_place_of_a_lost_worker_has_a_warm_one_again(hurried: Pool) -> None:
    with pytest.raises(CallFailedError):
        hurried.call(SPIN)
    until(lambda: len(hurried.process_ids()) == 1)


def test_a_target_that_does_not_exist_is_the_environments_fault() -> None:
    pool = Pool("inframind.no_such_module:function", workers=1)
    try:
        with pytest.raises(SandboxError):
            pool.call("x")
    finally:
        pool.close()


PARENT = f"""
import threading, time
from inframind.sandbox.pool import Pool
pool = Pool("builtins:eval", workers=2, deadline_seconds={HANG_SECONDS})
pool.map(["str(__import__('time').sleep(0.2))"] * 2)
print(*pool.process_ids(), flush=True)
threading.Thread(target=pool.call, args=({SPIN!r},)).start()
time.sleep({HANG_SECONDS})
"""


def test_workers_die_with_a_killed_parent_even_while_they_spin() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        time.sleep(0.3)
        assert len(pids) == 2
        assert all(is_running(pid) for pid in pids)
        parent.kill()
    until(lambda: not any(is_running(pid) for pid in pids))


def test_memory_in_use_is_bounded_where_address_space_is_not() -> None:
    pool = Pool("builtins:eval", workers=1, deadline_seconds=HANG_SECONDS, bound="resident")
    with pytest.raises(CallFailedError, match="out of memory"):
        pool.call("len(bytearray(3 << 30)) and str(__import__('time').sleep(5))")
    assert pool.call("str(len(__import__('mmap').mmap(-1, 8 << 30)))") == str(8 << 30)
    pool.close()
