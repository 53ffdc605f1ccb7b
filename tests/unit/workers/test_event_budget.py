"""A flood of events is thinned, and counted by code."""

from workers.event_budget import BURST, MAX_CODES, OTHER, TELL_SECONDS, EventBudget


def test_what_an_honest_trainer_says_goes_through() -> None:
    budget = EventBudget(0.0)
    assert all(budget.admits("refill_cap", float(second)) for second in range(100_000))
    assert not budget.left_out and not budget.is_due(1e9)


def test_a_flood_is_counted_and_told_of_from_time_to_time() -> None:
    budget = EventBudget(0.0)
    admitted = sum(budget.admits("flood", 0.0) for _ in range(100_000))
    assert admitted == BURST and budget.left_out == {"flood": 100_000 - BURST}
    assert not budget.is_due(TELL_SECONDS / 2) and budget.is_due(TELL_SECONDS)
    budget.forget()
    assert not budget.is_due(1e9)
    assert budget.admits("other", TELL_SECONDS), "time brings new room"


def test_made_up_codes_fill_no_memory() -> None:
    budget = EventBudget(0.0)
    for number in range(BURST + 5000):
        budget.admits(f"code-{number}", 0.0)
    assert len(budget.left_out) == MAX_CODES + 1 and budget.left_out.total() == 5000
    assert budget.left_out[OTHER] == 5000 - MAX_CODES
