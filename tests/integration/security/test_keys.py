"""Keys over HTTP: who gets in, what they see, and that no route forgets to ask."""

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app import keys
from app.db.migrate import upgrade
from app.db.session import make_engine, writing
from app.main import create_app
from app.settings import Settings
from app.web.gate import OPEN_PATHS
from inframind.errors import ConfigError
from tests.support.guarded import ADAPTER, DAPO, ROWS, Guarded, guarded, own_everything, prepared
from tests.support.http import in_process
from tests.support.waiting import until

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


def pass_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets everything be forgotten that was read of keys, as a pause does."""
    before = keys.time.monotonic
    later = SimpleNamespace(monotonic=lambda: before() + 1.1 * keys.REMEMBERED_SECONDS)
    monkeypatch.setattr(keys, "time", later)


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
    pass_memory(monkeypatch)
    assert service.call(key, "GET", "/jobs").status_code == 401


def test_use_is_noted(service: Guarded) -> None:
    key = keys.create(service.engine, ["train"])
    # A second each way: the database's clock is rounded.
    before = time.time() - 1
    service.call(key, "GET", "/jobs")

    def last_used() -> float | None:
        rows = keys.every(service.engine)
        return next(row.last_used_at for row in rows if row.id == key.split("_")[1])

    until(lambda: last_used() is not None)
    assert before <= (last_used() or 0.0) <= time.time() + 1


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


def test_limits_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded(tmp_path, rate_limit="5/hour", failed_key_limit="3/hour") as service:
        answers = [service.call(service.first, "GET", "/jobs") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3601
        assert service.call(service.second, "GET", "/jobs").status_code == 200, (
            "another key has its own"
        )
        wrong = [f"im_{'0' * 16}_{'A' * 43}", "im_x", None, f"{service.second[:-2]}AA", "none"]
        tried = [service.call(key, "GET", "/jobs").status_code for key in wrong]
        assert tried == [401] * 3 + [429] * 2
        pass_memory(monkeypatch)
        for key in (service.second, service.admin, keys.create(service.engine, ["train"])):
            assert service.call(key, "GET", "/jobs").status_code == 200, (
                "guessing shuts no right key out"
            )


def test_no_right_key_waits_for_a_writer(tmp_path: Path) -> None:
    """A key's use is written down beside the request: a full disk or a busy one refuses nobody."""
    with guarded(tmp_path) as service:
        with writing(service.engine) as session:
            session.connection()  # SQLite has one writer, from the transaction's begin on
            assert service.call(service.first, "GET", "/models").status_code == 200
            unused = [key.last_used_at for key in keys.every(service.engine)]
            assert unused == [None] * 3
        until(lambda: any(key.last_used_at for key in keys.every(service.engine)))


def test_guesses_share_one_read_of_the_database(tmp_path: Path) -> None:
    configured, (right, *_) = prepared(tmp_path)
    engine = make_engine(configured.url)
    reads: list[object] = []
    event.listen(engine, "begin", reads.append)
    guesses = [f"im_{number:016x}_{'A' * 43}" for number in range(2_000)]

    async def ask() -> list[keys.Caller | None]:
        keyring = keys.Keyring(engine)
        answers = await asyncio.gather(*map(keyring.find, [*guesses, right]))
        keyring.close()
        return answers

    *refused, caller = asyncio.run(ask())
    assert not any(refused) and caller is not None
    # One for whoever came first, one for those who came meanwhile, one that notes the use.
    assert len(reads) <= 3
    engine.dispose()


def test_a_database_that_is_away_is_told_to_all_who_wait(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}")
    keyring = keys.Keyring(engine)

    async def ask() -> list[Any]:
        asked = [keyring.find(f"im_{number:016x}_{'A' * 43}") for number in range(9)]
        return await asyncio.gather(*asked, return_exceptions=True)

    assert {type(answer) for answer in asyncio.run(ask())} == {OperationalError}
    keyring.close()
    engine.dispose()


GUESSES = 12


@pytest.mark.parametrize(
    ("proxies", "refused"), [("", 429), ("10.9.9.9", 429), ("127.0.0.1,192.0.2.0/28", 401)]
)
def test_a_forwarded_address_is_believed_from_the_proxies_that_the_settings_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, proxies: str, refused: int
) -> None:
    caplog.set_level(logging.INFO)
    with guarded(tmp_path, failed_key_limit="3/hour", trusted_proxies=proxies) as service:
        proxy = in_process(service.app, client=("192.0.2.7", 50_000))
        for number in range(GUESSES):
            headers = {"X-Forwarded-For": f"198.51.100.1, 203.0.113.{number}, 127.0.0.1"}
            status = proxy.get("/jobs", headers=headers).status_code
        assert status == refused, "who says what it likes gets no limit of its own each time"
        told = [vars(record)["client"] for record in caplog.records if record.msg == "request"]
        assert len(set(told)) == (GUESSES if refused == 401 else 1)
        assert told[-1] == ("203.0.113.11" if refused == 401 else "192.0.2.7")
        again = [proxy.get("/jobs", headers=headers).status_code for _ in range(3)]
        assert again[-1] == 429, "an address that guesses on is limited, whoever tells it"


