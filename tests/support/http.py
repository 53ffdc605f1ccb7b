"""Clients that take no slow answer for a fault, and no proxy from the environment."""

from typing import Any

import httpx
from openai import DefaultHttpxClient, OpenAI

from tests.support.waiting import HANG_SECONDS


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
