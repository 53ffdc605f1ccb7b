"""The two kinds of inference server, as real servers on the bundled model."""

import os
import signal
import socket
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import uvicorn
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from inframind.errors import NonFiniteError
from inframind.generation.engine import Completion, Engine, Request
from inframind.generation.template import render
from inframind.models.nano import WEIGHTS
from tests.support import ROOT
from tests.support.http import request
from tests.support.waiting import until
from workers.inference.server import create_server
from workers.up import free_port

BASE = "inframind-nano"
PROMPT = render(
    BASE, [{"role": "user", "content": "Create a ConfigMap demo with MODE set to fast."}]
)
VLLM = ROOT / ".venv-vllm" / "bin" / "python"
COMPACT = '{"backend": "xgrammar", "disable_any_whitespace": true}'
"""Without it a weak model may fill its JSON with blanks until the tokens are used up."""
LONGER = '{"max_position_embeddings": 4096}'
"""A rubric, an answer and a reply do not fit the bundled model's 1,024 tokens."""
IN_ONE_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1"}
"""Otherwise its CPU build waits in loops of sched_yield, which may keep everybody else from the
cores for ten seconds at a time."""
START_SECONDS = 280.0


@contextmanager
def listening(app: FastAPI, send_buffer: int | None = None) -> Iterator[str]:
    """An application behind a real socket; its URL. `send_buffer`: bytes that the kernel takes for
    a client that does not read."""
    with socket.socket() as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def embedded(engine: Engine) -> Iterator[str]:
    """The embedded server around an engine; its URL."""
    with listening(create_server(engine)) as url:
        yield url


class Vllm:
    """vLLM's own server, its CPU build, from its own environment (`make vllm`)."""

    def __init__(self, folder: Path) -> None:
        if not VLLM.is_file():
            pytest.skip("vLLM is not installed: make vllm")
        self._log = folder / "vllm.log"
        self._port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [
            VLLM,
            "-m",
            "vllm.entrypoints.openai.api_server",
            "--model",
            WEIGHTS,
            "--served-model-name",
            BASE,
            "--dtype",
            "float32",
            "--hf-overrides",
            LONGER,
            "--structured-outputs-config",
            COMPACT,
            "--max-lora-rank",
            "16",
            "--max-loras",
            "4",
            "--enforce-eager",
            "--enable-lora",
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
        ]
        env = {
            **os.environ,
            **IN_ONE_PROCESS,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
            "VLLM_NO_USAGE_STATS": "1",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=env, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until(lambda: self._process.poll() is not None or answers(self.url))
            assert self._process.poll() is None, self._log.read_text()[-3000:]
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Its engine is a process of its own, which must not outlive it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Generations:
    """Counts what an engine is asked to generate, and what it gives up because nobody waits."""

    def __init__(self, engine: Engine) -> None:
        self.begun = self.given_up = 0
        self._generate_each = engine.generate_each

    def generate_each(
        self, rows: Sequence[Request], *arguments: Any
    ) -> list[Completion | NonFiniteError]:
        """What stands in the place of the engine's method."""
        self.begun += 1
        answers = self._generate_each(rows, *arguments)
        self.given_up += any(
            isinstance(answer, Completion)
            and answer.finish_reason == "length"
            and answer.completion_tokens < row.max_tokens
            for row, answer in zip(rows, answers, strict=True)
        )
        return answers


def answers(url: str) -> bool:
    try:
        return request("GET", f"{url}/health").status_code == 200
    except httpx.HTTPError:
        return False


def figures(url: str) -> dict[str, float]:
    """vLLM's own figures, summed over their labels."""
    found: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(request("GET", f"{url}/metrics").text):
        for sample in family.samples:
            found[sample.name] += sample.value
    return found


def ended(url: str) -> float:
    """Answers that vLLM has written to their end; less than none while it writes one."""
    found = figures(url)
    is_busy = found["vllm:num_requests_running"] or found["vllm:num_requests_waiting"]
    return -1.0 if is_busy else found["vllm:request_success_total"]


def unread_post(address: httpx.URL, body: bytes, path: str = "/v1/completions") -> socket.socket:
    """A request whose answer is never read, by a client with the smallest buffer there is."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.connect((address.host, address.port))
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
    return connection


def one_thread() -> None:
    """Tests share two cores with the servers they ask."""
    torch.set_num_threads(1)


def complete(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(
        "/v1/completions",
        json={"model": BASE, "prompt": PROMPT, "max_tokens": 24, "temperature": 0, **fields},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def texts(answer: dict[str, Any]) -> list[str]:
    return [choice["text"] for choice in answer["choices"]]
