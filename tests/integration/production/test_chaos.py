"""Chaos runs (`make chaos SEEDS=50`) lose no job, and each job has exactly one result.

Processes are killed, stopped and cut off from their servers at random.
"""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from sqlalchemy import select

from app.artifacts import Artifacts
from app.db.session import reading
from app.db.tables import Adapter, IdempotencyKey, Job
from app.jobs.spec import JobSpec
from inframind.generation.engine import Engine as InferenceEngine
from inframind.generation.request import Request
from inframind.models.adapter import verify_adapter
from tests.support.chaos import LEASE_SECONDS, WIRED, WORKERS, Nemesis, start, store_of
from tests.support.clocks import set_database
from tests.support.fleet import events, is_alive, job, submit
from tests.support.inference_servers import BASE
from tests.support.outcome import check_history, check_success
from tests.support.production import Production
from tests.support.proxy import Proxy
from tests.support.servers import Postgres, Redis
from tests.support.stand_in import FLOODS, POISON, POISONOUS, REAL, TURNS_NAN
from tests.support.waiting import HANG_SECONDS, until

SetClock = Callable[[float], None]
SEEDS = range(int(os.environ.get("CHAOS_SEEDS", "3")))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "15"))
SMALL = {"max_difficulty": 1, "lora": {"r": 8}}
SFT = {"stage": "sft", "max_steps": 4, "batch_size": 2, "save_every": 1, "max_length": 256, **SMALL}
DAPO = {
    "stage": "dapo", "max_steps": 2, "prompts_per_step": 2, "num_generations": 4, "max_tokens": 16,
    "save_every": 1, "refill_rounds": 1, "overlong_buffer": 4, **SMALL,
}  # fmt: skip
REAL_SFT = {"base_model": "inframind-nano", "stages": [SFT], "seed": REAL, "priority": 1}
REAL_DAPO = {"base_model": "inframind-nano", "stages": [DAPO], "seed": REAL + 1, "priority": 1}
REALS = (REAL_SFT, REAL_DAPO)
"""One in each run, in turn: first in the queue, so that the nemesis finds it."""
GIVES_UP_SECONDS = 5.0
"""A client that gives up so soon sends the same request again."""
EVALUATE = {"stage": "evaluate", "tasks": 3, "new_family_tasks": 1}
STAND_IN = {"base_model": "inframind-nano", "stages": [{"stage": "sft", "max_steps": 48}, EVALUATE]}
FLOODING = {**STAND_IN, "seed": FLOODS}
NUM_STAND_INS = 6
TURNING_NAN = {**STAND_IN, "seed": TURNS_NAN}


@pytest.fixture(scope="module")
def wire(postgres: Postgres) -> Iterator[Proxy]:
    made = Proxy(postgres.socket)
    yield made
    made.close()


@pytest.fixture(scope="module")
def stepped(postgres: Postgres, redis: Redis) -> Iterator[tuple[Production, SetClock]]:
    redis.client.flushall()
    made = Production(postgres, redis, LEASE_SECONDS)
    # Before anything has a connection, which keeps the clock that it was made with.
    yield made, set_database(made.engine, made.folder)
    made.close()


@pytest.fixture(scope="module")
def set_clock(stepped: tuple[Production, SetClock]) -> SetClock:
    """Sets the database's clock."""
    return stepped[1]


@pytest.fixture(scope="module")
def production(stepped: tuple[Production, SetClock], wire: Proxy) -> Production:
    made, _ = stepped
    for name in ("api", "reconciler", *WORKERS):
        start(made, name, wire)
    until(made.answers)
    until(lambda: made.live() >= set(WORKERS))
    return made


@pytest.fixture(scope="module")
def undisturbed(production: Production) -> str:
    """SHA-256 of the weights of a run that nobody disturbs."""
    made = production.http.post("/jobs", json=REAL_SFT).json()["id"]
    production.wait(made, "succeeded")
    return weights(production, made)[0]


def adapters(production: Production, job_id: str) -> list[Adapter]:
    with reading(production.engine) as session:
        return list(
            session.scalars(
                select(Adapter).where(Adapter.job_id == job_id).order_by(Adapter.stage_index)
            )
        )


