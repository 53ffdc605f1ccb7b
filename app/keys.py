"""API keys: `im_<id>_<secret>`.

The database has the id and the secret's SHA-256: 256 random bits need no slow hash.
"""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import database_now, reading, writing
from app.db.tables import ApiKey
from app.errors import InvalidError, NotFoundError
from app.settings import PREFIX, Settings
from inframind.errors import ConfigError

log = logging.getLogger("inframind.keys")
SCOPES = {
    "train": "jobs and datasets",
    "generate": "generation, verifier and judge",
    "monitor": "/metrics",
    "admin": "everything, others' jobs, datasets and models included",
}
KEY_PREFIX = "im_"
TOKEN = re.compile(r"im_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REMEMBERED_SECONDS = 1.0
"""How long a process goes on with what it read of a key: a revoked one ends within this time."""
LAST_USED_SECONDS = 60.0
IDS_OF_A_READ = 500
"""SQLite takes 32,766 variables in a statement (sqlite.org/limits.html)."""
# Compared where no key has the id: a wrong id takes the same work as a wrong secret.
NO_SUCH_KEY = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True)
class Caller:
    """Key or open door behind a request, with its scopes."""

    key_id: str
    owner: str | None
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Tells whether the key has the scope."""
        return scope in self.scopes or "admin" in self.scopes


ANYONE = Caller("none", None, frozenset({"admin"}))
"""The caller of a service that is open: one person's own machine."""


def digest(secret: str) -> str:
    """Gives the digest that is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    engine: Engine, scopes: Collection[str], name: str | None = None, owner: str | None = None
) -> str:
    """Stores a new key and gives its text, which exists nowhere else. Raises InvalidError.

    Keys with the same `owner` see the same jobs, datasets and models, so that a key can be
    replaced; None: the key's own id.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidError(
            f"unknown scope {', '.join(unknown) or 'none'}; known: {', '.join(SCOPES)}",
            param="scope",
        )
    if owner is not None and not OWNER.fullmatch(owner):
        raise InvalidError(
            "an owner is up to 64 letters, digits, dots, dashes and underscores", param="owner"
        )
    identity, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with writing(engine) as session:
        session.add(
            ApiKey(
                id=identity,
                name=name,
                owner=owner or identity,
                scopes=sorted(scopes),
                sha256=digest(secret),
                created_at=database_now(session),
            )
        )
    return f"im_{identity}_{secret}"


def every(engine: Engine) -> list[ApiKey]:
    """All keys, newest first."""
    with reading(engine) as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)))


def revoke(engine: Engine, identity: str) -> None:
    """Ends a key for good. Raises NotFoundError."""
    with writing(engine) as session:
        key = session.get(ApiKey, identity)
        if key is None:
            raise NotFoundError(
                f"there is no key {identity[:64]!r}; `inframind keys list` shows those that exist",
                param="id",
            )
        key.revoked_at = key.revoked_at or database_now(session)


def check_start(engine: Engine, settings: Settings) -> None:
    """Raises ConfigError if the service would be reachable for others and no key exists."""
    if (setting := settings.exposed_by) is None:
        return
    with reading(engine) as session:
        if not session.scalar(
            select(func.count()).select_from(ApiKey).where(ApiKey.revoked_at.is_(None))
        ):
            raise ConfigError(
                f"{PREFIX}{setting.upper()} makes the service reachable for others, and there is"
                " no API key: make one with `inframind keys create --scope admin`",
                param=setting,
            )


@dataclass
class Batch:
    """Ids that one read of the database answers together, and what it found."""

    ids: set[str] = field(default_factory=set)
    rows: dict[str, ApiKey] | None = None
    now: float = 0.0
    any_key: bool = False
    error: SQLAlchemyError | None = None


