"""The worker of the production service, one per device: `python -m workers.celery_app`.

A message wakes it up; then it claims the best job that waits, by the code of the embedded supervisor. SIGTERM drains: the trainer
leaves a checkpoint, the job goes back to the queue, the process ends. Threads, for the pool's thread that starts a trainer also
waits for it; never send SIGQUIT.
"""

import logging
import threading

from celery.signals import setup_logging, worker_ready, worker_shutdown, worker_shutting_down

from app import logs
from app.db.session import make_engine
from app.jobs.wake_ups import QUEUE, TASK, make_celery
from app.settings import settings
from inframind.errors import ConfigError
from workers.supervisor import BEAT_SECONDS, Supervisor, device_name

log = logging.getLogger(__name__)
ARGUMENTS = (
    "worker", "--pool", "threads", "--concurrency", "1", "--queues", QUEUE,
    "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
)  # fmt: skip

given = settings()
if not given.redis_url.get_secret_value():
    raise ConfigError(
        "INFRAMIND_REDIS_URL is not set: the worker is woken through Redis", param="redis_url"
    )
app = make_celery(given.redis_url.get_secret_value())
supervisor = Supervisor(make_engine(given.url), given, device_name(given))
ended = threading.Event()


@app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def wake(job_id: str) -> None:
    """Runs what waits. The message's job may long be done; that it came is all that counts."""
    log.info("woken for job %s", job_id[:64])
    supervisor.run_waiting()


@setup_logging.connect  # type: ignore[untyped-decorator]
def log_as_the_others(**_: object) -> None:
    """Celery leaves the logs alone then."""
    logs.configure(given.log_format, given.log_level)


@worker_ready.connect  # type: ignore[untyped-decorator]
def begin(**_: object) -> None:
    """Signs of life also between jobs."""
    threading.Thread(target=_live, daemon=True).start()


def _live() -> None:
    while not ended.wait(BEAT_SECONDS / 4):
        supervisor.attending()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def drain(**_: object) -> None:
    """No new job, and the present one goes back to the queue."""
    supervisor.drain()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def leave(**_: object) -> None:
    """The worker is gone."""
    ended.set()
    supervisor.leave()


if __name__ == "__main__":
    app.worker_main(ARGUMENTS)
