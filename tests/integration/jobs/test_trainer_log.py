"""A failed job's log, from the trainer that wrote it to the owner who asks for it."""

import pytest
from typer.testing import CliRunner

from app import keys
from app.cli.main import app
from app.main import create_app
from app.settings import Settings
from tests.support.fleet import Fleet, add_job, let_go
from tests.support.fleet import job as row_of
from tests.support.http import in_process, listening
from tests.support.stand_in import HELD_AT, HOLDS, RAISES_BUG
from tests.support.waiting import until


def test_the_owner_reads_why_a_job_failed(
    fleet: Fleet, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = add_job(fleet.engine, seed=RAISES_BUG, max_attempts=2)
    fleet.start()
    failed = fleet.wait(job_id, "failed")
    assert "inframind jobs logs" in str(failed.error_message), "the error says where to look"
    key = keys.create(fleet.engine, ["admin"])
    stranger = keys.create(fleet.engine, ["train"])
    configured = Settings(data_dir=fleet.folder, database_url=database_url)  # type: ignore[arg-type]  # as from a variable
    path = f"/jobs/{job_id}/log"
    with listening(create_app(configured)) as url:
        monkeypatch.setenv("INFRAMIND_API_KEY", key)
        shown = CliRunner().invoke(app, ["jobs", "logs", job_id, "--url", url])
        first = CliRunner().invoke(app, ["jobs", "logs", job_id, "--attempt", "1", "--url", url])
        none = CliRunner().invoke(app, ["jobs", "logs", job_id, "--attempt", "3", "--url", url])
    assert shown.exit_code == first.exit_code == 0
    assert "KeyError: 'missing'" in shown.output and "fence=2" in shown.output
    assert "fence=1" in first.output and "fence=2" not in first.output
    assert none.exit_code == 1 and "no log of attempt 3" in none.output
    with in_process(create_app(configured)) as client:
        for token, status in ((stranger, 404), (key, 200), (None, 401)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert client.get(path, headers=headers).status_code == status
        admin = {"Authorization": f"Bearer {key}"}
        answer = client.get(path, params={"max_bytes": 60}, headers=admin)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert len(answer.content) <= 60 and answer.text.endswith("KeyError: 'missing'\n")
        for query in ({"attempt": 0}, {"attempt": 10**20}, {"max_bytes": 10**9}):
            assert client.get(path, params=query, headers=admin).status_code == 422


def test_the_log_grows_while_the_job_runs(fleet: Fleet, database_url: str) -> None:
    job_id = add_job(fleet.engine, seed=HOLDS)
    headers = {"Authorization": f"Bearer {keys.create(fleet.engine, ['admin'])}"}
    configured = Settings(data_dir=fleet.folder, database_url=database_url)  # type: ignore[arg-type]  # as from a variable
    with in_process(create_app(configured), headers=headers) as client:
        waiting = client.get(f"/jobs/{job_id}/log")
        assert waiting.status_code == 404 and "waits for a worker" in waiting.text
        fleet.start()
        until(lambda: row_of(fleet.engine, job_id).step == HELD_AT[HOLDS][1])
        assert "the trainer starts" in client.get(f"/jobs/{job_id}/log").text
        let_go(fleet.folder / "artifacts", job_id)
        fleet.wait(job_id, "succeeded")
