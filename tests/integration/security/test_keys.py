"""Keys over HTTP: who gets in, what they see, and that no route forgets to ask."""

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import keys
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.main import create_app
from app.settings import Settings
from app.web.gate import OPEN_PATHS
from inframind.errors import ConfigError
from tests.support.guarded import ADAPTER, DAPO, ROWS, Guarded, guarded, own_everything

OPERATIONS = [
    (method.upper(), path)
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for method in operations
]
# An alias is its owner's: another may give the same name to a model of his own.
KEEPS_OTHERS_OUT = [
    (method, path) for method, path in OPERATIONS if "{" in path and method != "PUT"
]
LISTS = ("/jobs", "/datasets", "/models", "/aliases", "/v1/files", "/v1/fine_tuning/jobs")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(
        tmp_path_factory.mktemp("guarded"),
        failed_key_limit="1000/minute",
        rate_limit="10000/minute",
    ) as found:
        yield found


@pytest.fixture(scope="module")
def owned(service: Guarded) -> dict[str, str]:
    return own_everything(service)


def filled(path: str, owned: dict[str, str]) -> str:
    """The path of one of the first owner's things. A new parameter has to be added to
    `own_everything`."""
    return re.sub(r"\{(\w+)(:path)?\}", lambda found: owned[found[1]], path)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_route_needs_a_key(
    service: Guarded, owned: dict[str, str], method: str, path: str
) -> None:
    answer = service.call(None, method, filled(path, owned))
    if path in OPEN_PATHS:
        assert answer.status_code in (200, 503)
        assert not any(identity in answer.text for identity in owned.values())
    else:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path"), KEEPS_OTHERS_OUT)
def test_anothers_id_is_an_unknown_id_on_every_route(
    service: Guarded, owned: dict[str, str], method: str, path: str
) -> None:
    strangers = {
        name: re.sub(r"[0-9a-f]{12}$|first", "0" * 12, value) for name, value in owned.items()
    }
    said = []
    for ids in (owned, strangers):
        answer = service.call(service.second, method, filled(path, ids), json={})
        assert answer.status_code == 404
        said.append(re.sub("|".join(ids.values()), "ID", answer.text))
    assert said[0] == said[1], "the words tell nothing either"
    real = filled(path, owned)
    if method == "GET":
        assert service.call(service.first, method, real).status_code == 200, "the owner sees it"
        assert service.call(service.admin, method, real).status_code == 200, "so does an admin"


@pytest.mark.parametrize(
    "path",
    [
        path
        for method, path in OPERATIONS
        if method == "GET" and "{" not in path and path not in OPEN_PATHS
    ],
)
def test_lists_show_ones_own(service: Guarded, owned: dict[str, str], path: str) -> None:
    answer = service.call(service.second, "GET", path)
    # A comparison that names no models is refused.
    assert answer.status_code in (200, 403, 422)
    assert not any(identity in answer.text for identity in owned.values())


def test_the_owner_finds_everything_in_the_lists(service: Guarded, owned: dict[str, str]) -> None:
    for key in (service.first, service.admin):
        seen = "".join(service.call(key, "GET", path).text for path in LISTS)
        assert all(identity in seen for identity in owned.values())


def test_a_body_cannot_name_what_is_anothers(service: Guarded, owned: dict[str, str]) -> None:
    for body in ({"start_from": ADAPTER}, {"dataset": owned["dataset_id"]}):
        answer = service.call(service.second, "POST", "/jobs", json=DAPO | body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, next(iter(body)))
    # As if the inference server had it loaded already for its owner.
    service.client.app.state.inference._adapters._loaded.add(ADAPTER)  # type: ignore[attr-defined]  # our application
    for path, text in (("/generate", {"prompt": "x"}), ("/v1/completions", {"prompt": "x"})):
        assert (
            service.call(service.second, "POST", path, json={"model": ADAPTER, **text}).status_code
            == 404
        )
        assert (
            service.call(service.first, "POST", path, json={"model": ADAPTER, **text}).status_code
            == 503
        )


def test_an_alias_is_ones_own(service: Guarded, owned: dict[str, str]) -> None:
    path = f"/aliases/{owned['alias']}"
    assert service.call(service.second, "PUT", path, json={"model": ADAPTER}).status_code == 404
    assert (
        service.call(service.second, "PUT", path, json={"model": "inframind-nano"}).status_code
        == 200
    )
    assert service.call(service.first, "GET", path).json()["model"] == ADAPTER
    assert service.call(service.second, "DELETE", path).status_code == 200
    assert service.call(service.first, "GET", path).json()["model"] == ADAPTER


def test_two_owners_may_add_the_same_dataset(tmp_path: Path) -> None:
    with guarded(tmp_path) as service:
        owned = own_everything(service)
        again = service.call(
            service.second, "POST", "/datasets", content=ROWS, params={"name": "mine"}
        )
        assert (again.json()["id"], again.json()["name"]) == (owned["dataset_id"], "mine")
        assert (
            service.call(service.first, "GET", f"/datasets/{again.json()['id']}").json()["name"]
            # The name of the first owner's own file.
            == "first.jsonl"
        )


