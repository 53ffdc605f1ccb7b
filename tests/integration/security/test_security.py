"""Hostile clients: each control of the service, attacked over HTTP."""

import json
import os
import pickle
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from app import keys
from app.catalog import service as catalog
from app.main import create_app
from app.settings import Settings
from app.web.body_limit import BodyLimits, is_deeper
from inframind.errors import EngineError
from inframind.models.adapter import verify_adapter
from tests.support.growth import QUADRATIC, growth
from tests.support.guarded import ADAPTER, DAPO, ROWS, Guarded, guarded, on_a_socket, own_everything
from tests.support.http import connect, request
from tests.support.waiting import HANG_SECONDS, until
from tests.support.weights import write_checkpoint

INTERNAL = [
    "id", "state", "want", "fence", "owner", "lease_owner", "lease_until", "attempts",
    "max_attempts", "device", "error_code", "path", "manifest", "created_at", "request_id",
    "base_url", "judge_url", "inference_url", "trust_remote_code", "pipeline",
]  # fmt: skip
JUDGE = {"category": "dockerfile", "instruction": "x", "answer": "FROM alpine:3.20\n"}
TRAVERSALS = [
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "im-x/../../secret",
    "....//....//etc/passwd", "im-x\x00.bin", "~root", "file:///etc/passwd", "C:\\windows",
    "im-x\n", "IM-X", "a" * 300, "im-x;id", "$(id)", "`id`", "%00", "\uff49\uff4d-x",
]  # fmt: skip
ELSEWHERE = [
    "http://{0}/x",
    "http://[::1]:{1}/",
    "http://[::ffff:127.0.0.1]:{1}/",
    "http://0x7f000001:{1}/",
    "http://2130706433:{1}/",
]
MB = 1_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("served"), docs=None) as found:
        own_everything(found)
        yield found


