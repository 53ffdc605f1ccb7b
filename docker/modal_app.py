"""The trainer on a GPU of Modal: `modal run docker/modal_app.py --spec job.json`.

The same job contract, database rows, supervisor, trainer process and adapters as everywhere else,
on one volume (docs/production/modal.md). Nothing here is another way to train: the function submits
the job at the front desk and runs what waits.
"""

import json
import os
from pathlib import Path
from typing import Any

import modal

ROOT = Path(__file__).parents[1]
DATA = "/data"
HOURS = 24
volume = modal.Volume.from_name("inframind-data", create_if_missing=True)
image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("gcc", "libc6-dev")
    .pip_install("torch==2.13.0", extra_options="--no-deps")
    .pip_install_from_requirements(
        str(ROOT / "docker" / "worker.lock"), extra_options="--no-deps --require-hashes"
    )
    .env({"INFRAMIND_DATA_DIR": DATA, "HF_HOME": f"{DATA}/weights", "INFRAMIND_LOG_FORMAT": "json"})
    .add_local_python_source("app", "inframind", "migrations", "workers")
)
app = modal.App("inframind", image=image)


# One container: SQLite on a volume has one writer. A lost container is started again, and finds the
# job and its checkpoints.
@app.function(gpu="A100", volumes={DATA: volume}, timeout=HOURS * 3600, max_containers=1, retries=3)
def train(spec: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """Runs one job to its end and gives it as `GET /jobs/{id}` does.

    A repeated `key` goes on with its job.
    """
    from app import logs
    from app.artifacts import Artifacts
    from app.db.migrate import upgrade
    from app.db.session import make_engine
    from app.jobs import service
    from app.jobs.service import JobService
    from app.jobs.spec import JobSpec
    from app.settings import settings
    from workers.supervisor import Supervisor

    configured = settings()
    logs.configure(configured.log_format, configured.log_level)
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(configured.url)
    upgrade(engine)
    job = JobService(engine, configured, Artifacts.of(configured)).submit(
        JobSpec.model_validate(spec), key
    )
    supervisor = Supervisor(engine, configured, "modal")
    while service.get(engine, job.id).finished_at is None:
        supervisor.run_waiting()
        supervisor.pause()
    supervisor.sign_off()
    ended = service.get(engine, job.id).model_dump(mode="json")
    engine.dispose()
    keep()
    return ended


@app.function(volumes={DATA: volume}, timeout=3600)
def download(model: str) -> None:
    """Fetches a base model's weights: the trainer itself is offline."""
    from huggingface_hub import snapshot_download

    snapshot_download(
        model, allow_patterns=["*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer*"]
    )
    keep()


def keep() -> None:
    """Makes what was written to the volume last; a local run has no volume."""
    if not modal.is_local():
        volume.commit()


@app.local_entrypoint()
def main(spec: str, key: str = "") -> None:
    """Sends the job of a file, as `POST /jobs` takes it, and shows how it ended."""
    ended = train.remote(json.loads(Path(spec).read_text()), key or None)
    print(json.dumps(ended, indent=1))  # noqa: T201 - a command's answer
    if ended["adapters"]:
        print(f"modal volume get inframind-data artifacts/{ended['id']} .{os.sep}")  # noqa: T201