def weights(production: Production, job_id: str) -> list[str]:
    """Digests of the job's published weights, checked against the disk."""
    here = Artifacts(production.folder / "artifacts")
    stored = Artifacts(store_of(production))
    rows = adapters(production, job_id)
    manifests = [verify_adapter(here.locate(adapter.whereabouts)) for adapter in rows]
    # The row came after its files were in the store, whole, however often that failed.
    assert manifests == [verify_adapter(stored.locate(row.whereabouts)) for row in rows]
    return [
        next(file.sha256 for file in manifest.files if file.name.endswith(".safetensors"))
        for manifest in manifests
    ]


def send(production: Production, body: dict[str, object], key: str, ended: Event) -> str:
    """What a client does: sends the same request until it is answered."""
    while not ended.is_set():
        try:
            answer = production.http.post(
                "/jobs", json=body, headers={"Idempotency-Key": key}, timeout=GIVES_UP_SECONDS
            )
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code == 201:
            return str(answer.json()["id"])
        time.sleep(0.3)
    raise AssertionError("nobody answered")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_job_is_lost_and_each_has_one_result(
    seed: int,
    production: Production,
    postgres: Postgres,
    redis: Redis,
    wire: Proxy,
    set_clock: SetClock,
    undisturbed: str,
) -> None:
    nemesis = Nemesis(production, postgres, redis, wire, set_clock, seed)
    ended, run = Event(), uuid.uuid4().hex
    bodies: list[dict[str, object]] = [
        REALS[seed % 2],
        *[{**STAND_IN, "name": f"{run} {n}"} for n in range(NUM_STAND_INS)],
        {**FLOODING, "name": f"{run} flood"},
        {**STAND_IN, "name": f"{run} poison", "seed": POISONOUS + seed % len(POISON)},
    ]
    with ThreadPoolExecutor(4) as clients:
        sent: list[Future[str]] = [
            clients.submit(send, production, body, f"{run}-{n}", ended)
            for n, body in enumerate(bodies)
        ]
        not_finite = clients.submit(send, production, TURNING_NAN, f"nan-{run}", ended)
        try:
            nemesis.rage(SECONDS)
            until(production.answers)
            jobs = [future.result(HANG_SECONDS) for future in sent]
            turned_nan = not_finite.result(HANG_SECONDS)
        finally:
            ended.set()
    for job_id in jobs:
        production.wait(job_id, "succeeded", "failed")
        error = None if job_id != jobs[-1] else "report_refused"
        assert job(production.engine, job_id).error_code == error, job(
            production.engine, job_id
        ).error_message
    production.wait(turned_nan, "failed")
    assert job(production.engine, turned_nan).error_code == "non_finite"
    assert not adapters(production, turned_nan)
    check(production, run, jobs, undisturbed if REALS[seed % 2] is REAL_SFT else None)
    report(
        seed,
        nemesis,
        [job(production.engine, job_id).attempts for job_id in jobs],
        rejected(production),
    )


def report(seed: int, nemesis: Nemesis, attempts: list[int], stale_writes: int) -> None:
    """A line for the docs, if somebody asked for it; the first job is the real one."""
    if place := os.environ.get("CHAOS_REPORT"):
        row = {
            "seed": seed,
            "attempts": attempts,
            "stale_writes_so_far": stale_writes,
            "faults": nemesis.done,
        }
        with Path(place).open("a") as file:
            file.write(json.dumps(row) + "\n")


def check(production: Production, run: str, jobs: list[str], undisturbed: str | None) -> None:
    """One row for every request, one result for every row but the last one's, which is poisonous.

    The first job is a real one.
    """
    with reading(production.engine) as session:
        keys = select(IdempotencyKey.job_id).where(IdempotencyKey.key.startswith(run))
        assert sorted(session.scalars(keys)) == sorted(jobs)
        named = select(Job.id).where(Job.name.startswith(run))
        assert sorted(session.scalars(named)) == sorted(jobs[1:])
    real, *stand_ins, _ = jobs
    for job_id in stand_ins:
        check_success(production.engine, job_id, [("sft", 48), ("evaluate", 4)])
        assert len(weights(production, job_id)) == 1
    check_history(production.engine, real)
    assert len(weights(production, real)) == 1
    assert undisturbed is None or weights(production, real) == [undisturbed]
    engine = InferenceEngine(BASE, "cpu")
    last = adapters(production, real)[-1]
    engine.add_adapter(last.id, Path(last.path))
    assert (
        engine.generate([Request(prompt="a file", model=last.id, max_tokens=4)])[
            0
        ].completion_tokens
        > 0
    )


