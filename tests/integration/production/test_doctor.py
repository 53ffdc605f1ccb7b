"""The doctor on whole and on broken installations; and the settings' page against the settings."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from app import keys
from app.cli.doctor import CHECKS, Diagnosis, examine
from app.cli.main import app
from app.db.migrate import downgrade, upgrade
from app.db.session import make_engine
from app.jobs import lease
from app.settings import Settings, settings, table
from tests.support import ROOT
from tests.support.http import listening
from workers.up import free_port


def found(settings: Settings, name: str) -> list[Diagnosis]:
    return list(examine(settings, frozenset({name})))


def only(settings: Settings, name: str) -> Diagnosis:
    (one,) = found(settings, name)
    return one


def test_every_problem_has_a_remedy_and_every_check_speaks_or_has_nothing_to_look_at(
    tmp_path: Path,
) -> None:
    everything = list(examine(Settings(data_dir=tmp_path, inference_url="http://127.0.0.1:9")))
    assert {finding.name for finding in everything} == set(CHECKS) - {"redis"}
    assert all(finding.remedy for finding in everything if finding.state != "ok")
    assert not [finding for finding in everything if finding.state == "failed"]


def test_the_database(tmp_path: Path, database_url: str) -> None:
    configured = Settings(data_dir=tmp_path, database_url=database_url)  # type: ignore[arg-type]  # as from a variable
    assert only(configured, "database").state == "ok"
    engine = make_engine(database_url)
    downgrade(engine, "0001")
    behind = only(configured, "database")
    assert (behind.state, behind.remedy) == ("failed", "run `inframind db upgrade`")
    upgrade(engine)
    assert only(configured, "worker").state == "failed"
    lease.report_alive(engine, "w", socket.gethostname(), "device")
    assert only(configured, "worker").state == "ok"
    lease.sign_off(engine, "w")
    lease.report_alive(engine, "w", "another-host", "device")
    assert only(configured, "worker").state == "failed", "each container asks for its own"
    engine.dispose()


def test_asked_for_a_worker_the_command_fails_where_none_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFRAMIND_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    for _ in range(2):
        asked = CliRunner().invoke(app, ["doctor", "--only", "worker"])
        assert asked.exit_code == 1 and "no worker of this host" in asked.output
    assert not list(tmp_path.iterdir()), "asking makes no database"
    states = {finding.name: finding.state for finding in examine(Settings(data_dir=tmp_path))}
    assert states["worker"] == "warning", "unasked: not every machine runs one"
    settings.cache_clear()


def test_a_worker_that_waits_for_its_database_is_not_called_dead() -> None:
    away: Any = f"postgresql+psycopg://u:hunter2@127.0.0.1:{free_port('127.0.0.1')}/d"
    assert only(Settings(database_url=away), "worker").state == "unseen"


def test_what_does_not_answer_is_named(tmp_path: Path) -> None:
    away: Any = {
        "database_url": f"postgresql+psycopg://u:hunter2@127.0.0.1:{free_port('127.0.0.1')}/d"
    }
    finding = only(Settings(data_dir=tmp_path, **away), "database")
    assert (
        finding.state == "failed"
        and "INFRAMIND_DATABASE_URL" in finding.remedy
        and "hunter2" not in repr(finding)
    )
    away = {"port": 9, "inference_url": "http://127.0.0.1:9"}
    assert only(Settings(**away), "inference").state == "failed"


def test_the_inference_server_that_only_the_running_service_knows() -> None:
    ready = {"status": "not ready", "parts": {"worker": False, "inference": True}}
    service = FastAPI()
    service.add_api_route("/readyz", lambda: JSONResponse(ready, 503))
    with listening(service) as url:
        configured = Settings(port=int(url.rpartition(":")[2]), inference_url="http://127.0.0.1:9")
        assert only(configured, "inference").state == "ok"
        ready["parts"] = {"worker": True, "inference": False}
        assert only(configured, "inference").state == "failed"
    assert only(configured, "inference").state == "failed", "nobody listens there any more"


def test_redis(redis: Any) -> None:
    assert only(Settings(redis_url=redis.url), "redis").text.startswith("Redis 6.2")
    silent: Any = {"redis_url": f"redis://:hunter2@127.0.0.1:{free_port('127.0.0.1')}/0"}
    finding = only(Settings(**silent), "redis")
    assert (
        finding.state == "failed"
        and "INFRAMIND_REDIS_URL" in finding.remedy
        and "hunter2" not in repr(finding)
    )


def test_keys_disk_and_weights(tmp_path: Path, database_url: str) -> None:
    reachable = Settings(data_dir=tmp_path, host="0.0.0.0", database_url=database_url)  # type: ignore[arg-type]
    assert only(reachable, "keys").state == "failed"
    engine = make_engine(database_url)
    key = keys.create(engine, ["train"])
    assert only(reachable, "keys").state == "ok"
    keys.revoke(engine, key.split("_")[1])
    engine.dispose()
    assert only(reachable, "keys").state == "failed"
    assert only(Settings(data_dir=Path("/proc/none")), "disk").state == "failed"
    missing = Settings(inference_base_model="Qwen/Qwen2.5-0.5B-Instruct")
    assert {finding.state for finding in found(missing, "weights")} == {"ok", "failed"}


def test_who_gets_into_a_service_on_the_loopback(tmp_path: Path) -> None:
    mine = Settings(data_dir=tmp_path)
    nothing_yet = only(mine, "keys")
    assert nothing_yet.state == "ok" and "no key was ever made" in nothing_yet.text
    assert not list(tmp_path.iterdir()), "asking makes no database"
    for setting in ("trusted_hosts", "trusted_proxies"):
        exposed = only(Settings(data_dir=tmp_path, **{setting: "192.0.2.1"}), "keys")
        assert (exposed.state, setting.upper() in exposed.text) == ("failed", True)
    engine = make_engine(mine.url)
    upgrade(engine)
    key = keys.create(engine, ["train"])
    assert only(mine, "keys").text == "requests need a key; 1 may be used"
    called = {"data_dir": tmp_path, "trusted_hosts": "inframind.example.com"}
    assert [finding.state for finding in found(Settings(**called), "keys")] == ["ok", "warning"]
    called["trusted_proxies"] = "127.0.0.1"
    assert only(Settings(**called), "keys").state == "ok"
    keys.revoke(engine, key.split("_")[1])
    engine.dispose()
    locked = only(mine, "keys")
    assert locked.state == "failed" and "nobody gets in" in locked.text


def test_the_command_ends_with_1_where_something_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "INFRAMIND_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    whole = CliRunner().invoke(app, ["doctor", "--only", "python,disk,database"])
    assert whole.exit_code == 0 and "inframind up" in whole.output
    monkeypatch.setitem(os.environ, "INFRAMIND_DATA_DIR", "/proc/none")
    settings.cache_clear()
    broken = CliRunner().invoke(app, ["doctor", "--only", "disk"])
    assert broken.exit_code == 1 and "INFRAMIND_DATA_DIR" in broken.output
    assert CliRunner().invoke(app, ["doctor", "--only", "nonsense"]).exit_code == 2
    settings.cache_clear()


def test_the_settings_page_is_what_the_settings_are() -> None:
    page = ROOT / "docs" / "production" / "settings.md"
    assert page.read_text() == table(), "run `make settings`"
    assert all(field.description for field in Settings.model_fields.values()), (
        "each says what it is for"
    )
