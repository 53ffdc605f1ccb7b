"""What `POST /jobs` promises: one job for a key, quotas, deadlines and priorities, on both
dialects.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select, update

from app import keys
from app.db.session import database_now, reading, writing
from app.db.tables import Job
from app.errors import QuotaError
from app.jobs import idempotency, lease, quota
from app.jobs.silence import LeaseWatch
from app.jobs.spec import JobSpec
from app.main import create_app
from app.settings import Settings
from tests.support.fleet import add_job, desk, events, job, submit
from tests.support.http import in_process
from tests.support.waiting import HANG_SECONDS

BODY = {"method": "dapo", "base_model": "inframind-nano", "seed": 3}
KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture
def admin(database_url: str, tmp_path: Path, engine: Engine) -> Iterator[TestClient]:
    """An administrator's client."""
    key = keys.create(engine, ["admin", "train"])
    given = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        inference_url="http://127.0.0.1:9",
        verifier_workers=1,
    )
    with in_process(create_app(given), headers={"Authorization": f"Bearer {key}"}) as connected:
        yield connected


def count(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def spec(**more: object) -> JobSpec:
    return JobSpec.model_validate({**BODY, **more})


def test_a_request_sent_again_is_answered_with_the_same_job(
    admin: TestClient, engine: Engine
) -> None:
    first = admin.post("/jobs", json=BODY, headers=KEY)
    again = admin.post("/jobs", json=dict(reversed(BODY.items())), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first.headers["location"] == again.headers["location"]
    assert count(engine) == 1
    desk(engine).cancel(first.json()["id"])
    assert admin.post("/jobs", json=BODY, headers=KEY).json()["state"] == "cancelled"
    other = admin.post("/jobs", json=BODY, headers={"Idempotency-Key": "another"})
    assert other.json()["id"] != first.json()["id"]


def test_a_key_with_another_body_is_refused(admin: TestClient, engine: Engine) -> None:
    admin.post("/jobs", json=BODY, headers=KEY)
    answer = admin.post("/jobs", json={**BODY, "seed": 4}, headers=KEY)
    assert answer.status_code == 422 and answer.json()["error"]["param"] == "Idempotency-Key"
    assert count(engine) == 1


def test_a_refused_request_leaves_its_key_free(admin: TestClient) -> None:
    assert admin.post("/jobs", json={**BODY, "dataset": "none"}, headers=KEY).status_code == 422
    assert admin.post("/jobs", json=BODY, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
def test_a_bad_key_is_refused(admin: TestClient, key: str) -> None:
    answer = admin.post("/jobs", json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422 and "dempotency" in answer.json()["error"]["message"]


def test_fifty_equal_requests_at_once_make_one_row(admin: TestClient, engine: Engine) -> None:
    start = Barrier(50)

    def send(_: int) -> tuple[int, str | None]:
        start.wait()
        answer = admin.post("/jobs", json=BODY, headers=KEY)
        return answer.status_code, answer.json().get("id")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert count(engine) == 1
    assert {status for status, _ in answers} <= {201, 409}
    assert Counter(found for status, found in answers if status == 201).keys() == {
        admin.post("/jobs", json=BODY, headers=KEY).json()["id"]
    }


def test_a_request_in_flight_is_refused_until_it_is_answered(
    admin: TestClient, engine: Engine
) -> None:
    """On SQLite the second waits for its turn instead, and gets the first one's job."""
    owner = keys.every(engine)[0].owner
    held, go = Event(), Event()

    def first() -> None:
        with writing(engine) as session:
            idempotency.hold(session, owner, "a-key")
            held.set()
            go.wait(HANG_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(first)
        held.wait()
        answer = pool.submit(admin.post, "/jobs", json=BODY, headers=KEY)
        if engine.dialect.name == "postgresql":
            refused = answer.result(HANG_SECONDS)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_flight")
            assert refused.headers["retry-after"]
        go.set()
        holding.result()
        assert engine.dialect.name == "postgresql" or answer.result().status_code == 201
    assert admin.post("/jobs", json=BODY, headers=KEY).status_code == 201
    assert count(engine) == 1


def test_keys_are_an_owners_own(engine: Engine) -> None:
    jobs = {
        submit(engine, spec(), owner=owner, key="k").id
        for owner in ("a", "b", None, "a", "b", None)
    }
    assert len(jobs) == 3


def test_an_owner_may_have_so_many_jobs_waiting(engine: Engine) -> None:
    for _ in range(2):
        submit(engine, spec(), owner="a", max_queued_per_owner=2)
    with pytest.raises(QuotaError, match="2 of your jobs wait already, of at most 2"):
        submit(engine, spec(), owner="a", max_queued_per_owner=2)
    submit(engine, spec(), owner="b", max_queued_per_owner=2)
    submit(engine, spec(), max_queued_per_owner=2)
    quota.set_quota(engine, "a", max_running=None, max_queued=3)
    submit(engine, spec(), owner="a", max_queued_per_owner=2)
    with pytest.raises(QuotaError):
        submit(engine, spec(), owner="a", max_queued_per_owner=2)


def test_an_owner_may_have_so_many_jobs_running(engine: Engine) -> None:
    mine = [submit(engine, spec(priority=5), owner="a").id for _ in range(3)]
    theirs = submit(engine, spec(), owner="b").id
    claimed = [lease.claim(engine, "w", f"gpu{n}", 60.0, max_running=1) for n in range(3)]
    assert [held.job_id if held else None for held in claimed] == [mine[0], theirs, None]
    assert not lease.has_work(engine, max_running=1) and lease.has_work(engine)
    quota.set_quota(engine, "a", max_running=2, max_queued=None)
    assert (
        second := lease.claim(engine, "w", "gpu3", 60.0, max_running=1)
    ) and second.job_id == mine[1]
    quota.set_quota(engine, "c", max_running=0, max_queued=None)
    submit(engine, spec(priority=9), owner="c")
    assert lease.claim(engine, "w", "gpu4", 60.0, max_running=1) is None


def test_of_claims_at_once_an_owner_gets_no_more_than_their_quota(engine: Engine) -> None:
    for _ in range(8):
        submit(engine, spec(), owner="a")
    start = Barrier(8)

    def race(number: int) -> bool:
        start.wait()
        return lease.claim(engine, f"w{number}", f"gpu{number}", 60.0, max_running=3) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 3


def test_a_higher_priority_comes_first(engine: Engine) -> None:
    low, high, middle = (submit(engine, spec(priority=priority)).id for priority in (-1, 10, 0))
    claimed = [lease.claim(engine, "w", f"gpu{n}", 60.0) for n in range(3)]
    assert [held.job_id for held in claimed if held] == [high, middle, low]


@pytest.mark.parametrize("state", ["queued", "paused"])
def test_a_job_past_its_deadline_fails(engine: Engine, state: str) -> None:
    made = submit(engine, spec(deadline_seconds=100.0))
    assert made.deadline_at is not None and 99 < made.deadline_at - made.created_at < 101
    if state == "paused":
        desk(engine).pause(made.id)
    with writing(engine) as session:
        session.execute(update(Job).where(Job.id == made.id).values(deadline_at=1.0))
    with writing(engine) as session:
        lease.expire(session, database_now(session), LeaseWatch(60.0))
    assert (job(engine, made.id).state, job(engine, made.id).error_code) == (
        "failed",
        "deadline_exceeded",
    )


def test_pause_and_resume_over_http(admin: TestClient, engine: Engine) -> None:
    job_id = admin.post("/jobs", json=BODY).json()["id"]
    assert admin.post(f"/jobs/{job_id}/pause").json()["state"] == "paused"
    assert admin.post(f"/jobs/{job_id}/pause").json()["state"] == "paused"
    assert lease.claim(engine, "w", "gpu", 60.0) is None
    assert admin.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
    held = lease.claim(engine, "w", "gpu", 60.0)
    assert held is not None
    assert admin.post(f"/jobs/{job_id}/pause").json()["pause_requested"] is True
    assert admin.post(f"/jobs/{job_id}/resume").json()["pause_requested"] is False
    assert admin.post(f"/jobs/{job_id}/cancel").json()["cancel_requested"] is True
    for wish in ("pause", "resume"):
        answer = admin.post(f"/jobs/{job_id}/{wish}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert [event.code for event in events(engine, job_id)][1:4] == [
        "paused",
        "resumed_by_user",
        "claimed",
    ]
    assert admin.post("/jobs/none/pause").status_code == 404


def test_paused_jobs_are_listed(admin: TestClient, engine: Engine) -> None:
    desk(engine).pause(paused := add_job(engine))
    add_job(engine)
    assert [row["id"] for row in admin.get("/jobs?state=paused").json()["data"]] == [paused]
