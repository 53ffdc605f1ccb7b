"""Settings of the service, from environment variables with the prefix INFRAMIND_. Their only reader."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that may be set."""

    model_config = SettingsConfigDict(env_prefix="INFRAMIND_", extra="ignore")

    data_dir: Path = Path("inframind-data")
    """Database, artifacts and logs of the embedded service."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in `data_dir`."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    inference_url: str = "http://127.0.0.1:8001"
    inference_base_model: str = "inframind-nano"
    """The base model that the inference server serves."""
    inference_timeout_seconds: float = 120.0
    verifier_workers: int = Field(default=2, ge=1, le=64)
    max_body_bytes: int = 1_000_000
    max_dataset_bytes: int = 50_000_000
    """Largest body of `POST /datasets`."""
    lease_seconds: float = Field(default=20.0, gt=0)
    """A worker that is silent this long has lost its job."""
    poll_seconds: float = Field(default=0.5, gt=0)
    grace_seconds: float = Field(default=60.0, gt=0)
    """How long a trainer may take to leave a checkpoint after it was asked to stop."""
    max_attempts: int = Field(default=3, ge=1)
    pipeline: str = "inframind.pipeline:run_pipeline"
    """What the trainer runs; tests put a stand-in here."""

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'inframind.db'}"

    @property
    def artifacts(self) -> Path:
        """Folder of adapters and checkpoints."""
        return self.data_dir.absolute() / "artifacts"


@lru_cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
