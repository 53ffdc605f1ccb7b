"""Pages of other sites: a browser lets them send to the loopback, without a key."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from openai import OpenAI

from app.main import create_app
from app.settings import Settings
from app.web.cross_site import SAFE_METHODS, CrossSiteWrites
from tests.support.guarded import DAPO, ROWS, guarded
from tests.support.http import in_process, listening, request

WRITES = [
    (method.upper(), path)
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for method in operations
    if method.upper() not in SAFE_METHODS
]
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site"},
    # Another port of this machine.
    {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site"},
    {"origin": "http://127.0.0.1:3000"},
    {"origin": "http://127.0.0.1.evil.example"},
    # A sandboxed frame, a file that was opened.
    {"origin": "null"},
    {"origin": ""},
]
OWN = [
    {},
    {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"},
    {"origin": "http://127.0.0.1"},
    {"origin": "HTTPS://127.0.0.1"},
    {"sec-fetch-site": "none"},
    # A proxy that puts its own Host in.
    {"origin": "https://inframind.example.com", "sec-fetch-site": "same-origin"},
]
SIMPLE = ["text/plain", "text/plain; charset=utf-8", "multipart/form-data; boundary=x"]
"""What a page may send without a preflight, beside urlencoded forms."""
FORM = "application/x-www-form-urlencoded"
JOB = json.dumps(DAPO)


@pytest.mark.parametrize("headers", FOREIGN)
def test_no_foreign_page_writes_on_any_route(client: TestClient, headers: dict[str, str]) -> None:
    for method, path in WRITES:
        answer = client.request(method, path, headers=headers, json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site"), path


def test_no_route_takes_what_needs_no_script(client: TestClient) -> None:
    for method, path in WRITES:
        # OpenAI's clients send files as a form; their origin is what says that it is no page.
        own = {"/datasets": [FORM], "/v1/files": SIMPLE[2:]}.get(path, [])
        for form in {*SIMPLE, FORM} - set(own):
            answer = client.request(method, path, content=JOB, headers={"content-type": form})
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (415, "unsupported_media_type"), path
            assert form.partition(";")[0] in error["message"]
            assert "send `Content-Type:" in error["message"]


def test_a_body_without_a_type_is_told_the_header(client: TestClient) -> None:
    answer = client.post("/jobs", content=JOB)
    assert answer.status_code == 415 and "Content-Type is missing" in answer.text
    assert client.post("/jobs/none/cancel").status_code == 404, "without a body it needs none"


@pytest.mark.parametrize("headers", OWN)
def test_our_own_pages_and_whatever_is_no_browser_write(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/jobs", json=DAPO, headers=headers).status_code == 201


def test_reading_is_free(client: TestClient) -> None:
    for headers in FOREIGN:
        answer = client.get("/jobs", headers=headers)
        assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers


def test_a_key_does_not_change_it(tmp_path: Path) -> None:
    with guarded(tmp_path) as service:
        refused = service.call(service.first, "POST", "/jobs", json=DAPO, headers=FOREIGN[0])
        assert refused.status_code == 403
        refused = service.call(None, "POST", "/jobs", json=DAPO, headers=FOREIGN[0])
        assert refused.status_code == 403


def test_an_origin_that_is_allowed_writes() -> None:
    ours = CrossSiteWrites(PlainTextResponse("in"), {}, origins=["https://studio.example"])
    headers = {"origin": "https://studio.example", "sec-fetch-site": "cross-site"}
    client = in_process(ours)
    assert client.post("/jobs", json=DAPO, headers=headers).status_code == 200
    for origin in ("https://evil.example", "https://studio.example.evil.example"):
        answer = client.post("/jobs", json=DAPO, headers={**headers, "origin": origin})
        assert answer.status_code == 403


def test_curl_and_openais_client_go_on(settings: Settings, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(ROWS)

    def curl(*arguments: str) -> int:
        command = ["curl", "--noproxy", "*", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
        return int(subprocess.run([*command, *arguments], capture_output=True, check=True).stdout)

    with listening(create_app(settings)) as url:
        assert curl(f"{url}/datasets", "--data-binary", f"@{rows}") == 201
        assert curl(f"{url}/jobs", "--json", JOB) == 201
        assert curl(f"{url}/jobs", "-H", "content-type: application/json", "-d", JOB) == 201
        assert curl(f"{url}/jobs", "-d", JOB) == 415
        assert curl(f"{url}/v1/files", "-F", "purpose=fine-tune", "-F", f"file=@{rows}") == 200
        job: Any = request("POST", f"{url}/jobs", json=DAPO).json()
        assert curl("-X", "POST", f"{url}/jobs/{job['id']}/cancel") == 200
        client = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        made = client.files.create(file=(rows.name, rows.read_bytes()), purpose="fine-tune")
        tuned = client.fine_tuning.jobs.create(model="inframind-nano", training_file=made.id)
        assert client.fine_tuning.jobs.cancel(tuned.id).status == "cancelled"
        client.files.delete(made.id)
