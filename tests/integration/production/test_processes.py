"""What the processes of workers/ load: no web framework, but where HTTP is the process's work."""

import os
import subprocess
import sys

import pytest

from tests.support import ROOT

WEB = ("fastapi", "starlette", "uvicorn")
SERVE_HTTP = {"api", "inference.server"}
"""The api, and the inference server, which is an HTTP server by nature."""
PROCESSES = (
    "api",
    "celery_app",
    "demo.__main__",
    "inference.server",
    "reconciler",
    "supervisor",
    "trainer",
    "up",
)
PRINT_LOADED = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}), *sys.modules)
"""


def loaded(module: str) -> set[str]:
    """The modules that a fresh interpreter has after importing one."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT_LOADED, module],
        env={**os.environ, "PYTHONPATH": str(ROOT), "INFRAMIND_REDIS_URL": "redis://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_every_process_is_in_the_list() -> None:
    folder = ROOT / "workers"
    started = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if 'if __name__ == "__main__":' in path.read_text()
    }
    assert started == set(PROCESSES)


@pytest.mark.parametrize("process", sorted(set(PROCESSES) - SERVE_HTTP))
def test_no_process_but_those_that_serve_loads_the_web_framework(process: str) -> None:
    assert not loaded(f"workers.{process}") & set(WEB)


def test_the_jobs_know_no_http_and_no_judge_model() -> None:
    assert not loaded("app.jobs.service") & {*WEB, "httpx", "inframind.judge.llm"}
