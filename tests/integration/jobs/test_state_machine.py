"""Whatever people and workers do, in whatever order: every move is allowed, a job ends once, and
the stale write nothing.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, update

from app.db.session import database_now, writing
from app.db.tables import Job
from app.errors import ConflictError
from app.job_state import TERMINAL, JobState, may_move
from app.jobs import lease, transitions
from app.jobs.failure import Failure
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.silence import LeaseWatch
from tests.support.fleet import add_job, desk, events, job

STATE_OF_EVENT = {
    "queued": "queued", "claimed": "running", "requeued": "queued", "paused": "paused",
    "resumed_by_user": "queued", "succeeded": "succeeded", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip
ENDINGS: dict[str, Callable[[Any, Job], None]] = {
    "succeed": lambda session, row: transitions.finish(session, row, "succeeded"),
    "fail": lambda session, row: transitions.fail_attempt(
        session, row, Failure(code="x", message="x")
    ),
    "retry": lambda session, row: transitions.fail_attempt(
        session, row, Failure(code="x", message="x", then="retry")
    ),
    "drain": lambda session, row: transitions.requeue(
        session, row, Failure(code="worker_drained", message="x")
    ),
    "no_space": lambda session, row: transitions.pause(
        session, row, Failure(code="no_space", message="x")
    ),
}


class Life(RuleBasedStateMachine):
    """One job, two devices, and every claim that was ever given out."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        with writing(self.engine) as session:
            # Of one example at a time: jobs of the examples before are out of the way.
            session.execute(update(Job).values(state="cancelled"))
        self.job_id = add_job(self.engine)
        self.claims: list[Claim] = []
        self.ended: str | None = None

    @property
    def now(self) -> Job:
        return job(self.engine, self.job_id)

    @rule(device=st.sampled_from(["gpu0", "gpu1"]))
    def claim(self, device: str) -> None:
        before = self.now
        held = lease.claim(self.engine, device, device, 60.0)
        if held is not None:
            assert before.state == "queued" and held.fence == before.fence + 1
            self.claims.append(held)
        else:
            assert self.now.state != "queued" or self.now.not_before > 0

    @rule()
    def time_passes(self) -> None:
        with writing(self.engine) as session:
            session.execute(update(Job).where(Job.id == self.job_id).values(not_before=0.0))

    @rule()
    def worker_goes_silent(self) -> None:
        want, state = self.now.want, self.now.state
        with writing(self.engine) as session:
            session.execute(
                update(Job)
                .where(Job.id == self.job_id, Job.state == "running")
                .values(lease_until=None)
            )
            lease.expire(session, database_now(session), LeaseWatch(60.0))
        if state == "running":
            assert self.now.state in {"cancel": {"cancelled"}, "pause": {"paused"}}.get(
                want, {"queued", "failed"}
            )

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(sorted(ENDINGS)))
    def worker_ends(self, data: st.DataObject, how: str) -> None:
        held = data.draw(st.sampled_from(self.claims))
        holds = (self.now.state, self.now.fence) == ("running", held.fence)
        try:
            with lease.fenced(self.engine, held) as (session, row):
                ENDINGS[how](session, row)
        except LeaseLostError:
            assert not holds
        else:
            assert holds

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def worker_beats(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.claims))
        now = self.now
        try:
            assert lease.heartbeat(self.engine, held, 60.0) == now.want
        except LeaseLostError:
            assert (now.state, now.fence) != ("running", held.fence)

    @rule(wish=st.sampled_from(["cancel", "pause", "resume"]))
    def person_asks(self, wish: str) -> None:
        before = self.now
        try:
            getattr(desk(self.engine), wish)(self.job_id)
        except ConflictError:
            assert before.state in TERMINAL or before.want == "cancel"
            return
        assert before.state not in TERMINAL
        after = self.now
        if before.state == "running":
            assert after.state == "running"
            assert after.want == {"cancel": "cancel", "pause": "pause", "resume": "run"}[wish]
        else:
            assert (
                after.state == {"cancel": "cancelled", "pause": "paused", "resume": "queued"}[wish]
            )

    @invariant()
    def history_is_lawful(self) -> None:
        told = [
            (STATE_OF_EVENT[event.code], event.fence)
            for event in events(self.engine, self.job_id)
            if event.code in STATE_OF_EVENT
        ]
        for (here, _), (there, _) in pairwise(told):
            assert may_move(JobState(here), JobState(there)), told
        now = self.now
        assert told[-1] == (now.state, now.fence)
        assert [fence for state, fence in told if state == "running"] == list(
            range(1, now.fence + 1)
        )
        assert sum(state in TERMINAL for state, _ in told) <= 1
        if self.ended is not None:
            assert now.state == self.ended
        if now.state in TERMINAL:
            self.ended = now.state
        assert (now.lease_until is None) == (now.state != "running")
        assert (
            now.failures <= now.max_attempts
            and now.infra_failures <= transitions.MAX_INFRA_FAILURES
        )


def test_every_life_of_a_job_is_lawful(engine: Engine) -> None:
    bound = type("BoundLife", (Life,), {"engine": engine})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_thousand_races_between_cancel_and_everything_else_end_once(engine: Engine) -> None:
    """F17: cancelled while queued, claimed, running or finishing: one end, and a cancel after it is
    refused.
    """
    rng = random.Random(0)
    outcomes = [outcome for _ in range(50) for outcome in race(engine, rng)]
    assert len(outcomes) == 1000
    assert {"cancel:done", "cancel:refused", "succeed:done", "succeed:lost"} <= set(outcomes)


def race(engine: Engine, rng: random.Random, contenders: int = 20) -> Iterator[str]:
    """One job; each contender is a thread that tries to end it, pause it or take it."""
    job_id = add_job(engine)
    held = [lease.claim(engine, "w", "gpu", 60.0)] if rng.random() < 0.7 else [None]
    start = Barrier(contenders)
    moves = ["cancel", "succeed", "pause", "resume", "claim", "beat"]
    chosen = ["cancel", "succeed", *rng.choices(moves, k=contenders - 2)]

    def contend(move: str) -> str:
        start.wait()
        try:
            if move in ("cancel", "pause", "resume"):
                getattr(desk(engine), move)(job_id)
            elif move == "claim":
                held[0] = lease.claim(engine, "w", "gpu", 60.0) or held[0]
            elif held[0] is None:
                return f"{move}:lost"
            elif move == "beat":
                lease.heartbeat(engine, held[0], 60.0)
            else:
                with lease.fenced(engine, held[0]) as (session, row):
                    transitions.finish(session, row, "succeeded")
        except ConflictError:
            return f"{move}:refused"
        except LeaseLostError:
            return f"{move}:lost"
        return f"{move}:done"

    with ThreadPoolExecutor(contenders) as pool:
        found = list(pool.map(contend, chosen))
    if job(engine, job_id).state == "running":
        with lease.fenced(engine, Claim(job_id, job(engine, job_id).fence)) as (session, row):
            transitions.requeue(session, row, Failure(code="x", message="x"))
    codes = [event.code for event in events(engine, job_id)]
    assert sum(code in TERMINAL for code in codes) == 1, codes
    assert job(engine, job_id).state in ("succeeded", "cancelled") and codes[-1] in TERMINAL
    with pytest.raises(ConflictError):
        desk(engine).cancel(job_id)
    yield from found