def test_an_address_of_ipv6_is_a_subscribers_network(tmp_path: Path) -> None:
    with guarded(tmp_path, failed_key_limit="3/hour") as service:
        tried = [
            in_process(service.app, client=(f"2001:db8::{number}", 1)).get("/jobs").status_code
            for number in range(4)
        ]
        assert tried == [401] * 3 + [429]
        other = in_process(service.app, client=("2001:db8:0:1::1", 1))
        assert other.get("/jobs").status_code == 401


@pytest.mark.parametrize("proxies", ["*", "proxy", "10.0.0.1/8", "10.0.0.1;10.0.0.2"])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    with pytest.raises(ValueError, match="addresses and networks"):
        Settings(trusted_proxies=proxies)


@pytest.mark.parametrize(
    ("fields", "exposed_by"),
    [
        ({"host": "127.0.0.1"}, None),
        ({"host": "::1"}, None),
        ({"host": "localhost", "trusted_hosts": "localhost, 127.0.0.1"}, None),
        ({"host": "0.0.0.0"}, "host"),
        ({"host": "10.0.0.1"}, "host"),
        ({"database_url": "postgresql+psycopg://u:p@h/d"}, "database_url"),
        ({"trusted_hosts": "inframind.example.com"}, "trusted_hosts"),
        ({"trusted_hosts": "*"}, "trusted_hosts"),
        ({"trusted_proxies": "127.0.0.1"}, "trusted_proxies"),
    ],
)
def test_open_on_loopback_alone(
    tmp_path: Path, fields: dict[str, Any], exposed_by: str | None
) -> None:
    configured = Settings(data_dir=tmp_path, **fields)
    assert (configured.exposed_by, configured.is_open) == (exposed_by, exposed_by is None)
    engine = make_engine(Settings(data_dir=tmp_path).url)
    upgrade(engine)
    if exposed_by:
        with pytest.raises(ConfigError, match="inframind keys create") as refusal:
            keys.check_start(engine, configured)
        assert refusal.value.param == exposed_by
    keys.create(engine, ["train"])
    keys.check_start(engine, configured)
    engine.dispose()


OPEN_FOR_ITS_OWN = {"headers": {"Authorization": "Bearer none"}}
"""OpenAI's clients always send a key."""
FORWARDED = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "inframind.example.com"),
    ("Forwarded", "for=203.0.113.9"),
    ("Via", "1.1 proxy"),
    ("X-Real-IP", "203.0.113.9"),
    ("CF-Connecting-IP", "203.0.113.9"),
]


def test_a_service_without_keys_is_its_own_machines(settings: Settings, client: TestClient) -> None:
    """`uvicorn app.main:create_app --host 0.0.0.0` does not tell the settings where it listens."""
    assert client.get("/jobs").status_code == 200
    assert client.get("/jobs", **OPEN_FOR_ITS_OWN).status_code == 200  # type: ignore[arg-type]
    application: Any = client.app
    for server in ("http://192.0.2.7", "http://localhost"):
        elsewhere = in_process(application, base_url=server, headers={"host": "localhost"})
        assert elsewhere.get("/jobs").status_code == 401, "by no address of the loopback"
    wrong: Any = {"Authorization": "Bearer im_wrong"}
    assert client.get("/jobs", headers=wrong).status_code == 401, (
        "a wrong key is not let in, even where none is needed"
    )


@pytest.mark.parametrize(("name", "value"), FORWARDED)
def test_a_proxy_in_front_closes_a_service_without_keys(
    client: TestClient, name: str, value: str
) -> None:
    for method, path in (
        ("GET", "/jobs"),
        ("POST", "/jobs"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
    ):
        answer = client.request(method, path, headers={name: value})
        assert answer.status_code == 401 and name.lower() in answer.json()["error"]["message"]
        assert client.request(method, path).status_code != 401
    assert client.get("/healthz", headers={name: value}).status_code == 200


def test_the_first_key_closes_the_service_for_good(
    settings: Settings, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/jobs").status_code == client.get("/docs").status_code == 200
    engine = make_engine(settings.url)
    key = keys.create(engine, ["train"])
    pass_memory(monkeypatch)
    refused = client.get("/jobs", **OPEN_FOR_ITS_OWN)  # type: ignore[arg-type]
    assert refused.status_code == 401 and "keys were made" in refused.json()["error"]["message"]
    assert client.get("/docs").status_code == 401
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/jobs", headers=headers).status_code == 200
    keys.revoke(engine, key.split("_")[1])
    pass_memory(monkeypatch)
    assert client.get("/jobs").status_code == client.get("/jobs", headers=headers).status_code
    assert client.get("/jobs").status_code == 401, "the end of the last key opens nothing"
    engine.dispose()
