"""Progress and time left from a trainer's reports."""

from inframind.stages import evaluate, grpo, sft
from workers.progress import Estimate, StallDetector

STAGES = [
    sft.Config(max_steps=10),
    grpo.Config(max_steps=10),
    evaluate.Config(tasks=90, new_family_tasks=10),
]


def test_nothing_measured_gives_no_time() -> None:
    estimate = Estimate.of(STAGES, [])
    assert (estimate.progress(), estimate.eta_seconds()) == (0.0, None)
    estimate.step(0, 1, 100.0)
    assert estimate.eta_seconds() is None, "the first report holds the time of loading"


def test_measured_seconds_scale_the_guesses() -> None:
    estimate = Estimate.of(STAGES, [])
    estimate.step(0, 1, 100.0)
    estimate.step(0, 6, 110.0)
    # sft takes 2 s instead of the guessed 1 s: grpo 8 s instead of 4 s, a task of evaluate 0.2 s
    # instead of 0.1 s.
    assert estimate.eta_seconds() == 4 * 2 + 10 * 8 + 100 * 0.2
    assert estimate.progress() == 12 / (20 + 80 + 20)


def test_progress_never_goes_back() -> None:
    estimate = Estimate.of(STAGES, [])
    for step in range(1, 11):
        estimate.step(0, step, float(step))
    estimate.step(1, 1, 20.0)
    estimate.step(1, 9, 22.0)
    before = estimate.progress()
    estimate.step(2, 1, 30.0)
    estimate.step(2, 2, 90.0)
    assert estimate.progress() == before
    assert estimate.eta_seconds() == 98 * 60 + 0.25


def test_finished_stages_of_an_earlier_attempt_count() -> None:
    estimate = Estimate.of(STAGES, [0, 1])
    assert estimate.progress() == 50 / 60
    estimate.step(2, 50, 0.0)
    estimate.step(2, 100, 5.0)
    assert (estimate.progress(), estimate.eta_seconds()) == (1.0, 0.0)


def test_a_stall_is_ten_usual_steps_and_never_less_than_the_setting() -> None:
    stall = StallDetector(900.0, now=0.0)
    assert not stall.is_stalled(900.0) and stall.is_stalled(901.0)
    for number in range(1, 6):
        stall.moved(number * 200.0, step=True)
    assert stall.limit_seconds == 2000.0
    assert not stall.is_stalled(2999.0) and stall.is_stalled(3001.0)
    stall.moved(3500.0)
    assert not stall.is_stalled(5499.0), "a checkpoint is progress, and no step"
    assert stall.limit_seconds == 2000.0
