"""Settings of services, with the tables they need."""

from pathlib import Path
from typing import Any

from app.db.migrate import upgrade
from app.db.session import make_engine
from app.settings import Settings

NOBODY = "http://127.0.0.1:9"
"""The address of an inference server that is not there: no one listens on the discard port."""


def with_tables(folder: Path, **fields: Any) -> Settings:
    """Settings of a service whose data folder is `folder`, and whose database is migrated."""
    defaults = {
        "data_dir": folder,
        "inference_url": NOBODY,
        "verifier_workers": 1,
        "min_free_bytes": 0,
    }
    made = Settings.model_validate({**defaults, **fields})
    engine = make_engine(made.url)
    upgrade(engine)
    engine.dispose()
    return made
