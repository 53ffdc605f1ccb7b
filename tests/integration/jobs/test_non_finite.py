"""A job of the real stages whose weights turn NaN, from the request to its error."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.session import reading
from app.db.tables import Adapter, Checkpoint
from app.settings import Settings
from tests.support import careless_trainer, poisoned_trainer
from tests.support.poisoned_trainer import POISONED_STEP
from tests.support.waiting import until
from workers.supervisor import Supervisor
from workers.trainer_process import TRAINER

pytestmark = pytest.mark.slow
SFT = {
    "stage": "sft",
    "max_steps": 2 * POISONED_STEP,
    "batch_size": 2,
    "max_length": 256,
    "save_every": 1,
    "max_difficulty": 1,
    "lora": {"r": 8},
}
EVALUATE = {"stage": "evaluate", "tasks": 3, "new_family_tasks": 1, "max_tokens": 16}


def run_waiting(client: TestClient, settings: Settings, trainer: str) -> None:
    """Runs what waits with a trainer, until nothing does."""
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    Supervisor(engine, settings, "device", trainer).run_waiting()


def events(client: TestClient, job_id: str) -> list[str]:
    return [event["code"] for event in client.get(f"/jobs/{job_id}/events").json()["data"]]


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_it_fails_at_once_with_a_code_and_publishes_nothing(
    client: TestClient, settings: Settings, quantization: str
) -> None:
    stages = [{**SFT, "quantization": quantization}, EVALUATE]
    job_id = client.post("/jobs", json={"stages": stages}).json()["id"]
    run_waiting(client, settings, poisoned_trainer.MODULE)
    job: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
    error = job["error"]
    assert (job["state"], error["code"], job["attempts"]) == ("failed", "non_finite", 1)
    assert error["param"] == "stages.0.learning_rate"
    assert f"at step {POISONED_STEP}" in error["message"] and "lower" in error["message"]
    assert job["adapters"] == job["stage_results"] == []
    metrics = client.get(f"/jobs/{job_id}/metrics").json()["data"]
    assert [row["step"] for row in metrics] == list(range(1, POISONED_STEP))
    assert all({"loss", "grad_norm"} <= set(row["values"]) for row in metrics)
    assert "resumed" not in events(client, job_id)
    with reading(client.app.state.engine) as session:  # type: ignore[attr-defined]
        assert not session.scalars(select(Adapter)).all()
        assert max(session.scalars(select(Checkpoint.step))) == POISONED_STEP - 1


def test_an_attempt_does_not_start_from_a_checkpoint_that_holds_nan(
    client: TestClient, settings: Settings
) -> None:
    """Three attempts in turn each went on from the NaN of the one before."""
    job_id = client.post("/jobs", json={"stages": [SFT, EVALUATE]}).json()["id"]
    run_waiting(client, settings, careless_trainer.MODULE)
    with reading(client.app.state.engine) as session:  # type: ignore[attr-defined]
        assert max(session.scalars(select(Checkpoint.step))) == POISONED_STEP

    def has_ended() -> bool:
        # Between attempts a job waits for a while.
        run_waiting(client, settings, TRAINER)
        return bool(client.get(f"/jobs/{job_id}").json()["finished_at"])

    until(has_ended)
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["attempts"]) == ("succeeded", 2), job["error"]
    told = client.get(f"/jobs/{job_id}/events").json()["data"]
    resumed = {event["code"]: event for event in told}
    assert f"checkpoint of step {POISONED_STEP}" in resumed["checkpoint_non_finite"]["message"]
    assert resumed["resumed"]["data"]["step"] == POISONED_STEP - 1
