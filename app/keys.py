"""API keys: `im_<id>_<secret>`.

The database has the id and the secret's SHA-256: 256 random bits need no slow hash.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from app.db.session import database_now, reading, writing
from app.db.tables import ApiKey
from app.errors import InvalidError, NotFoundError
from app.settings import Settings
from inframind.errors import ConfigError

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
    if settings.is_open:
        return
    with reading(engine) as session:
        if not session.scalar(
            select(func.count()).select_from(ApiKey).where(ApiKey.revoked_at.is_(None))
        ):
            raise ConfigError(
                f"{settings.host} is reachable for others, and there is no API key:"
                " make one with `inframind keys create`",
                param="host",
            )


class Keyring:
    """Checks tokens; remembers what it read of a key for a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._remembered: dict[str, tuple[float, str, Caller]] = {}

    def remembered(self, token: str) -> Caller | None:
        """The caller, if the key was read a moment ago: no database, no waiting."""
        parts = TOKEN.fullmatch(token)
        entry = self._remembered.get(parts[1]) if parts else None
        if parts is None or entry is None:
            return None
        until, stored, caller = entry
        return (
            caller
            if hmac.compare_digest(digest(parts[2]), stored) and time.monotonic() < until
            else None
        )

    def find(self, token: str) -> Caller | None:
        """The caller.

        None for every token that is not right, whatever is wrong with it, after the same work.
        """
        parts = TOKEN.fullmatch(token)
        identity, secret = parts.groups() if parts else ("", "")
        with reading(self._engine) as session:
            key = session.get(ApiKey, identity)
            now = database_now(session)
        right = hmac.compare_digest(digest(secret), key.sha256 if key else NO_SUCH_KEY)
        if key is None or not right or key.revoked_at is not None:
            self._remembered.pop(identity, None)
            return None
        if now - (key.last_used_at or 0.0) > LAST_USED_SECONDS:
            with writing(self._engine) as session:
                session.get_one(ApiKey, identity).last_used_at = now
        caller = Caller(key.id, key.owner, frozenset(key.scopes))
        self._remembered[identity] = (time.monotonic() + REMEMBERED_SECONDS, key.sha256, caller)
        return caller
