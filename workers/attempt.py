"""One attempt at a job, from the claim to what became of it.

The order of things: the files come here, the trainer starts, its reports are written while the
lease is renewed and the user's wishes are looked at, and its end moves the job to its next state.
Who does what: `assignment` makes the trainer's job, `trainer_process` runs the trainer, `ledger`
writes its reports, `held_lease` keeps the lease.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.db.tables import Job
from app.errors import StoreError, UnreadableJobError
from app.job_state import TERMINAL, JobState
from app.jobs import trainer_log, transitions
from app.jobs.failure import DEADLINE_EXCEEDED, LEASE_NOT_RENEWED, WORKER_DRAINED, Failure
from app.jobs.lease import Claim, LeaseLostError
from app.settings import Settings
from inframind.errors import NonFiniteError
from workers import failures
from workers.assignment import assignment, check_space, pull_files
from workers.held_lease import TICK_SECONDS, HeldLease
from workers.ledger import DamagedAdapterError, Ledger, UntrustedReportError
from workers.pipe import EXIT_DONE, EXIT_LEASE_LOST, PipeError, TrainerJob
from workers.trainer_process import TRAINER, TrainerProcess

log = logging.getLogger(__name__)

STORE_AWAY_SECONDS = 30.0
"""Between attempts of a job while the store of the artifacts does not answer."""


class Attempt:
    """Runs one claimed job until it ends, is taken away or the worker drains."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        artifacts: Artifacts,
        claim: Claim,
        is_draining: Callable[[], bool],
        trainer: str = TRAINER,
    ) -> None:
        self._engine, self._settings, self._artifacts = engine, settings, artifacts
        self._claim = claim
        self._is_draining = is_draining
        self._trainer_module = trainer
        self._job_dir = artifacts.job(claim.job_id)
        self._run_dir = self._job_dir / str(claim.fence)
        self._lease = HeldLease(engine, claim, settings.lease_seconds, self._run_dir)
        self._trainer: TrainerProcess | None = None
        self._has_ended = False
        """Holds once the job is in a state that it cannot leave."""

    def run(self) -> None:
        """Makes the attempt, and raises nothing: no job ends the worker that runs it.

        Without the lease it ends in silence: nothing more is written.
        """
        structlog.contextvars.bind_contextvars(job_id=self._claim.job_id, fence=self._claim.fence)
        try:
            self._run()
        except LeaseLostError as error:
            log.warning("%s", error)
        except Exception:
            # Not even its failure could be written. Nobody renews the lease now: the job is taken
            # back as a lost worker's, ten times at most.
            log.exception("the job could not be moved on")
        finally:
            self._end_trainer()
            structlog.contextvars.clear_contextvars()

    def _run(self) -> None:
        try:
            job = self._prepare()
            if job is not None:
                self._train(job)
        except OSError as error:
            # The disk or the store, not the job: nothing of it is lost, and the supervisor goes on.
            log.exception("the artifacts could not be used")
            self._end_trainer()
            self._lease.write(partial(_give_up_for_artifacts, error=error))
        except LeaseLostError:
            raise
        except Exception as error:
            # Whatever this job has that nobody foresaw: it alone pays for it.
            log.exception("the attempt met an error that nobody foresaw")
            self._end_trainer()
            failure = failures.of_supervisor(error)
            self._lease.write(partial(transitions.fail_attempt, failure=failure))

    def _prepare(self) -> TrainerJob | None:
        """Makes the trainer's job, its files at hand; None if this version cannot run it."""
        self._run_dir.mkdir(parents=True, exist_ok=True)
        self._lease.begin()
        read_job = partial(
            assignment, self._engine, self._settings, self._artifacts, self._claim, self._run_dir
        )
        try:
            job = self._lease.retry(read_job)
        except UnreadableJobError as error:
            failure = failures.of_rows(error)
            self._lease.write(partial(transitions.finish, state=JobState.FAILED, failure=failure))
            return None
        # An adapter's download may take longer than the lease, which would then go to another
        # worker.
        self._lease.keep_during(partial(pull_files, self._artifacts, job))
        check_space(job, self._settings.min_free_bytes)
        return job

    def _train(self, job: TrainerJob) -> None:
        structlog.contextvars.bind_contextvars(request_id=job.request_id)
        log.info("the attempt starts")
        self._lease.renew()
        trainer = self._trainer = TrainerProcess(job, self._trainer_module)
        ledger = Ledger(self._lease, self._artifacts, job, self._settings.stall_seconds)
        while trainer.is_running:
            self._take_reports(trainer, ledger)
            self._lease.renew()
            self._stop_if_asked(trainer, ledger)
        status = trainer.wait()
        self._keep_log()
        self._lease.write(partial(self._settle, trainer=trainer, ledger=ledger, status=status))
        log.info("the attempt has ended", extra={"status": status})
        if self._has_ended:
            self._tidy()

    def _take_reports(self, trainer: TrainerProcess, ledger: Ledger) -> None:
        try:
            ledger.take(trainer.listen(TICK_SECONDS))
        except (PipeError, UntrustedReportError) as error:
            may_pass = isinstance(error, DamagedAdapterError)
            trainer.distrust(failures.of_report(error, may_pass=may_pass))
        except NonFiniteError as error:
            # Of an adapter whose bytes are right and no numbers: another attempt makes the same.
            trainer.distrust(failures.of_exception(error))

    def _stop_if_asked(self, trainer: TrainerProcess, ledger: Ledger) -> None:
        """Stops the trainer if user, deadline or worker want it, or if it does not get on."""
        if self._is_draining() or self._lease.wish != "run":
            trainer.ask_to_stop()
        if trainer.was_asked_to_stop:
            # One step and its checkpoint may take long, but a trainer that hangs hears no SIGTERM
            # at all.
            trainer.kill_if_overdue(self._settings.grace_seconds)
        elif ledger.stall.is_stalled(time.monotonic()):
            message = f"the trainer made no step for {ledger.stall.limit_seconds:.0f} s"
            trainer.kill(Failure(code="trainer_stalled", message=message, then="retry"))

    def _settle(
        self, session: Session, job: Job, trainer: TrainerProcess, ledger: Ledger, status: int
    ) -> None:
        """Moves the job to the state that the trainer's end means for it."""
        ledger.tell_left_out(session, job)
        # Our own reason first: a killed trainer's exit status is only SIGKILL.
        failure = trainer.killed_for or ledger.failure
        if failure is not None:
            transitions.fail_attempt(session, job, failure)
        elif status == EXIT_DONE and ledger.is_complete:
            transitions.finish(session, job, JobState.SUCCEEDED)
        elif self._lease.wish == "deadline":
            transitions.finish(session, job, JobState.FAILED, DEADLINE_EXCEEDED)
        elif trainer.was_asked_to_stop or job.want != "run":
            transitions.requeue(session, job, WORKER_DRAINED)
        elif status == EXIT_LEASE_LOST:
            transitions.lose_worker(session, job, LEASE_NOT_RENEWED)
        else:
            transitions.fail_attempt(session, job, failures.of_exit_status(status))
        self._has_ended = job.state in TERMINAL

    def _keep_log(self) -> None:
        """Brings the log's end to where the api reaches it, before the job's state says to look."""
        try:
            self._lease.keep_during(partial(trainer_log.keep_end, self._artifacts, self._run_dir))
        except OSError as error:
            # A full disk or a store that is away: the job's own end matters more than its log.
            log.warning("the trainer's log stays on this host: %s", error)

    def _tidy(self) -> None:
        """Removes the folders that the stages of a finished job worked in; its adapters stay.

        What cannot be removed now is pruned later.
        """
        try:
            for folder in self._job_dir.glob("*/stage-*"):
                self._artifacts.remove(folder)
        except StoreError as error:
            log.warning("%s", error)

    def _end_trainer(self) -> None:
        if self._trainer is not None:
            self._trainer.end()


def _give_up_for_artifacts(session: Session, job: Job, error: OSError) -> None:
    failure = failures.of_artifacts(error)
    if isinstance(error, StoreError) and failure.then == "retry":
        # However long it is away: the job goes on from its last checkpoint, and no attempt counts.
        transitions.requeue(session, job, failure, STORE_AWAY_SECONDS)
    else:
        transitions.fail_attempt(session, job, failure)
