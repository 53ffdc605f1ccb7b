"""Logs, request ids and metrics of real processes."""

import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import keys
from app.db.ownership import Acting, acting
from app.jobs import journal, lease, transitions
from app.jobs.failure import Failure
from app.jobs.spec import JobSpec
from tests.support.fleet import Fleet, submit
from tests.support.guarded import DAPO, Guarded, guarded, own_everything
from tests.support.waiting import until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as found:
        yield found


def logged(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def test_a_request_id_is_given_back_or_made(served: Guarded) -> None:
    assert (
        served.call(served.first, "GET", "/jobs", headers={"x-request-id": "deploy-17"}).headers[
            "x-request-id"
        ]
        == "deploy-17"
    )
    for given in ({}, {"x-request-id": "no id\t"}, {"x-request-id": "x" * 65}):
        assert re.fullmatch(
            r"[0-9a-f]{32}",
            served.call(None, "GET", "/jobs", headers=given).headers["x-request-id"],
        )


def test_the_audit_log_says_who_did_what(served: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "inframind.audit")
    made = served.call(
        served.first, "POST", "/jobs", json=DAPO, headers={"x-request-id": "r-1"}
    ).json()["id"]
    served.call(served.first, "POST", f"/jobs/{made}/cancel")
    served.call(served.first, "GET", f"/jobs/{made}")
    served.call("im_wrong", "GET", f"/jobs/{made}")
    served.call(served.second, "POST", f"/jobs/{made}/cancel")
    lines = [record.__dict__ for record in caplog.records if record.name == "inframind.audit"]
    said = [
        (line["method"], line["route"], line["status"], line["key"], line["made"]) for line in lines
    ]
    first, second = served.first.split("_")[1], served.second.split("_")[1]
    assert said == [
        ("POST", "/jobs", 201, first, [made]),
        ("POST", "/jobs/{job_id}/cancel", 200, first, []),
        ("GET", "unknown", 401, None, []),
        ("POST", "/jobs/{job_id}/cancel", 404, second, []),
    ]
    assert (lines[1]["job_id"], lines[3]["job_id"], lines[2]["client"]) == (
        made,
        made,
        "testclient",
    )


def test_a_deleted_model_is_in_the_audit_log(
    served: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inframind.audit")
    for path in ("/models/im-none", "/v1/models/im-none"):
        assert served.call(served.first, "DELETE", path).status_code == 404
    lines = [record.__dict__ for record in caplog.records if record.name == "inframind.audit"]
    assert [(line["method"], line["status"], line["model"]) for line in lines] == [
        ("DELETE", 404, "im-none")
    ] * 2


def test_no_part_of_a_path_is_called_what_a_log_record_has_already(served: Guarded) -> None:
    """logging raises KeyError for it, when the answer is on its way: the client then loses its
    connection.
    """
    paths = served.call(None, "GET", "/openapi.json").json()["paths"]
    taken = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
    assert not {part for path in paths for part in re.findall(r"{(\w+)", path)} & taken


def test_one_request_id_runs_through_api_worker_and_trainer(
    tmp_path: Path, database_url: str
) -> None:
    fleet = Fleet(tmp_path, database_url)
    fleet.set("INFRAMIND_LOG_FORMAT", "json")
    acting.set(Acting(sees_all=True, request_id="from-the-client"))
    try:
        stages = [
            {"stage": "sft", "max_steps": 4},
            {"stage": "evaluate", "tasks": 3, "new_family_tasks": 1},
        ]
        spec = JobSpec.model_validate({"base_model": "inframind-nano", "stages": stages})
        job_id = submit(fleet.engine, spec).id
        fleet.start()
        fleet.wait(job_id, "succeeded")
        worker = [line for line in logged(tmp_path / "w0.log") if line.get("job_id") == job_id]
        trainer = logged(tmp_path / "artifacts" / job_id / "1" / "trainer.log")
    finally:
        acting.set(Acting(sees_all=True))
        fleet.close()
    assert {line["event"] for line in worker} >= {"the attempt starts", "the attempt has ended"}
    assert trainer[0]["event"] == "the trainer starts"
    written = (tmp_path / "artifacts" / job_id / "1" / "trainer.log").read_text()
    assert not re.search(r"%\||it/s|\r|\x1b", written), "no library draws a bar"
    for line in (*worker, *trainer):
        assert (line["job_id"], line["fence"], line["request_id"]) == (job_id, 1, "from-the-client")


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_say_what_waits_runs_and_took_how_long(served: Guarded) -> None:
    began = time.time() - 1
    owned = own_everything(served)
    held = lease.Claim(owned["job_id"], 1)
    with lease.fenced(served.engine, held) as (session, job):
        journal.start_stage(session, job, 1, "grpo", 3)
        told = {
            "reward": 0.4,
            "unscorable_rate": 0.01,
            "tokens_per_second": 90.0,
            "device_memory_bytes": 1e9,
        }
        journal.add_metrics(session, job, 1, 1, told)
    served.call(served.second, "POST", "/jobs", json=DAPO)
    served.call(
        served.first,
        "POST",
        "/verify",
        json={"category": "dockerfile", "text": "FROM alpine:3.20\nUSER app\n"},
    )
    served.call(served.first, "POST", "/generate", json={"prompt": "x"})
    monitor = keys.create(served.engine, ["monitor"])
    assert served.call(served.first, "GET", "/metrics").status_code == 403
    found = values(served.call(monitor, "GET", "/metrics").text)
    assert (
        found["inframind_jobs", "queued"],
        found["inframind_jobs", "running"],
        found["inframind_jobs", "failed"],
    ) == (2, 1, 0)
    assert 0 < found["inframind_queue_age_seconds",] < time.time() - began
    assert (
        found["inframind_stage_seconds_count", "sft"],
        found["inframind_stage_seconds_sum", "sft"],
    ) == (1, 1.0)
    for name, value in told.items():
        assert found[f"inframind_job_{name}", owned["job_id"], "grpo"] == value
    assert (
        found["inframind_verifier_seconds_count",] >= 1
        and found["inframind_verdicts_total", "pass"] >= 1
    )
    assert found["inframind_generation_seconds_count", "no"] == 1
    assert found["inframind_http_request_seconds_count", "POST", "/jobs", "201"] == 2
    assert found["inframind_http_request_seconds_count", "POST", "/generate", "503"] == 1


def test_a_worker_is_seen_until_it_leaves(served: Guarded) -> None:
    lease.report_alive(served.engine, "w-1", "host", "gpu-0")
    until(
        lambda: (
            ("inframind_worker_silence_seconds", "gpu-0", "w-1")
            in values(served.call(served.admin, "GET", "/metrics").text)
        )
    )
    lease.sign_off(served.engine, "w-1")
    assert ("inframind_worker_silence_seconds", "gpu-0", "w-1") not in values(
        served.call(served.admin, "GET", "/metrics").text
    )


def test_failures_are_counted_by_code(served: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "inframind.audit")
    for failure in (
        Failure(code="out_of_memory", message="too large"),
        Failure(code="out_of_memory", message="too large"),
        Failure(code="no_space", message="full", then="pause"),
        Failure(code="trainer_killed", message="it may pass", then="retry"),
    ):
        served.call(served.first, "POST", "/jobs", json=DAPO)
        held = lease.claim(served.engine, "worker", "device", 20.0)
        assert held is not None
        with lease.fenced(served.engine, held) as (session, job):
            transitions.fail_attempt(session, job, failure)
    served.call("im_wrong", "GET", "/jobs")
    served.call(served.first, "GET", "/jobs/none")
    served.call(served.first, "GET", "/jobs/none")
    counts = values(served.call(served.admin, "GET", "/metrics").text)
    assert counts["inframind_job_failures", "out_of_memory"] == 2
    assert counts["inframind_job_failures", "no_space"] == 1, "a paused job waits for somebody"
    assert ("inframind_job_failures", "trainer_killed") not in counts, "it is tried again"
    assert counts["inframind_errors_total", "unauthorized"] == 1
    assert counts["inframind_errors_total", "not_found"] == 2
    codes = [vars(record)["code"] for record in caplog.records if vars(record)["status"] >= 400]
    assert codes == ["unauthorized", "not_found", "not_found"]


HOSTILE = "a\x00b\x1b[2J\x7f\x9b\u202e\nFORGED line\r"


def test_a_text_log_holds_no_control_characters() -> None:
    code = f"""
import logging
from app import logs
logs.configure("text")
name = {HOSTILE!r}
more = {{"job_id": name, "plain": chr(0), "all": [name]}}
logging.getLogger("x").info("named " + name, extra=more)
try:
    raise ValueError(name)
except ValueError:
    logging.exception("failed")
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", told)
    first, second, *traceback = told.splitlines()
    assert r"a\x00b\x1b[2J" in first and "FORGED" in first, "a name begins no line of its own"
    assert "failed" in second and traceback[0].startswith("Traceback")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_logged_exception_shows_no_variables(form: str) -> None:
    code = f"""
import logging
from app import logs
logs.configure("{form}")
try:
    secret = "".join(["pass", "word-7"])
    1 / 0
except ZeroDivisionError:
    logging.exception("it failed")
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr
    assert "ZeroDivisionError" in told and "password-7" not in told
