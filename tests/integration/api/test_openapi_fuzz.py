"""The OpenAPI document as an attacker reads it: schemathesis sends what it allows and what it
forbids, to a service on either database, and nothing may be a 5xx."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inframind.generation.engine import Engine
from tests.support.fleet import living_worker
from tests.support.guarded import on_a_socket, own_everything
from tests.support.waiting import HANG_SECONDS

FUZZ = (
    "run",
    "--checks",
    "not_a_server_error",
    "--phases",
    "examples,fuzzing",
    "--max-examples",
    os.environ.get("FUZZ_EXAMPLES", "8"),  # `make fuzz-api` sends more
    "--request-timeout",
    str(HANG_SECONDS),
    "--generation-deterministic",
    "--suppress-health-check",
    "all",
    "--warnings",
    "off",
    "--no-color",
)
HOOKS = 'import schemathesis\nschemathesis.serializer.alias("application/jsonl", "text/plain")\n'


@pytest.mark.parametrize("url", ["embedded"], indirect=True)
def test_no_request_makes_the_service_fail(
    url: str,
    database_url: str,
    inference_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It waits for every answer, and 64 answers of 2,048 tokens in five rounds are allowed: minutes
    # on one core.
    monkeypatch.setattr(inference_engine.model.generation_config, "max_time", 0.5)
    given = {
        "database_url": database_url,
        "inference_url": url,
        "inference_timeout_seconds": HANG_SECONDS,
        "rate_limit": "100000/minute",
    }
    with on_a_socket(tmp_path, **given) as (address, service):
        # Half of the ids are real ones, for what lies behind them; and a live worker, without whom
        # /readyz is 503 by right.
        ids = own_everything(service)
        lines = [
            f'"path.{name}" = {json.dumps([value, value, "x", chr(0)])}'
            for name, value in ids.items()
        ]
        (tmp_path / "schemathesis.toml").write_text(
            "\n".join(['hooks = "hooks.py"', "[parameters]", *lines])
        )
        (tmp_path / "hooks.py").write_text(HOOKS)
        command = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            *FUZZ,
            "--header",
            f"Authorization: Bearer {service.admin}",
        ]
        with living_worker(service.engine):
            told = subprocess.run(
                [*command, f"{address}/openapi.json"],
                check=False,
                capture_output=True,
                text=True,
                cwd=tmp_path,
            )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
