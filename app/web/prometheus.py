"""Prometheus metrics: what this process does, and what the database says of jobs and workers."""

import time
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select

from app.artifacts import Artifacts
from app.db.ownership import seeing_all
from app.db.session import database_now, reading
from app.db.tables import Job, StageResult, Worker
from app.inference.client import Inference
from app.inference.completion import ServerCompletion
from app.job_state import JobState
from app.jobs import claim_order
from app.settings import Settings
from inframind.sandbox.callers import Caller
from inframind.types import Verdict, VerifyRequest
from inframind.verifier.verifier import RequestError, Verifier

# A read of a job takes a millisecond (docs/production/load.md), a search minutes.
HTTP_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
GENERATION_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
OF_A_JOB = {
    "tokens_per_second": "Tokens per second of the present stage",
    "reward": "Mean reward of the last step, 0..1",
    "unscorable_rate": "Share of the last step's answers that the environment could not score",
    "device_memory_bytes": (
        "Most memory that the trainer had reserved on its device; without a GPU its resident memory"
    ),
}
"""Metrics that a trainer reports -> what they mean."""


class Metrics:
    """All metrics of one api process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # No global registry: tests make many applications in one process.
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Histogram(
            "inframind_http_request_seconds",
            "Seconds from a request to the end of its answer",
            ["method", "route", "status"],
            buckets=HTTP_BUCKETS,
            registry=self.registry,
        )
        self.errors = Counter(
            "inframind_errors",
            "Requests that were refused or failed, by the code in their answer",
            ["code"],
            registry=self.registry,
        )
        self.verifier = Histogram(
            "inframind_verifier_seconds",
            "Seconds of judging a text, those in the queue included",
            registry=self.registry,
        )
        self.verdicts = Counter(
            "inframind_verdicts", "Verdicts of the verifier", ["verdict"], registry=self.registry
        )
        self.generation = Histogram(
            "inframind_generation_seconds",
            "Seconds from a request to the inference server to the end of its answer",
            ["stream"],
            buckets=GENERATION_BUCKETS,
            registry=self.registry,
        )
        self.tokens = Counter(
            "inframind_generated_tokens", "Tokens of answers", registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes an answered request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def watch(self, engine: Engine) -> None:
        """From now on the database is asked at each scrape."""
        self.registry.register(Jobs(engine))

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class MeasuredVerifier(Verifier):
    """A verifier whose calls are measured."""

    def __init__(self, workers: int, metrics: Metrics, spare: int = 0) -> None:
        super().__init__(workers, spare=spare)
        self._metrics = metrics

    def submit(self, request: VerifyRequest, caller: Caller) -> Future[Verdict | RequestError]:
        began = time.perf_counter()
        future = super().submit(request, caller)

        def note(ended: Future[Verdict | RequestError]) -> None:
            if ended.cancelled() or ended.exception() is not None:
                return
            # From the call to the verdict: a queue that grows shows here first.
            self._metrics.verifier.observe(time.perf_counter() - began)
            if isinstance(verdict := ended.result(), Verdict):
                self._metrics.verdicts.labels(verdict.verdict).inc()

        future.add_done_callback(note)
        return future


class MeasuredInference(Inference):
    """An inference client whose calls are measured."""

    def __init__(
        self, settings: Settings, engine: Engine, artifacts: Artifacts, metrics: Metrics
    ) -> None:
        super().__init__(settings, engine, artifacts)
        self._metrics = metrics

    async def complete(self, body: dict[str, Any]) -> ServerCompletion:
        with self._metrics.generation.labels("no").time():
            completion = await super().complete(body)
        self._count(completion)
        return completion

    async def stream(
        self, body: dict[str, Any], *, counted: bool = False, is_admitted: bool = False
    ) -> AsyncGenerator[ServerCompletion]:
        with self._metrics.generation.labels("yes").time():
            stream = super().stream(body, counted=counted, is_admitted=is_admitted)
            async with aclosing(stream) as pieces:
                async for piece in pieces:
                    if not piece.choices:
                        # The last one, with the usage of all.
                        self._count(piece)
                    yield piece

    def _count(self, completion: ServerCompletion) -> None:
        self._metrics.tokens.inc(completion.usage.completion_tokens if completion.usage else 0)


class Jobs(Collector):
    """Collects the measures that the database knows, at each scrape.

    The one place that all workers write to, so that no worker has to be scraped.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would ask the database for it."""
        # It would come before the first request, when a server may still be away.
        return []

    def collect(self) -> Iterable[Metric]:
        """At each scrape, in one transaction, for all owners."""
        states = GaugeMetricFamily(
            "inframind_jobs", "Jobs by state; `queued` is the depth of the queue", labels=["state"]
        )
        # Also those that wait for somebody: a full disk pauses a job and fails none.
        failures = GaugeMetricFamily(
            "inframind_job_failures", "Jobs that failed or were paused, by code", labels=["code"]
        )
        age = GaugeMetricFamily(
            "inframind_queue_age_seconds", "How long the oldest job that may run has been waiting"
        )
        workers = GaugeMetricFamily(
            "inframind_worker_silence_seconds",
            "Since a worker's last sign",
            labels=["worker", "device"],
        )
        stages = SummaryMetricFamily(
            "inframind_stage_seconds", "Training seconds of finished stages", labels=["stage"]
        )
        running = [
            GaugeMetricFamily(f"inframind_job_{name}", text, labels=["job", "stage"])
            for name, text in OF_A_JOB.items()
        ]
        # Read for each scrape: no counter of this process has what the workers and other apis did.
        with seeing_all(), reading(self._engine) as session:
            now = database_now(session)
            counts = dict(
                session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
            )
            for state in JobState:
                states.add_metric([state], counts.get(state, 0))
            stopped = Job.state.in_((JobState.FAILED, JobState.PAUSED))
            for code, count in session.execute(
                select(Job.error_code, func.count())
                .where(stopped, Job.error_code.is_not(None))
                .group_by(Job.error_code)
            ):
                failures.add_metric([str(code)], count)
            # By the rule of the claim: a job in a cool-down is kept waiting by nobody.
            oldest = session.scalar(
                select(func.min(Job.created_at)).where(claim_order.may_run(now))
            )
            age.add_metric([], now - oldest if oldest is not None else 0.0)
            # One that was killed stays here, and its silence grows: that is the alarm.
            for worker in session.scalars(select(Worker)):
                workers.add_metric([worker.id, worker.device], now - worker.heartbeat_at)
            seconds = func.sum(StageResult.train_seconds)
            for stage, count, total in session.execute(
                select(StageResult.stage, func.count(), seconds).group_by(StageResult.stage)
            ):
                stages.add_metric([stage], count, total)
            # Only while it runs: a series for every job that ever was would stay with Prometheus.
            for job_id, stage, values in session.execute(
                select(Job.id, Job.stage, Job.metrics).where(Job.state == JobState.RUNNING)
            ):
                for name, family in zip(OF_A_JOB, running, strict=True):
                    if name in values:
                        family.add_metric([job_id, stage or ""], values[name])
        return [states, failures, age, workers, stages, *running]