def rejected(production: Production) -> int:
    """Writes that came too late, by the workers' logs."""
    return sum(
        (production.folder / f"{name}.log").read_text().count("is not held with fence")
        for name in WORKERS
    )


def revive_late_worker(production: Production, job_id: str) -> None:
    """Stop a job's worker for longer than its lease; let it go on while another has the job."""
    until(lambda: job(production.engine, job_id).step > 5)
    late = production.processes[production.holder(job_id)]
    trainer = production.trainer(production.holder(job_id))
    late.send_signal(signal.SIGSTOP)
    try:
        until(lambda: job(production.engine, job_id).fence >= 2)
        assert not is_alive(trainer), "the trainer goes on without a lease"
        until(lambda: job(production.engine, job_id).step > 20)
    finally:
        late.send_signal(signal.SIGCONT)


def test_f7_a_worker_stopped_for_longer_than_its_lease_writes_nothing_more(
    production: Production,
) -> None:
    job_id = production.add_job(steps=120)
    before = rejected(production)
    revive_late_worker(production, job_id)
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 120), ("evaluate", 4)])
    until(lambda: rejected(production) > before)
    assert [event.code for event in events(production.engine, job_id)].count("claimed") >= 2


def test_f12_a_worker_without_its_database_stops_before_another_starts(
    production: Production, wire: Proxy
) -> None:
    job_id = production.add_job(steps=200)
    until(lambda: job(production.engine, job_id).step > 5)
    name = production.holder(job_id)
    if name != WIRED:
        # The other one gets it: only one worker's wire can be cut.
        production.processes[name].terminate()
        assert production.processes[name].wait(HANG_SECONDS) == 0
        until(
            lambda: (
                (now := job(production.engine, job_id)).device == WIRED
                and now.state == "running"
                and now.step > 10
            )
        )
    trainer, fence = production.trainer(WIRED), job(production.engine, job_id).fence
    wire.cut()
    try:
        if production.processes["w0"].poll() is not None:
            start(production, "w0", wire)
        until(lambda: not is_alive(trainer))
        assert job(production.engine, job_id).fence == fence, "two trainers at once"
        until(lambda: job(production.engine, job_id).fence > fence)
    finally:
        wire.mend()
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 200), ("evaluate", 4)])


def is_noticed(broken: Production) -> bool:
    """Whether the checks of the chaos runs see what a late worker does."""
    stages = [("sft", 120), ("evaluate", 4)]
    spec = JobSpec.model_validate(
        {**STAND_IN, "stages": [{"stage": "sft", "max_steps": 120}, EVALUATE]}
    )
    job_id = submit(broken.engine, spec, max_attempts=50).id
    revive_late_worker(broken, job_id)
    try:
        broken.wait(job_id, "succeeded", "failed")
        for _ in range(10):
            check_success(broken.engine, job_id, stages)
            time.sleep(0.5)
    except AssertionError:
        return True
    return False


def test_without_the_fence_the_same_fault_is_noticed(postgres: Postgres, redis: Redis) -> None:
    """The mutant: if this test fails, the checks of the chaos runs check nothing."""
    # Stopped in a transaction for longer than the database lets one idle, even a mutant writes
    # nothing: so three tries.
    broken = Production(postgres, redis, lease_seconds=2.0)
    redis.client.flushall()
    try:
        for name in ("reconciler", "m0", "m1"):
            broken.start(name, worker="tests.support.mutant")
        until(lambda: broken.live() >= {"m0", "m1"})
        assert any(is_noticed(broken) for _ in range(3))
    finally:
        broken.close()
