"""An application uses the settings that it is given, whatever its environment says."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.db.migrate import upgrade
from app.db.session import make_engine
from app.main import create_app
from app.settings import Settings, settings
from tests.support.http import in_process

ROWS = b"".join(
    b'{"prompt": "From alpine:3.20, as u%d.", "completion": "FROM alpine:3.20\\nUSER u%d\\n"}\n'
    % (n, n)
    for n in range(8)
)


def walk(client: TestClient) -> None:
    """Calls every kind of route that reads or writes files or rows."""
    dataset = client.post(
        "/datasets",
        content=ROWS.replace(b'"prompt"', b'"instruction"').replace(b'"completion"', b'"output"'),
    )
    assert dataset.status_code == 201, dataset.text
    uploaded = client.post(
        "/v1/files", files={"file": ("a.jsonl", ROWS)}, data={"purpose": "fine-tune"}
    ).json()["id"]
    assert client.get(f"/v1/files/{uploaded}/content").content == ROWS
    tuned = client.post(
        "/v1/fine_tuning/jobs",
        json={"model": "inframind-nano", "training_file": uploaded, "validation_file": uploaded},
    )
    assert tuned.json()["error"]["param"] == "validation_file"
    for body in ({"method": "sft"}, {"method": "sft", "dataset": dataset.json()["id"]}):
        job = client.post("/jobs", json=body)
        assert job.status_code == 201, job.text
        assert client.post(f"/jobs/{job.json()['id']}/cancel").json()["state"] == "cancelled"
    for path in ("/models", "/v1/models", "/models/inframind-nano", "/datasets", "/v1/files"):
        assert client.get(path).status_code == 200
    assert client.put("/aliases/live", json={"model": "inframind-nano"}).status_code == 200
    assert client.delete("/models/im-none").status_code == 404
    assert client.delete(f"/v1/files/{uploaded}").json()["deleted"] is True


def test_an_application_touches_only_its_own_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, others, here = (tmp_path / name for name in ("own", "others", "here"))
    for folder in (own, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("INFRAMIND_DATA_DIR", str(others))
    monkeypatch.setenv("INFRAMIND_ARTIFACTS_URL", f"file://{others}/store")
    settings.cache_clear()
    configured = Settings(
        data_dir=own, artifacts_url="", inference_url="http://127.0.0.1:9", verifier_workers=1
    )
    engine = make_engine(configured.url)
    upgrade(engine)
    engine.dispose()
    try:
        with in_process(create_app(configured)) as client:
            walk(client)
    finally:
        settings.cache_clear()
    assert {path.name for path in tmp_path.iterdir()} == {"own", "here"}
    assert list(here.iterdir()) == []
    assert {path.name for path in (own / "artifacts").iterdir()} == {"datasets", "files"}
