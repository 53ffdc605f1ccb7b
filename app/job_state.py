"""The states of a job and the moves between them."""

from enum import StrEnum


class JobState(StrEnum):
    """State of a job (docs/contracts/job.md)."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
UNFINISHED = tuple(state for state in JobState if state not in TERMINAL)
MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset(
        {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED, JobState.FAILED}
    ),
    # Back to the queue when its worker is lost or drained.
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.PAUSED, *TERMINAL}),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED, JobState.FAILED}),
    **{state: frozenset() for state in TERMINAL},
}
"""State -> the states that may follow. Terminal states are final."""


def may_move(state: JobState, target: JobState) -> bool:
    """Tells whether a job may move from one state to the other."""
    return target in MOVES[state]
