"""The OpenAPI document: frozen, and fuzzed against a real server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fleet import until
from guarded import guarded, own_everything

from app.main import document
from workers.up import free_port

FROZEN = Path(__file__).parents[2] / "docs" / "openapi.json"
CASES = 12
"""Of each route and phase: about a minute on two cores."""


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """An application on a real socket; its URL."""
    port = free_port("127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def answering() -> FastAPI:
    """An inference server that answers at once, so that a 503 is a finding."""
    app = FastAPI()
    choice = {"index": 0, "text": "```dockerfile\nFROM alpine:3.20\n```", "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}

    @app.post("/v1/completions")
    def complete(body: dict[str, object]) -> object:
        from fastapi.responses import JSONResponse, PlainTextResponse

        answer = JSONResponse({"choices": [{**choice, "index": index} for index in range(int(str(body["n"])))], "usage": usage})
        text = f"data: {bytes(answer.body).decode()}\n\ndata: [DONE]\n\n"
        return PlainTextResponse(text, media_type="text/event-stream") if body.get("stream") else answer

    @app.post("/v1/load_lora_adapter")
    @app.get("/health")
    def fine() -> dict[str, str]:
        return {}

    return app


def test_the_document_is_the_frozen_one() -> None:
    assert document() == FROZEN.read_text(), "the api has changed: if it was meant, run `make openapi` and commit"


@pytest.mark.slow
def test_no_request_makes_the_service_fail(tmp_path: Path) -> None:
    with running(answering()) as inference, guarded(tmp_path) as service:
        own_everything(service)
        port, key = free_port("127.0.0.1"), service.admin
        env = {
            **os.environ, "INFRAMIND_DATA_DIR": str(tmp_path), "INFRAMIND_INFERENCE_URL": inference, "INFRAMIND_PORT": str(port),
            "INFRAMIND_RATE_LIMIT": "100000/second",
        }  # fmt: skip
        with (tmp_path / "api.log").open("wb") as log:
            api = subprocess.Popen([sys.executable, "-m", "workers.api"], env=env, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: answers(url), 60)
            found = fuzz(url, key, tmp_path)
        finally:
            api.terminate()
            api.wait()
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert "Traceback" not in (tmp_path / "api.log").read_text()


def answers(url: str) -> bool:
    try:
        return httpx.get(url + "/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def fuzz(url: str, key: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", FROZEN, "--url", url, "-H", f"Authorization: Bearer {key}",
        "--checks", "not_a_server_error,unsupported_method", "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(CASES), "--seed", "7", "--exclude-path", "/readyz", "--generation-database", "none",
        "--suppress-health-check", "all", "--no-color", "--no-shrink", "--continue-on-failure", "--warnings", "off",
    ]  # fmt: skip
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=280, cwd=folder)