class Keyring:
    """Checks tokens; remembers what it read of a key for a second.

    Whoever guesses costs the database one read at a time, however many guess at once, and takes
    no thread that requests work on: that is why a right key needs no limit before it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._remembered: dict[str, tuple[float, ApiKey]] = {}
        self._any_key, self._none_until = False, 0.0
        self._next, self._turn = Batch(), asyncio.Lock()
        self._reader = ThreadPoolExecutor(1, "keys")
        # Apart: on SQLite a note may wait ten seconds for another writer (busy_timeout).
        self._notes = ThreadPoolExecutor(1, "key-notes")
        self._noting: set[str] = set()

    def close(self) -> None:
        """Ends the threads after what they have in hand."""
        self._reader.shutdown()
        self._notes.shutdown()

    async def find(self, token: str) -> Caller | None:
        """Gives the caller; None for every token that is not right, whatever is wrong with it."""
        if (parts := TOKEN.fullmatch(token)) is None:
            return None
        identity, secret = parts.groups()
        until, key = self._remembered.get(identity, (0.0, None))
        if time.monotonic() >= until:
            key = await self._read(identity)
        # In constant time, or the first byte that differs could be found by its time.
        right = hmac.compare_digest(digest(secret), key.sha256 if key else NO_SUCH_KEY)
        if key is None or not right:
            return None
        return Caller(key.id, key.owner, frozenset(key.scopes))

    async def is_empty(self) -> bool:
        """Tells whether no key was ever made; one that is made now is seen within a second."""
        if not self._any_key and time.monotonic() >= self._none_until:
            self._see(await self._batch(None))
        return not self._any_key

    async def _read(self, identity: str) -> ApiKey | None:
        """Gives a key that is not revoked, and notes that it is used."""
        batch = await self._batch(identity)
        self._see(batch)
        key = (batch.rows or {}).get(identity)
        if key is None or key.revoked_at is not None:
            self._remembered.pop(identity, None)
            return None
        self._remembered[identity] = (time.monotonic() + REMEMBERED_SECONDS, key)
        if batch.now - (key.last_used_at or 0.0) > LAST_USED_SECONDS:
            self._note(identity)
        return key

    async def _batch(self, identity: str | None) -> Batch:
        """Waits for a read that begins after this call, with all who wait for the same one.

        Raises what the database raises.
        """
        batch = self._next
        if identity is not None:
            batch.ids.add(identity)
        async with self._turn:
            if batch.rows is None and batch.error is None:
                if batch is self._next:
                    self._next = Batch()
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._reader, self._fill, batch)
        if batch.error is not None:
            raise batch.error
        return batch

    def _fill(self, batch: Batch) -> None:
        ids, rows = sorted(batch.ids), {}
        try:
            with reading(self._engine) as session:
                for start in range(0, len(ids), IDS_OF_A_READ):
                    some = ids[start : start + IDS_OF_A_READ]
                    query = select(ApiKey).where(ApiKey.id.in_(some))
                    rows.update({key.id: key for key in session.scalars(query)})
                # Revoked ones count: the end of the last key must not open the service to all.
                batch.any_key = session.scalar(select(ApiKey.id).limit(1)) is not None
                batch.now = database_now(session)
            batch.rows = rows
        except SQLAlchemyError as error:
            # Each of those who wait has to hear of it, and not only the first.
            batch.error = error

    def _see(self, batch: Batch) -> None:
        self._any_key = self._any_key or batch.any_key
        self._none_until = time.monotonic() + REMEMBERED_SECONDS

    def _note(self, identity: str) -> None:
        """Writes the time of use down, later: a full disk or a busy writer refuses no key."""
        if identity not in self._noting:
            self._noting.add(identity)
            self._notes.submit(self._write_use, identity)

    def _write_use(self, identity: str) -> None:
        try:
            with writing(self._engine) as session:
                session.get_one(ApiKey, identity).last_used_at = database_now(session)
        except SQLAlchemyError as error:
            log.warning("the use of key %s is not noted: %s", identity, type(error).__name__)
        finally:
            self._noting.discard(identity)
