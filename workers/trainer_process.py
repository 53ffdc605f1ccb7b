"""The trainer as its supervisor sees it: started with a job, listened to, asked to stop, killed."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping

from app.jobs.failure import Failure
from app.jobs.trainer_log import LOG
from workers.pipe import Message, Reader, TrainerJob
from workers.process import signal_group, spawn

TRAINER = "workers.trainer"
"""The module that runs a job's stages."""
PASSED_ON = frozenset(
    {
        "CUDA_HOME",
        "CUDA_VISIBLE_DEVICES",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "NVIDIA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
    }
)
"""Everything of the environment that the trainer may see: no database, no key."""
JUDGE_PREFIX = "INFRAMIND_JUDGE_"
"""The judge model's address and key: only for a job whose evaluation asks it."""
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
READ_BYTES = 1 << 16


def environment(job: TrainerJob, variables: Mapping[str, str]) -> dict[str, str]:
    """Chooses what the trainer sees of this process's variables."""
    passed_on = {
        name: value
        for name, value in variables.items()
        if name in PASSED_ON or (job.judge and name.startswith(JUDGE_PREFIX))
    }
    return passed_on | OFFLINE


class TrainerProcess:
    """Runs one trainer, its log beside its work."""

    def __init__(self, job: TrainerJob, module: str = TRAINER) -> None:
        """Starts `python -m module` with the job on its standard input."""
        document = job.run_dir / "job.json"
        # A file and not a pipe: a long job would fill a pipe before the trainer has begun to read.
        document.write_text(job.model_dump_json())
        variables = environment(job, os.environ)
        with document.open("rb") as stdin, (job.run_dir / LOG).open("ab") as log:
            self._process = spawn(
                module, env=variables, stdin=stdin, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        self._reader = Reader()
        self._listening = True
        self._asked_to_stop_at: float | None = None
        self.killed_for: Failure | None = None
        """Why the supervisor has killed it."""

    @property
    def is_running(self) -> bool:
        """Holds while the process lives or has left something to read."""
        return self._listening or self._process.poll() is None

    @property
    def was_asked_to_stop(self) -> bool:
        """Holds once a checkpoint and an end were asked for."""
        return self._asked_to_stop_at is not None

    def listen(self, seconds: float) -> Iterator[Message]:
        """Waits so long for something to read, and yields the messages in it. Raises PipeError."""
        if not self._listening:
            time.sleep(seconds)
        elif self._can_be_read(seconds):
            data = os.read(self._pipe, READ_BYTES)
            self._listening = bool(data)
            yield from self._reader.feed(data)
        # `poll` before the second look: what it wrote just before its end is then in the pipe.
        elif self._process.poll() is not None and not self._can_be_read(0):
            # Dead, and nothing left to read: a process it left behind may hold the pipe open.
            self._listening = False

    def _can_be_read(self, seconds: float) -> bool:
        return bool(select.select([self._pipe], [], [], seconds)[0])

    def ask_to_stop(self) -> None:
        """Asks for a whole checkpoint and an end, once."""
        if self._asked_to_stop_at is None and self._process.poll() is None:
            self._asked_to_stop_at = time.monotonic()
            self._process.terminate()

    def kill_if_overdue(self, grace_seconds: float) -> None:
        """Kills what was asked to stop longer ago than this."""
        stop_asked_at = self._asked_to_stop_at
        if stop_asked_at is None or self._process.poll() is not None:
            return
        if time.monotonic() - stop_asked_at > grace_seconds:
            signal_group(self._process, signal.SIGKILL)

    def kill(self, reason: Failure) -> None:
        """Kills the trainer at once and keeps the reason; what it has reported is still read."""
        self.killed_for = reason
        signal_group(self._process, signal.SIGKILL)

    def distrust(self, reason: Failure) -> None:
        """Kills the trainer at once and believes no further report."""
        self._listening = False
        self.kill(reason)

    def wait(self) -> int:
        """Waits for the end and gives the exit status; a negative one is a signal."""
        return self._process.wait()

    def end(self) -> None:
        """Ends the trainer and everything it started, for certain."""
        signal_group(self._process, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