@pytest.mark.parametrize("field", INTERNAL)
def test_no_body_sets_what_is_the_services_own(served: Guarded, field: str) -> None:
    for path, body in (("/jobs", DAPO), ("/generate", {"prompt": "x"}), ("/judge", JUDGE)):
        answer = served.call(served.first, "POST", path, json={**body, field: "x"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, field), path


@pytest.mark.parametrize("name", TRAVERSALS)
def test_names_never_become_paths(served: Guarded, name: str) -> None:
    for path in ("/models/", "/datasets/", "/jobs/"):
        answer = served.call(
            served.first, "GET", path + name.replace("\x00", "%00").replace("\n", "%0a")
        )
        assert answer.status_code == 404, path
        assert "root:" not in answer.text
    for field in ("start_from", "dataset", "base_model"):
        assert (
            served.call(served.first, "POST", "/jobs", json={**DAPO, field: name}).status_code
            == 422
        )
    assert served.call(
        served.first, "POST", "/generate", json={"prompt": "x", "model": name}
    ).status_code in (404, 422)


def test_no_field_makes_the_service_call_somewhere(served: Guarded) -> None:
    """Models, datasets and judges are names; the endpoints behind them come from the settings."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        address = f"127.0.0.1:{trap.getsockname()[1]}"
        for form in ELSEWHERE:
            url = form.format(address, trap.getsockname()[1])
            for field in ("start_from", "dataset", "base_model"):
                assert (
                    served.call(
                        served.first, "POST", "/jobs", json={**DAPO, field: url}
                    ).status_code
                    == 422
                )
            for path, body in (
                ("/generate", {"prompt": "x"}),
                ("/v1/completions", {"prompt": "x"}),
            ):
                assert served.call(
                    served.first, "POST", path, json={**body, "model": url}
                ).status_code in (400, 404, 422)
            assert (
                served.call(
                    served.first, "POST", "/generate", json={"prompt": "x", "base_url": url}
                ).status_code
                == 422
            )
        # Every answer is there: who has not come by now does not come.
        with pytest.raises(BlockingIOError):
            trap.accept()
    document = create_app(Settings()).openapi()
    fields = {
        name
        for schema in document["components"]["schemas"].values()
        for name in schema.get("properties", {})
    }
    assert not {name for name in fields if re.search(r"(^|_)(url|uri|endpoint|host)s?$", name)}


def test_an_endless_upload_stops_at_its_limit_with_bounded_memory(tmp_path: Path) -> None:
    with on_a_socket(tmp_path) as (url, service_):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path, limit in (("/jobs", MB), ("/datasets", 50 * MB)):
            sent = 0

            def endless() -> Iterator[bytes]:
                nonlocal sent
                while sent < 10_000 * MB:
                    sent += 1 << 16
                    yield b"[" * (1 << 16)

            headers = {
                "Authorization": f"Bearer {service_.first}",
                "content-type": "application/json",
            }
            # The service may close the connection before it is read.
            with suppress(httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
                assert (
                    request("POST", url + path, content=endless(), headers=headers).status_code
                    == 413
                )
            assert limit < sent < limit + 20 * MB
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kilobytes"


def test_without_a_key_not_one_byte_of_a_body_is_read(tmp_path: Path) -> None:
    with on_a_socket(tmp_path) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                b"POST /datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n"
            )
            client.settimeout(HANG_SECONDS)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 401")


def test_a_body_that_trickles_is_given_up(tmp_path: Path) -> None:
    with on_a_socket(tmp_path, BodyLimits(piece_seconds=0.3)) as (url, service_):
        host, port = url.removeprefix("http://").split(":")
        head = (
            f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service_.first}\r\n"
            f"Content-Length: 99\r\n"
        )
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
            client.settimeout(HANG_SECONDS)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("depth", [65, 900, 100_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_json_is_refused(served: Guarded, depth: int, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    body = '{"metadata": ' + opening * depth + "1" + brackets[1] * depth + "}"
    answer = served.call(
        served.first,
        "POST",
        "/jobs",
        content=body.encode(),
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        422,
        "invalid_request",
    ) and "64 levels" in answer.text


def test_brackets_in_strings_are_no_depth() -> None:
    assert not is_deeper(json.dumps({"text": '[{"\\' * 500}).encode(), 64)
    assert not is_deeper(json.dumps([[]] * 500).encode(), 2)
    assert is_deeper(b"[" * 65, 64) and not is_deeper(b"[" * 64, 64)


@pytest.mark.parametrize("piece", [b'"[', b"[]", b'\\"['])
def test_depth_is_counted_in_one_pass(piece: bytes) -> None:
    assert growth(lambda times: is_deeper(piece * times, 64), 20_000) < QUADRATIC


def test_open_streams_of_a_key_are_counted(tmp_path: Path) -> None:
    with on_a_socket(tmp_path, max_concurrent_requests=2) as (url, service_):
        job_id = service_.call(service_.first, "POST", "/jobs", json=DAPO).json()["id"]
        headers = {"Authorization": f"Bearer {service_.first}", "accept": "text/event-stream"}
        with connect(url, headers=headers) as client:
            with (
                client.stream("GET", f"/jobs/{job_id}/events"),
                client.stream("GET", f"/jobs/{job_id}/events"),
            ):
                refused = client.get("/jobs")
                assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
                second = {"Authorization": f"Bearer {service_.second}"}
                assert client.get("/jobs", headers=second).status_code == 200, "another key goes on"
            until(lambda: client.get("/jobs").status_code == 200)


def test_the_headers_of_every_answer(served: Guarded) -> None:
    for key, path in (
        (served.first, "/jobs"),
        (None, "/jobs"),
        (None, "/healthz"),
        (served.first, "/nowhere"),
    ):
        headers = served.call(key, "GET", path, headers={"origin": "https://evil.example"}).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert (
            headers["x-content-type-options"] == "nosniff"
            and headers["cache-control"] == "no-store"
        )
        assert headers["x-frame-options"] == "DENY" and headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers and "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "169.254.169.254", ""])
def test_strange_hosts_are_refused(served: Guarded, host: str) -> None:
    """A page whose name was rebound to the loopback (DNS rebinding) calls by its own name."""
    answer = served.client.get("/healthz", headers={"host": host})
    assert answer.status_code == 400
    assert served.client.get("/healthz", headers={"host": "localhost:8000"}).status_code == 200


def test_production_shows_no_documentation(served: Guarded) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert served.call(None, "GET", path).status_code == 401
        assert served.call(served.first, "GET", path).status_code == 404


def test_a_crash_tells_no_path_and_no_cause(
    served: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError(f"secret of {__file__}")

    monkeypatch.setattr(catalog, "list_models", crash)
    answer = served.call(served.first, "GET", "/models", headers={"x-request-id": "trace-me"})
    assert answer.status_code == 500 and "trace-me" in answer.text
    assert not re.search(r"secret|/|\.py|Traceback|RuntimeError", answer.json()["error"]["message"])


def test_settings_do_not_show_their_secrets() -> None:
    configured = Settings(database_url="postgresql+psycopg://inframind:hunter2@db/inframind")  # type: ignore[arg-type]  # as from a variable
    assert (
        "hunter2" not in f"{configured!r} {configured} {configured.model_dump()}"
        and "hunter2" in configured.url
    )


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


@pytest.mark.parametrize(
    "name", ["adapter_model.bin", "adapter_model.safetensors", "training_args.bin"]
)
def test_a_pickle_in_an_adapters_folder_is_never_loaded(
    tmp_path: Path, make_adapter: Any, name: str
) -> None:
    from inframind.generation.engine import Engine

    folder, canary = make_adapter(tmp_path, "im-a", 1), tmp_path / "canary"
    pickled = pickle.dumps(Canary(canary))
    if name == "adapter_model.bin":
        (folder / "adapter_model.safetensors").unlink()
    (folder / name).write_bytes(pickled)
    engine = Engine("inframind-nano", "cpu")
    if name == "training_args.bin":
        engine.add_adapter("im-a", folder)
    else:
        with pytest.raises(EngineError):
            verify_adapter(folder)
        with pytest.raises(EngineError):
            engine.add_adapter("im-a", folder)
    assert not canary.exists()
    pickle.loads(pickled)
    assert canary.exists(), "it would have worked"


def test_a_pickle_in_a_checkpoint_is_never_loaded(tmp_path: Path) -> None:
    from inframind.stages._checkpoints import commit, is_whole

    write_checkpoint(tmp_path)
    saved = commit(tmp_path, 0, 1)
    assert is_whole(saved)
    (tmp_path / "rng_state.pth").write_bytes(pickle.dumps(Canary(tmp_path / "canary"), protocol=2))
    assert not is_whole(saved)
    import torch

    with pytest.raises(pickle.UnpicklingError, match="weights"):
        torch.load(tmp_path / "rng_state.pth")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"\x1f\x8b\x08", pickle.dumps({"a": 1}), b"\x00" * 100, b"\xff\xfe"]
)
def test_an_upload_is_text_or_nothing(served: Guarded, content: bytes) -> None:
    answer = served.call(served.first, "POST", "/datasets", content=content)
    assert answer.status_code == 422 and answer.json()["error"]["message"]


def test_a_link_in_an_adapters_place_is_never_followed_to_a_client(served: Guarded) -> None:
    file = served.settings.data_dir / "adapters" / ADAPTER / "adapter_config.json"
    whole = file.read_bytes()
    file.unlink()
    file.symlink_to("/etc/passwd")
    try:
        answer = served.call(served.first, "GET", f"/models/{ADAPTER}/download")
        assert answer.status_code == 503 and "root:" not in answer.text
    finally:
        file.unlink()
        file.write_bytes(whole)
    assert served.call(served.first, "GET", f"/models/{ADAPTER}/download").status_code == 200


def test_another_owners_dataset_is_no_oracle(served: Guarded) -> None:
    """Adding what another owner has looks the same as adding what nobody has."""
    again = served.call(served.second, "POST", "/datasets", content=ROWS)
    fresh = served.call(served.second, "POST", "/datasets", content=ROWS.replace("3.20", "3.21"))
    assert (
        (again.status_code, set(again.json()))
        == (fresh.status_code, set(fresh.json()))
        == (201, set(again.json()))
    )


def test_an_admin_cannot_be_made_over_http(served: Guarded) -> None:
    paths = create_app(Settings()).openapi()["paths"]
    assert not [path for path in paths if "key" in path]
    assert served.call(keys.create(served.engine, ["train"]), "GET", "/metrics").status_code == 403
    assert isinstance(served.client, TestClient) and ADAPTER
