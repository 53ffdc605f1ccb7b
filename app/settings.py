"""Settings of the service, from environment variables with the prefix INFRAMIND_: the only reader.

`python -m app.settings` prints docs/production/settings.md. A variable that nobody reads is an
error: a misspelt INFRAMIND_TRUSTED_HOSTS must not leave the service with its default.
"""

import difflib
import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from inframind.errors import ConfigError

PREFIX = "INFRAMIND_"
NO_JUDGE = "no judge model is configured: set INFRAMIND_JUDGE_URL and INFRAMIND_JUDGE_MODEL"
"""Whoever needs a judge model and finds that the settings have none says this."""
PAGE = "docs/production/settings.md"

EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on


class Settings(BaseSettings):
    """Everything that an operator may set. A field's name ends with its unit where it has one."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", use_attribute_docstrings=True
    )

    data_dir: Path = Path("inframind-data")
    """Database, artifacts and logs of the embedded service."""
    database_url: SecretStr = SecretStr("")
    """SQLAlchemy URL; empty: SQLite in `data_dir`."""
    artifacts_url: str = ""
    """Store that every host reaches, such as `s3://bucket/prefix` (fsspec); empty: `data_dir`."""
    redis_url: SecretStr = SecretStr("")
    """Redis, for waking Celery workers; empty: the embedded supervisor looks for itself."""

    host: str = "127.0.0.1"
    """Address that the api listens on. Beyond the loopback it needs an API key to start."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port that the api listens on."""
    trusted_hosts: str = ""
    """Host names by which clients call, with commas; the loopback and `host` always count."""
    trusted_proxies: str = ""
    """Addresses and networks of the proxies whose `X-Forwarded-For` is believed, with commas."""
    docs: bool | None = None
    """Whether /docs and /openapi.json are served to all; unset: only while no key is needed."""
    rate_limit: str = "1200/minute"
    """Requests of one key, in each api process."""
    failed_key_limit: str = "30/minute"
    """Requests without a valid key from one address, in each api process."""
    max_concurrent_requests: int = Field(default=64, ge=1)
    """Requests of one key that run at once, open streams included, in each api process."""
    verifier_workers: int = Field(default=2, ge=1, le=64)
    """Processes of the verifier in the api."""

    inference_url: str = "http://127.0.0.1:8001"
    """The inference server: vLLM, or the embedded one."""
    inference_base_model: str = "inframind-nano"
    """The base model that the inference server serves."""
    inference_timeout_seconds: float = Field(default=120.0, gt=0)
    """How long the inference server may take for an answer."""
    inference_queue: int = Field(default=128, ge=1)
    """Requests to the inference server in hand, open streams too; the next is refused with 429."""
    max_lora_rank: int = Field(default=256, ge=1)
    """vLLM's `--max-lora-rank`; larger adapters are refused. The embedded server takes all."""

    judge_url: str = ""
    """OpenAI-compatible server of the judge, such as http://127.0.0.1:8001/v1; empty: none."""
    judge_model: str = ""
    """Name of the judge model at `judge_url`."""
    judge_api_key: SecretStr = SecretStr("")
    """Key for `judge_url`."""
    judge_timeout_seconds: float = Field(default=60.0, gt=0)
    """How long the judge model may take for an answer."""
    judge_max_tokens: int = Field(default=1024, ge=64)
    """Tokens of a judge model's answer at most; one that thinks first needs more."""
    judge_concurrency: int = Field(default=8, ge=1)
    """Questions that the judge model gets at once; eight times as many may be in hand."""

    device: str = Field(default="", max_length=64)
    """Name of this worker's accelerator, which runs a job at a time; empty: host and GPU index."""
    poll_seconds: float = Field(default=0.5, gt=0)
    """How often the embedded supervisor looks for a job; the reconciler takes ten times as long."""
    lease_seconds: float = Field(default=20.0, gt=0)
    """A worker that is silent this long has lost its job."""
    grace_seconds: float = Field(default=60.0, gt=0)
    """How long a trainer may take to leave a checkpoint after it was asked to stop."""
    stall_seconds: float = Field(default=900.0, gt=0)
    """A trainer without a step for so long, and for ten of its usual steps, is tried again."""
    max_attempts: int = Field(default=3, ge=1)
    """Attempts that may fail by themselves; lost workers and drains do not count."""
    min_free_bytes: int = Field(default=200_000_000, ge=0)
    """No attempt starts with less free space than this, and room for three of its checkpoints."""
    keep_adapters_days: float | None = Field(default=None, gt=0)
    """Adapters older than this that nothing needs are pruned; unset: kept for ever."""
    max_running_per_owner: int | None = Field(default=None, ge=0)
    """Jobs of one owner that run at once, but for a quota of their own; unset: the devices."""
    max_queued_per_owner: int | None = Field(default=None, ge=0)
    """Jobs of one owner that wait at once, but for a quota of their own; unset: no limit."""

    log_format: Literal["text", "json"] = "text"
    """Form of the logs of api, worker and trainer."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG logs every reading request too."""

    @field_validator("rate_limit", "failed_key_limit")
    @classmethod
    def _is_a_rate(cls, text: str) -> str:
        """Refuse what the gate could not read. Raises ValueError."""
        from limits import parse

        parse(text)
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        """Refuse what names no address: uvicorn would compare it as text, and never match.

        Raises ValueError.
        """
        for name in _split(text):
            try:
                ipaddress.ip_network(name)
            except ValueError as error:
                raise ValueError(
                    f"addresses and networks are needed, such as 10.0.0.7,172.29.251.0/28: {error}"
                ) from None
        return text

    @property
    def url(self) -> str:
        """Gives the database's URL: the one that is set, or SQLite in the data folder."""
        return (
            self.database_url.get_secret_value()
            # Absolute: the processes of one service may be started in different folders.
            or f"sqlite:///{self.data_dir.absolute() / 'inframind.db'}"
        )

    @property
    def secrets(self) -> list[str]:
        """Gives every secret value, for whoever must not show one; of an URL its password too."""
        values = (getattr(self, name) for name in type(self).model_fields)
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        passwords = [urlsplit(text).password or "" for text in texts if "://" in text]
        return [text for text in (*texts, *passwords) if text]

    @property
    def local_url(self) -> str:
        """Gives the URL by which this machine's own processes reach the api."""
        # Who listens on every interface is called by none of these addresses.
        host = "127.0.0.1" if self.host in EVERY_INTERFACE else self.host
        return f"http://{host}:{self.port}"

    @property
    def exposed_by(self) -> str | None:
        """Names the setting by which others reach the service; None: it is this machine's own."""
        if not _is_loopback(self.host):
            return "host"
        if not self.url.startswith("sqlite"):
            return "database_url"
        # On the loopback too: the names and the proxies are there for those who call from outside.
        if not all(_is_loopback(name) for name in _split(self.trusted_hosts)):
            return "trusted_hosts"
        return "trusted_proxies" if _split(self.trusted_proxies) else None

    @property
    def is_open(self) -> bool:
        """True where no key is needed as long as none was made."""
        return self.exposed_by is None

    @property
    def has_judge(self) -> bool:
        """True where there is a judge model."""
        return bool(self.judge_url and self.judge_model)

    @property
    def shows_docs(self) -> bool:
        """True where /docs and /openapi.json are served."""
        return self.is_open if self.docs is None else self.docs

    @property
    def hosts(self) -> list[str]:
        """The names by which clients may call the service."""
        return ["localhost", "127.0.0.1", "[::1]", self.host, *_split(self.trusted_hosts)]

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks whose word on the client's address is believed."""
        return _split(self.trusted_proxies)

    @property
    def artifacts(self) -> Path:
        """Folder of adapters and checkpoints."""
        return self.data_dir.absolute() / "artifacts"


