"""Wakes workers by Celery over Redis.

A message carries no truth, the row has it: a lost or doubled message costs nothing. The settings
are those that were measured to lose and double the least with long tasks;
`docs/production/queue.md` has the reasons.
"""

import logging
import threading
import time
from typing import Any

from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

QUEUE, TASK = "train", "inframind.wake"
SILENCE_SECONDS = 5.0
"""After a failure no message is sent for so long: the reconciler sends them instead."""
TURN_SECONDS = 0.05
"""A message waits so long for the one before it: a server that hangs holds one thread, not all."""
LOST = (OperationalError, RedisError, OSError)
"""Kombu translates the client's errors in some calls and lets them through in others."""
VISIBILITY_SECONDS = 300
"""Covers the moment from taking a message to acknowledging it, which is before the work starts."""


def make_celery(redis_url: str) -> Celery:
    """Makes the application that sends wake-ups, and that workers take them from."""
    celery = Celery("inframind", broker=redis_url, set_as_current=False)
    transport: dict[str, Any] = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "health_check_interval": 25,
    }
    celery.conf.update(
        result_backend=None,
        task_ignore_result=True,
        # Acknowledged late, a job that outlives the visibility timeout is started again and again.
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_concurrency=1,
        broker_transport_options=transport,
        visibility_timeout=VISIBILITY_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Nobody who writes to Redis may stop workers; the row has every result.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_soft_shutdown_timeout=0,
        worker_hijack_root_logger=False,
        task_time_limit=None,
        task_publish_retry=True,
        task_publish_retry_policy={
            "max_retries": 3,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        task_serializer="json",
        # A pickle from Redis would run whatever it holds.
        accept_content=["json"],
        task_default_queue=QUEUE,
        task_queues=[Queue(QUEUE)],
        task_create_missing_queues=False,
        worker_max_tasks_per_child=None,
    )
    return celery


class WakeUps:
    """Sends wake-ups: the row is committed already, so one quick try is enough."""

    def __init__(self, redis_url: str) -> None:
        self._celery = make_celery(redis_url)
        self._silent_until = 0.0
        self._turn = threading.Lock()
        # A Redis that is away must not cost a request: the reconciler sends what is lost here.
        quick = {"socket_connect_timeout": 0.5, "socket_timeout": 1.0, "max_retries": 0}
        self._celery.conf.broker_transport_options = {
            **self._celery.conf.broker_transport_options,
            **quick,
        }

    def send(self, job_id: str) -> bool:
        """Wakes a worker; False: the reconciler has to do it."""
        if time.monotonic() < self._silent_until or not self._turn.acquire(timeout=TURN_SECONDS):
            return False
        try:
            self._celery.send_task(
                TASK,
                (job_id,),
                queue=QUEUE,
                # No `expires`: it is a date, and a worker whose clock is ahead of ours drops the
                # message (celery/worker/request.py, maybe_expire).
                retry=False,
                ignore_result=True,
            )
        except LOST as error:
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            log.warning("no wake-up was sent for job %s: %s", job_id, type(error).__name__)
            return False
        finally:
            self._turn.release()
        return True

    def waiting(self) -> int | None:
        """Messages that no worker has taken yet; None: the server does not answer."""
        try:
            with self._celery.connection_for_read() as connection, connection.channel() as channel:
                return int(channel.queue_declare(QUEUE, passive=False).message_count)
        except LOST:
            return None
