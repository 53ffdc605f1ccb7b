"""Datasets over HTTP: stored once, refused by row, bounded."""

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web.body_limit import BodyLimits
from tests.support.http import in_process

DAPO = {"method": "dapo", "base_model": "inframind-nano"}


ROWS = b"".join(
    (
        b'{"instruction": "From debian:12, work in /srv/%d.", '
        b'"output": "FROM debian:12\\nWORKDIR /srv/%d\\n"}\n'
    )
    % (i, i)
    for i in range(100, 112)
)


def test_a_dataset_is_stored_once_and_can_be_named_by_a_job(client: TestClient) -> None:
    made = client.post("/datasets", params={"name": "ours"}, content=ROWS)
    assert made.status_code == 201, made.text
    dataset = made.json()
    assert (dataset["tasks"], dataset["derived"]) == ({"test-values": 1, "train": 11}, 12)
    assert client.post("/datasets", content=ROWS).json() == dataset
    assert (
        client.get("/datasets").json()["data"]
        == [client.get(f"/datasets/{dataset['id']}").json()]
        == [dataset]
    )
    job = client.post("/jobs", json={**DAPO, "dataset": dataset["id"]})
    assert (job.status_code, job.json()["dataset"]) == (201, dataset["id"])


def test_a_bad_row_names_itself_and_nothing_is_stored(
    client: TestClient, settings: Settings
) -> None:
    answer = client.post("/datasets", content=ROWS + b'{"instruction": "x", "output": ""}\n')
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "rows.13.output")
    assert client.get("/datasets").json()["data"] == []
    assert not (settings.artifacts / "datasets").exists()
    assert (
        client.post("/datasets", content=b"\xff")
        .json()["error"]["message"]
        .startswith("the file is not UTF-8")
    )
    for unknown in ("ds-" + "0" * 32, "../jobs", "ds-x"):
        assert (
            client.post("/jobs", json={**DAPO, "dataset": unknown}).json()["error"]["param"]
            == "dataset"
        )
    assert client.get("/datasets/ds-x").status_code == 404


def test_a_dataset_may_be_large_and_no_larger(settings: Settings) -> None:
    limits = BodyLimits(json_bytes=1000, file_bytes=2000)
    with in_process(create_app(settings, body_limits=limits)) as connected:
        assert connected.post("/datasets", content=ROWS).status_code == 201
        assert connected.post("/datasets", content=ROWS * 2).status_code == 413