def test_keys_of_one_owner_see_the_same(service: Guarded) -> None:
    old, new = (keys.create(service.engine, ["train"], owner="team-a") for _ in range(2))
    job_id = service.call(old, "POST", "/jobs", json=DAPO).json()["id"]
    assert service.call(new, "GET", f"/jobs/{job_id}").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["train"], {"/jobs", "/datasets", "/models"}),
        (["generate"], {"/generate", "/v1/completions", "/verify", "/judge", "/models"}),
        (["monitor"], {"/models"}),
        (
            ["admin"],
            {"/jobs", "/datasets", "/models", "/generate", "/v1/completions", "/verify", "/judge"},
        ),
    ],
)
def test_a_scope_opens_its_routes_and_no_other(
    service: Guarded, scopes: list[str], allowed: set[str]
) -> None:
    key = keys.create(service.engine, scopes)
    for path in (
        "/jobs",
        "/datasets",
        "/models",
        "/generate",
        "/v1/completions",
        "/verify",
        "/judge",
    ):
        method = "GET" if path in ("/jobs", "/datasets", "/models") else "POST"
        answer = service.call(key, method, path, json={} if method == "POST" else None)
        assert (answer.status_code != 403) == (path in allowed), path
        assert answer.status_code != 403 or answer.json()["error"]["code"] == "forbidden"


def test_every_wrong_key_gets_the_same_answer(service: Guarded) -> None:
    identity = service.first.split("_")[1]
    wrong = [
        f"im_{identity}_{'A' * 43}",
        f"im_{'0' * 16}_{'A' * 43}",
        service.first[:-1],
        service.first + "x",
        "im__",
        "",
        "é",
        service.first.replace("im_", "IM_"),
        f"im_{identity}' OR 1=1--_{'A' * 43}",
    ]
    answers = {
        (answer.status_code, answer.text)
        for token in wrong
        for answer in [
            service.client.get("/jobs", headers={"Authorization": f"Bearer {token}".encode()})
        ]
    }
    assert len(answers) == 1 and answers.pop()[0] == 401
    assert (
        service.client.get("/jobs", headers={"Authorization": f"Basic {service.first}"}).status_code
        == 401
    )


def test_a_revoked_key_ends_within_a_second(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.create(service.engine, ["train"])
    assert service.call(key, "GET", "/jobs").status_code == 200
    keys.revoke(service.engine, key.split("_")[1])
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + keys.REMEMBERED_SECONDS)
    monkeypatch.setattr(keys, "time", later)
    assert service.call(key, "GET", "/jobs").status_code == 401


def test_use_is_noted(service: Guarded) -> None:
    key = keys.create(service.engine, ["train"])
    # A second each way: the database's clock is rounded.
    before = time.time() - 1
    service.call(key, "GET", "/jobs")
    found = next(row for row in keys.every(service.engine) if row.id == key.split("_")[1])
    assert found.last_used_at is not None and before <= found.last_used_at <= time.time() + 1


def test_no_secret_is_in_the_database_or_in_a_log(
    service: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.call(service.first, "GET", "/jobs")
    service.call(service.first[:-2] + "AA", "GET", "/jobs")
    secret = service.first.split("_", 2)[2]
    stored = b"".join(path.read_bytes() for path in service.settings.data_dir.glob("inframind.db*"))
    assert service.first.split("_")[1].encode() in stored and secret.encode() not in stored
    assert secret[:-2] not in caplog.text


def test_limits_of_a_key(tmp_path: Path) -> None:
    with guarded(tmp_path, rate_limit="5/hour", failed_key_limit="3/hour") as service:
        answers = [service.call(service.first, "GET", "/jobs") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3601
        assert service.call(service.second, "GET", "/jobs").status_code == 200, (
            "another key has its own"
        )
        tried = [service.call("im_x", "GET", "/jobs").status_code for _ in range(5)]
        assert tried == [401] * 3 + [429] * 2
        assert service.call(service.second, "GET", "/jobs").status_code == 200, (
            "guessing shuts no right key out"
        )


def test_open_on_loopback_alone(tmp_path: Path) -> None:
    assert (
        Settings(host="127.0.0.1").is_open
        and Settings(host="::1").is_open
        and Settings(host="localhost").is_open
    )
    for closed in (
        Settings(host="0.0.0.0"),
        Settings(host="10.0.0.1"),
        Settings(database_url="postgresql+psycopg://u:p@h/d"),
    ):
        assert not closed.is_open
    reachable = Settings(data_dir=tmp_path, host="0.0.0.0")
    engine = make_engine(reachable.url)
    upgrade(engine)
    with pytest.raises(ConfigError, match="inframind keys create"):
        keys.check_start(engine, reachable)
    keys.create(engine, ["train"])
    keys.check_start(engine, reachable)


def test_an_open_service_that_is_reached_from_outside_asks_for_a_key(tmp_path: Path) -> None:
    """`uvicorn app.main:create_app --host 0.0.0.0` does not tell the settings where it listens."""
    with guarded(tmp_path, host="127.0.0.1") as service:
        assert service.client.get("/jobs").status_code == 200
        elsewhere = TestClient(
            service.client.app, base_url="http://192.0.2.7", headers={"host": "localhost"}
        )
        assert elsewhere.get("/jobs").status_code == 401
        assert (
            elsewhere.get("/jobs", headers={"Authorization": f"Bearer {service.first}"}).status_code
            == 200
        )
        wrong: Any = {"Authorization": "Bearer im_wrong"}
        assert service.client.get("/jobs", headers=wrong).status_code == 401, (
            "a wrong key is not let in, even where none is needed"
        )
