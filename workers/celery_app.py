"""The worker of the production service, one per device: `python -m workers.celery_app`.

A message wakes it up; then it claims the best job that waits, by the code of the embedded
supervisor. SIGTERM drains: the trainer leaves a checkpoint, the job goes back to the queue, the
process ends. It works in threads, for the thread that starts a trainer also waits for it; never
send SIGQUIT.
"""

import logging
import sys
import threading

from celery import Celery
from celery.signals import setup_logging, worker_ready, worker_shutdown, worker_shutting_down

from app import logs
from app.cli.errors import run_process
from app.db.session import make_engine
from app.jobs.wake_ups import QUEUE, TASK, make_celery
from app.settings import Settings, settings
from inframind.errors import ConfigError
from workers.supervisor import BEAT_SECONDS, Supervisor, device_name
from workers.trainer_process import TRAINER

log = logging.getLogger(__name__)
ARGUMENTS = (
    "worker",
    # `solo` cannot acknowledge while it works; `prefork` forks, which CUDA does not survive.
    *("--pool", "threads", "--concurrency", "1", "--queues", QUEUE),
    # Workers need not hear of one another: the database says who is alive and who has which job.
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
)


def make_worker(configured: Settings, trainer: str = TRAINER) -> Celery:
    """Makes the application whose worker runs jobs. Raises ConfigError without Redis.

    `trainer` is the module that runs a job's stages, in a process of its own.
    """
    redis_url = configured.redis_url.get_secret_value()
    if not redis_url:
        raise ConfigError(
            "INFRAMIND_REDIS_URL is not set: the worker is woken through Redis", param="redis_url"
        )
    app = make_celery(redis_url)
    engine = make_engine(configured.url)
    supervisor = Supervisor(engine, configured, device_name(configured), trainer)
    ended = threading.Event()

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def wake(job_id: str) -> None:
        """Runs what waits. The message's job may long be done; that it came is all that counts."""
        log.info("woken for job %s", job_id[:64])
        supervisor.run_waiting()

    def configure_logs(**_: object) -> None:
        # Celery leaves the logs alone once this signal has a receiver.
        logs.configure(configured.log_format, configured.log_level)

    def give_signs_of_life() -> None:
        # `attend` keeps the beat itself: looking four times as often makes it a quarter late at
        # most.
        while not ended.wait(BEAT_SECONDS / 4):
            try:
                supervisor.attend()
            except Exception:
                # This thread's end would be seen by nobody, and the worker would be taken for dead.
                log.exception("no sign of life could be given")

    def begin(**_: object) -> None:
        # A thread, for an idle worker runs no attempt that could give signs of life.
        threading.Thread(target=give_signs_of_life, daemon=True).start()

    def drain(**_: object) -> None:
        # Celery's warm shutdown waits for the task under way, which hears of the end only here.
        supervisor.drain()

    def sign_off(**_: object) -> None:
        ended.set()
        supervisor.sign_off()

    # Celery's signals hold their receivers weakly, and nothing else holds these.
    setup_logging.connect(configure_logs, weak=False)
    worker_ready.connect(begin, weak=False)
    worker_shutting_down.connect(drain, weak=False)
    worker_shutdown.connect(sign_off, weak=False)
    return app


def main(trainer: str = TRAINER) -> None:
    """Runs the worker until a signal. Raises ConfigError."""
    make_worker(settings(), trainer).worker_main(ARGUMENTS)


if __name__ == "__main__":
    sys.exit(run_process(main))
