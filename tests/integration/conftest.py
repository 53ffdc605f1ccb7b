"""Services, inference servers of both kinds, adapters for them, databases of both dialects, Redis.

Every fixture that more than one file uses is here, and none of these names means anything else
further down.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.db.migrate import upgrade
from app.db.session import make_engine
from app.main import create_app
from app.settings import Settings
from inframind.generation.engine import Engine as InferenceEngine
from tests.support.http import in_process
from tests.support.inference_servers import BASE, Generations, Vllm, embedded, one_thread
from tests.support.object_store import ObjectStore, object_store
from tests.support.running import Running, approving
from tests.support.scripted_judge import scripted
from tests.support.servers import Postgres, Redis
from tests.support.services import with_tables


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a service with an empty database and no inference server."""
    return with_tables(tmp_path)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of that service, in this process."""
    with in_process(create_app(settings), raise_server_exceptions=False) as connected:
        yield connected


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The session's `inframind up`: api, inference server, supervisor, and a judge that
    approves."""
    with scripted(approving) as judge:
        made = Running(tmp_path_factory.mktemp("up"), judge)
        yield made
        made.close()


@pytest.fixture(scope="session")
def adapters(
    tmp_path_factory: pytest.TempPathFactory, make_adapter: Callable[..., Path]
) -> dict[str, Path]:
    """Two published adapters that change answers."""
    folder = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(folder, name, seed) for seed, name in enumerate(("im-a", "im-b"), 1)}


@pytest.fixture(scope="session")
def inference_engine() -> InferenceEngine:
    """The engine of the embedded server."""
    one_thread()
    return InferenceEngine(BASE, "cpu")


@pytest.fixture
def generations(inference_engine: InferenceEngine, monkeypatch: pytest.MonkeyPatch) -> Generations:
    """The count of the embedded server's generations."""
    made = Generations(inference_engine)
    monkeypatch.setattr(inference_engine, "generate_each", made.generate_each)
    return made


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    """The session's vLLM."""
    server = Vllm(tmp_path_factory.mktemp("vllm"))
    yield server
    server.kill()


@pytest.fixture(scope="session", params=["embedded", "vllm"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An inference server of each kind."""
    if request.param == "vllm":
        yield request.getfixturevalue("vllm").url
        return
    with embedded(request.getfixturevalue("inference_engine")) as found:
        yield found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this session's own."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis server of this session's own."""
    server = Redis()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, migrated database of each dialect."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").new_database())
    made = f"sqlite:///{tmp_path / 'inframind.db'}"
    engine = make_engine(made)
    upgrade(engine)
    engine.dispose()
    return made


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of a new, migrated database of each dialect."""
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def store_server() -> Iterator[ObjectStore]:
    """A server of S3's protocol, which this process's clients reach by the environment."""
    with object_store() as running:
        yield running