SECTIONS = {
    "Where things are": "data_dir",
    "The api": "host",
    "The inference server": "inference_url",
    "The judge model": "judge_url",
    "Jobs and workers": "device",
    "Logs": "log_format",
}
"""Section of the page -> its first field."""
OTHERS = {
    "The command line": {
        "URL": "Where the service is, for the commands that speak to one; `--url` goes first.",
        "API_KEY": "The key for a service that needs one.",
    },
    "The verifier's deep checks": {
        "TERRAFORM_PLUGINS": "Folder of terraform's providers.",
        "ACTIONLINT": "Folder of actionlint, if it is not on the PATH.",
        "CFN_LINT": "Environment of its own that has cfn-lint.",
        "CHECKOV": "Environment of its own that has checkov.",
        "ANSIBLE": "Environment of its own that has ansible-core.",
    },
}
"""Variables of other readers than the service's processes."""
INTERNAL = frozenset({"PARENT_PID"})
"""What a process tells its children."""
UNITS = {"seconds": "s", "bytes": "B", "days": "d", "limit": "requests/period"}
HEAD = (
    "# Settings",
    "",
    "Environment variables, read once when a process starts. A variable `INFRAMIND_...` that is",
    "not here stops the service and its commands with a suggestion: a misspelt limit is none.",
    "Made by `make settings` from `app/settings.py`.",
)


