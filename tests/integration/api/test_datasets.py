"""Datasets over HTTP: stored once, refused by row, bounded."""

import json
from typing import Any

from fastapi.testclient import TestClient

from app.datasets.preview import MAX_PAGE_CHARACTERS
from app.main import create_app
from app.settings import Settings
from app.web.body_limit import BodyLimits
from inframind.generation.encoding import encode
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


def test_the_answer_to_an_upload_speaks_of_that_upload(client: TestClient) -> None:
    first = client.post("/datasets", content=ROWS).json()
    assert (first["duplicates"], first["conflicts"], first["name"]) == (0, 0, None)
    conflicting = b'{"instruction": "From debian:12, work in /srv/100.", "output": "FROM a:1\\n"}\n'
    again = client.post("/datasets", params={"name": "ours"}, content=ROWS * 2 + conflicting)
    assert again.json() == {**first, "duplicates": 12, "conflicts": 1, "name": "ours"}
    assert client.get(f"/datasets/{first['id']}").json() == again.json()
    # A name that is left out is not taken away; all else is the newest upload's.
    with_ids = b"\n".join(b'{"id": 1, ' + line[1:] for line in ROWS.splitlines())
    last = client.post("/datasets", content=b"\xef\xbb\xbf" + with_ids).json()
    assert last == {**first, "name": "ours", "ignored": {"id": 12}}


def test_rows_are_shown_as_they_are_trained_on(client: TestClient) -> None:
    rendered = {}
    for rendering in ("fenced", "as_given"):
        made = client.post("/datasets", params={"rendering": rendering}, content=ROWS).json()
        assert made["rendering"] == rendering
        page = client.get(f"/datasets/{made['id']}/rows", params={"limit": 2}).json()
        assert (len(page["data"]), page["has_more"]) == (2, True)
        (row, _) = page["data"]
        assert row["tokens"] == len(encode("inframind-nano", row["text"]))
        assert row["trained_tokens"] < row["tokens"] and row["checks"] > 0
        rendered[rendering] = row
    given, fenced = rendered["as_given"], rendered["fenced"]
    assert [turn["role"] for turn in given["messages"]] == ["user", "assistant"]
    assert given["text"].endswith(f"{given['messages'][1]['content']}<|im_end|>\n")
    assert [turn["is_trained"] for turn in fenced["messages"]] == [False, False, True]
    assert "```dockerfile\n" in fenced["text"]
    whole = client.get(f"/datasets/{made['id']}/rows").json()["data"]
    assert sorted(row["split"] for row in whole) == ["test-values", *["train"] * 11]
    assert [row["messages"][0]["content"] for row in whole] == [
        f"From debian:12, work in /srv/{n}." for n in range(100, 112)
    ]
    for params, param in (({"base_model": "x"}, "base_model"), ({"after": "x"}, "after")):
        refused = client.get(f"/datasets/{made['id']}/rows", params=params)
        assert refused.json()["error"]["param"] == param
    assert client.get("/datasets/ds-x/rows").status_code == 404
    wrong = client.post("/datasets", params={"rendering": "x"}, content=ROWS)
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (422, "rendering")


def test_a_page_of_long_rows_ends_early(client: TestClient) -> None:
    long = [
        {"prompt": f"{n} " + "word " * 12_000, "completion": f"FROM debian:{n}\n"}
        for n in range(1, 80)
    ]
    made = client.post("/datasets", content=json.dumps(long)).json()
    ids: list[str] = []
    page: dict[str, Any] = {"has_more": True}
    while page["has_more"]:
        after = {"after": ids[-1]} if ids else {}
        page = client.get(f"/datasets/{made['id']}/rows", params=after).json()
        ids += [row["id"] for row in page["data"]]
        assert sum(len(row["text"]) for row in page["data"]) < MAX_PAGE_CHARACTERS + 100_000
    assert len(set(ids)) == len(ids) == 79 and page["first_id"] != ids[0]
