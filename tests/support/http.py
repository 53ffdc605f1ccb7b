"""Clients that take no slow answer for a fault, and no proxy from the environment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import DefaultHttpxClient, OpenAI
from starlette.types import ASGIApp

from tests.support.waiting import HANG_SECONDS, until
from workers.up import free_port


def connect(url: str, **options: Any) -> httpx.Client:
    """A client of the server at `url`."""
    return httpx.Client(base_url=url, timeout=HANG_SECONDS, trust_env=False, **options)


def connect_openai(url: str) -> OpenAI:
    """OpenAI's own client of the service at `url`, unmodified: it tries nothing twice."""
    transport = DefaultHttpxClient(trust_env=False)
    return OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=transport)


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """One request, alone on its connection."""
    return httpx.request(method, url, timeout=HANG_SECONDS, trust_env=False, **options)


def in_process(app: ASGIApp, **options: Any) -> TestClient:
    """A client of an application without a network, by the name that an open service has."""
    return TestClient(app, **{"base_url": "http://127.0.0.1", **options})


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of an application that a thread of this process serves."""
    port = free_port("127.0.0.1")
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
