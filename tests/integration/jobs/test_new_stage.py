"""A new stage is one file and one line of the registry, from POST /jobs to its report."""

import pytest
from fastapi.testclient import TestClient

from app.settings import Settings
from inframind.stages import STAGES
from tests.support import toy_stage
from workers.supervisor import Supervisor


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, "toy", toy_stage)


def test_it_runs_from_the_request_to_its_report(client: TestClient, settings: Settings) -> None:
    stages = [{"stage": "toy"}, {"stage": "toy", "count_to": 2}]
    job_id = client.post("/jobs", json={"stages": stages}).json()["id"]
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    Supervisor(engine, settings, "device", "tests.support.toy_trainer").run_waiting()
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["progress"]) == ("succeeded", 1.0), job["error"]
    assert job["stages"] == [{"stage": "toy", "count_to": 5}, {"stage": "toy", "count_to": 2}]
    results = [(result["stage"], result["metrics"]) for result in job["stage_results"]]
    assert results == [("toy", {"sum": 15}), ("toy", {"sum": 3})]
    metrics = client.get(f"/jobs/{job_id}/metrics").json()["data"]
    assert [metric["values"] for metric in metrics if metric["stage_index"] == 1] == [
        {"counted": 1.0},
        {"counted": 2.0},
    ]


def test_its_settings_and_its_method_are_known_at_the_door(client: TestClient) -> None:
    refused = client.post("/jobs", json={"stages": [{"stage": "toy", "count_to": 0}]})
    assert refused.json()["error"]["param"] == "stages.0.count_to"
    (stage,) = client.post("/jobs", json={"method": "toy"}).json()["stages"]
    assert stage == {"stage": "toy", "count_to": 5}
    unknown = client.post("/jobs", json={"method": "toys"})
    assert "toy" in unknown.json()["error"]["message"]


def test_a_job_of_a_stage_that_this_version_has_not_fails_and_says_so(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = client.post("/jobs", json={"method": "toy"}).json()["id"]
    monkeypatch.delitem(STAGES, "toy")
    assert client.get(f"/jobs/{job_id}").json()["stages"] == [{"stage": "toy", "count_to": 5}]
    Supervisor(client.app.state.engine, settings, "device").run_waiting()  # type: ignore[attr-defined]
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["error"]["code"]) == ("failed", "unreadable_job")
    assert "unknown stage 'toy'" in job["error"]["message"]