@lru_cache
def settings() -> Settings:
    """Read the settings of this process. Raises ConfigError that names each variable at fault."""
    # All faults at once: a service that is configured wrong is seldom so in one place.
    faults = list(unknown_variables(os.environ))
    try:
        loaded = Settings()
    except ValidationError as error:
        faults += [_fault(fault["loc"], fault["input"], fault["msg"]) for fault in error.errors()]
        raise ConfigError("; ".join(faults)) from None
    if faults:
        raise ConfigError("; ".join(faults))
    return loaded


def unknown_variables(environment: Iterable[str]) -> Iterator[str]:
    """Name each variable with our prefix that nobody reads, and the one that may be meant."""
    fields = [name.upper() for name in Settings.model_fields]
    names = {*fields, *INTERNAL, *(name for others in OTHERS.values() for name in others)}
    for variable in sorted(environment):
        prefix, _, name = variable.upper().partition(PREFIX)
        if prefix or PREFIX not in variable.upper() or name in names:
            continue
        likeliest = difflib.get_close_matches(name, sorted(names - INTERNAL), n=1)
        meant = f"did you mean {PREFIX}{likeliest[0]}?" if likeliest else f"see {PAGE}"
        yield f"there is no setting {variable}: {meant} Unset it or correct it"


def _fault(place: tuple[int | str, ...], value: object, reason: str) -> str:
    """Say what is wrong with a variable; a secret's value is not repeated."""
    name = str(place[0])
    field = Settings.model_fields[name]
    # Cut: a variable may hold a whole file by mistake.
    shown = "" if "Secret" in str(field.annotation) else f" is {str(value)[:80]!r}"
    return f"{PREFIX}{name.upper()}{shown}: {reason[0].lower()}{reason[1:]} ({PAGE})"


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761, 6.3: this name alone is the loopback's, whatever a resolver says of others.
        return host == "localhost"


def table() -> str:
    """Write every setting as docs/production/settings.md has it."""
    starts = {first: title for title, first in SECTIONS.items()}
    lines = [*HEAD]
    for name, field in Settings.model_fields.items():
        if name in starts:
            lines += _heading(starts[name], "| variable | default | unit | meaning |")
        default = field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = "" if default in (None, "") else f"`{default}`"
        unit = UNITS.get(name.rpartition("_")[2], "")
        meaning = (field.description or "").replace("\n", " ")
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {unit} | {meaning} |")
    for title, others in OTHERS.items():
        lines += _heading(title, "| variable | meaning |")
        lines += [f"| `{PREFIX}{name}` | {meaning} |" for name, meaning in others.items()]
    return "\n".join([*lines, ""])


def _heading(title: str, columns: str) -> list[str]:
    rule = "|".join("---" for _ in columns.split("|")[1:-1])
    return ["", f"## {title}", "", columns, f"|{rule}|"]


if __name__ == "__main__":
    sys.stdout.write(table())
