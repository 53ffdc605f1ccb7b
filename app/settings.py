"""Settings of the service, from environment variables with the prefix INFRAMIND_. Their only reader."""

import ipaddress
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from inframind.stages.config import LORA_TARGETS

NO_JUDGE = "no judge model is configured: set INFRAMIND_JUDGE_URL and INFRAMIND_JUDGE_MODEL"
"""Whoever needs a judge model and finds that the settings have none says this."""
HEAD = (
    "# Settings",
    "",
    "Environment variables, read once when a process starts. Made by `make settings` from `app/settings.py`.",
    "",
)


class Settings(BaseSettings):
    """Everything that may be set."""

    model_config = SettingsConfigDict(
        env_prefix="INFRAMIND_", extra="ignore", use_attribute_docstrings=True
    )

    data_dir: Path = Path("inframind-data")
    """Database, artifacts and logs of the embedded service."""
    database_url: SecretStr = SecretStr("")
    """SQLAlchemy URL; empty: SQLite in `data_dir`."""
    artifacts_url: str = ""
    """Store that every host reaches, as fsspec writes it (`s3://bucket/prefix`); empty: the folder in `data_dir` alone."""
    redis_url: SecretStr = SecretStr("")
    """Redis, for waking Celery workers; empty: the embedded supervisor looks for itself."""
    device: str = Field(default="", max_length=64)
    """Name of this worker's accelerator in the database, where one job at a time runs; empty: host and CUDA_VISIBLE_DEVICES."""
    reconcile_seconds: float = Field(default=5.0, gt=0)
    """How often the reconciler looks for jobs without a worker."""
    host: str = "127.0.0.1"
    """Address that the api listens on. Beyond the loopback it needs an API key to start."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port that the api listens on."""
    trusted_hosts: str = ""
    """Host names of the service, separated by commas, as clients write them; the loopback's names and `host` always count."""
    docs: bool | None = None
    """Whether /docs and /openapi.json are served; unset: only while no key is needed."""
    rate_limit: str = "1200/minute"
    """Requests of one key, per api process."""
    failed_key_limit: str = "30/minute"
    """Requests without a valid key from one address, per api process."""
    max_concurrent_requests: int = Field(default=64, ge=1)
    """Requests of one key that run at once, open streams included, per api process."""
    inference_url: str = "http://127.0.0.1:8001"
    """URL of the inference server: vLLM, or the embedded one."""
    inference_base_model: str = "inframind-nano"
    """The base model that the inference server serves."""
    inference_timeout_seconds: float = 120.0
    """How long the inference server may take for an answer."""
    inference_queue: int = Field(default=128, ge=1)
    """Requests to the inference server in hand, open streams included; the next one is refused with 429."""
    adapter_tolerance: float = Field(default=0.25, gt=0)
    """Nats by which a loaded adapter's log-probabilities may differ from PEFT's: a server that rounds to bfloat16 is within 0.1."""
    max_lora_rank: int = Field(default=256, ge=1)
    """The inference server's `--max-lora-rank`: a job for a larger adapter is refused. The embedded server takes every rank."""
    lora_targets: frozenset[str] = frozenset(LORA_TARGETS)
    """Modules that an adapter may change, as the inference server serves them."""
    judge_url: str = ""
    """Base URL of an OpenAI-compatible server for the judge model, such as http://127.0.0.1:8001/v1; empty: no judge model."""
    judge_model: str = ""
    """Name of the judge model at `judge_url`."""
    judge_api_key: SecretStr = SecretStr("")
    """Key for `judge_url`."""
    judge_timeout_seconds: float = Field(default=60.0, gt=0)
    """How long the judge model may take for an answer."""
    judge_max_tokens: int = Field(default=1024, ge=64)
    """Most tokens of a judge model's answer."""
    judge_concurrency: int = Field(default=8, ge=1)
    """Questions that the judge model gets at once."""
    judge_queue: int = Field(default=64, ge=1)
    """Requests to the judge model in hand; the next one is refused with 429."""
    verifier_workers: int = Field(default=2, ge=1, le=64)
    """Processes of the verifier in the api."""
    max_body_bytes: int = 1_000_000
    """Largest body of every other route."""
    max_json_depth: int = Field(default=64, ge=8)
    """Lists and objects within one another in a body."""
    body_timeout_seconds: float = Field(default=30.0, gt=0)
    """How long a client may take to send the next piece of a body."""
    max_dataset_bytes: int = 50_000_000
    """Largest body of `POST /datasets`."""
    lease_seconds: float = Field(default=20.0, gt=0)
    """A worker that is silent this long has lost its job."""
    poll_seconds: float = Field(default=0.5, gt=0)
    """How often the embedded supervisor looks for a job."""
    grace_seconds: float = Field(default=60.0, gt=0)
    """How long a trainer may take to leave a checkpoint after it was asked to stop."""
    log_format: Literal["text", "json"] = "text"
    """Form of the logs of api, worker and trainer."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG logs every reading request too."""
    max_attempts: int = Field(default=3, ge=1)
    """Attempts that may fail by themselves; lost workers and drains do not count."""
    min_free_bytes: int = Field(default=200_000_000, ge=0)
    """An attempt does not start with less free space than this, and room for three of its checkpoints."""
    keep_adapters_days: float | None = Field(default=None, gt=0)
    """Adapters older than this that nothing needs are pruned; None: kept for ever."""
    prune_seconds: float = Field(default=3600.0, gt=0)
    """How often the reconciler prunes."""
    max_running_per_owner: int | None = Field(default=None, ge=0)
    """Jobs of one owner that run at once, unless they have a quota of their own; None: as many as there are devices."""
    max_queued_per_owner: int | None = Field(default=None, ge=0)
    """Jobs of one owner that wait at once, unless they have a quota of their own; None: no limit."""
    stall_seconds: float = Field(default=900.0, gt=0)
    """A trainer without a step for so long, and for ten of its usual steps, is stopped and tried again."""

    @property
    def url(self) -> str:
        """The database's URL."""
        return (
            self.database_url.get_secret_value()
            or f"sqlite:///{self.data_dir.absolute() / 'inframind.db'}"
        )

    @property
    def is_open(self) -> bool:
        """Whether no key is needed: one person's own machine, on its loopback, with the embedded database."""
        return _is_loopback(self.host) and self.url.startswith("sqlite")

    @property
    def has_judge(self) -> bool:
        """Whether there is a judge model."""
        return bool(self.judge_url and self.judge_model)

    @property
    def shows_docs(self) -> bool:
        """Whether /docs and /openapi.json are served."""
        return self.is_open if self.docs is None else self.docs

    @property
    def hosts(self) -> list[str]:
        """The names by which clients may call the service."""
        named = [name.strip() for name in self.trusted_hosts.split(",") if name.strip()]
        return ["localhost", "127.0.0.1", "[::1]", self.host, *named]

    @property
    def artifacts(self) -> Path:
        """Folder of adapters and checkpoints."""
        return self.data_dir.absolute() / "artifacts"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def table() -> str:
    """Every setting as docs/production/settings.md has it."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = (
            field.default.get_secret_value()
            if isinstance(field.default, SecretStr)
            else field.default
        )
        shown = (
            ", ".join(sorted(default))
            if isinstance(default, frozenset)
            else ""
            if default is None
            else default
        )
        meaning = (field.description or "").replace("\n", " ")
        rows.append(
            f"| `INFRAMIND_{name.upper()}` | {f'`{shown}`' if shown != '' else ''} | {meaning} |"
        )
    return "\n".join([*HEAD, *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(table())
