"""Measures how far a judge can be trusted: its agreement with the verifier on known answers."""

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from pydantic import Field

from inframind.bench.prompt import answer
from inframind.judge.judgement import Judgement, Preference
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.statistics.intervals import wilson
from inframind.statistics.kappa import cohens_kappa
from inframind.types import Contract, Outcome, Task, VerifyRequest
from inframind.verifier.verifier import Verifier

TRUSTED_KAPPA = 0.4
"""Below it agreement is at best fair (Landis and Koch 1977)."""
MIN_DECIDED = 30
"""Fewer judgements say nothing about a judge."""
Interval = tuple[float, float]
T = TypeVar("T")


class Calibration(Contract):
    """The measurements of a judge. Rates are shares in [0, 1]; intervals have 95 %."""

    judge: str
    """The fingerprint: model and prompt."""
    model: str
    bench: str
    """Hash of the tasks' bench."""
    answers: int
    """Judged alone, right and wrong ones."""
    decided: int
    """Of these, without abstentions; kappa and recall are theirs."""
    kappa: float
    """Cohen's, of `would_work` and the verifier's pass."""
    kappa_ci95: Interval
    invalid: int
    """Decided answers that the verifier fails."""
    recall_invalid: float
    """Share of them that the judge says would not work."""
    recall_invalid_ci95: Interval
    pairs: int
    """A right and a wrong answer to one task, asked for in both orders, without abstentions."""
    swap_flip_rate: float
    """Share of the pairs in which the order changed the winner."""
    pair_accuracy: float
    """Share of the pairs whose winner is the right answer."""
    abstain_rate: float
    """Of all questions, single and pairs."""
    retested: int
    test_retest: float
    """Share of the answers judged twice that got the same `would_work`."""
    created_at: float = Field(default=0.0)

    @property
    def trusted(self) -> bool:
        """True if the judge's word may be shown as more than an opinion."""
        return self.kappa >= TRUSTED_KAPPA and self.decided >= MIN_DECIDED


class Labelled(Contract):
    """Two answers to one task: the verifier passes one and fails the other."""

    case: Case
    right: str
    wrong: str


def labelled(tasks: Sequence[Task], verifier: Verifier, seed: int = 0) -> list[Labelled]:
    """Makes a right and a wrong answer per task: the reference, without and with a small fault.

    The verifier labels both; a task of which it says otherwise is left out.
    """
    # The same faults for every judge: their kappas can be compared.
    rng = random.Random(seed)  # noqa: S311 - a reproducible choice, not a secret
    examples = []
    for task in tasks:
        right = answer(task)
        faulty = faults(task, right, rng)
        verdicts = verifier.verify_many([VerifyRequest.of(task, text) for text in (right, *faulty)])
        wrong = [
            text
            for text, verdict in zip(faulty, verdicts[1:], strict=True)
            if verdict.verdict is Outcome.FAIL
        ]
        if verdicts[0].verdict is Outcome.PASS and wrong:
            case = Case(category=task.category, instruction=task.instruction, input=task.input)
            examples.append(Labelled(case=case, right=right, wrong=rng.choice(wrong)))
    return examples


def faults(task: Task, right: str, rng: random.Random) -> list[str]:
    """Makes the faults that models really make.

    One value is changed, one line left out, or the answer cut short.
    """
    lines = right.split("\n")
    changed = [
        right.replace(value, f"{value}x" if not value.isdigit() else str(int(value) + 1))
        for value in task.values
    ]
    index = rng.randrange(len(lines) - 1)
    cut = "\n".join(lines[: max(1, rng.randrange(len(lines)))])
    # The verifier decides which of these are wrong: a left-out line may be harmless.
    return [*changed, "\n".join(lines[:index] + lines[index + 1 :]), cut]


async def calibrate(judge: LlmJudge, examples: Sequence[Labelled], bench: str) -> Calibration:
    """Asks for every answer twice and for every pair in both orders.

    No reply is taken from the judge's cache.
    """
    singles = [
        (example.case, text, valid)
        for example in examples
        for text, valid in ((example.right, True), (example.wrong, False))
    ]
    first = await _all(judge.judge(case, text, fresh=True) for case, text, _ in singles)
    again = await _all(judge.judge(case, text, fresh=True) for case, text, _ in singles)
    pairs = await _all(judge.compare(e.case, e.right, e.wrong, fresh=True) for e in examples)
    return summary(judge, [valid for _, _, valid in singles], first, again, pairs, bench)


def summary(
    judge: LlmJudge,
    valid: Sequence[bool],
    first: Sequence[Judgement],
    again: Sequence[Judgement],
    pairs: Sequence[Preference],
    bench: str,
) -> Calibration:
    """Computes the figures.

    `valid` are the verifier's labels, `first` and `again` the judge's; the first answer of a pair
    is the right one.
    """
    decided = [
        (j.would_work, truth)
        for j, truth in zip(first, valid, strict=True)
        if j.would_work is not None
    ]
    kappa = cohens_kappa(decided)
    invalid = [works for works, truth in decided if not truth]
    caught = invalid.count(False)
    compared = [pair for pair in pairs if pair.winner is not None]
    twice = [
        (a.would_work, b.would_work)
        for a, b in zip(first, again, strict=True)
        if None not in (a.would_work, b.would_work)
    ]
    replies: list[Judgement | Preference] = [*first, *again, *pairs]
    low, high = wilson(caught, len(invalid))
    return Calibration(
        judge=judge.fingerprint,
        model=judge.model,
        bench=bench,
        answers=len(first),
        decided=len(decided),
        kappa=round(kappa.value, 4),
        kappa_ci95=(round(kappa.low, 4), round(kappa.high, 4)),
        invalid=len(invalid),
        recall_invalid=_share(caught, len(invalid)),
        recall_invalid_ci95=(round(low, 4), round(high, 4)),
        pairs=len(compared),
        swap_flip_rate=_share(
            sum(pair.orders[0] != pair.orders[1] for pair in compared), len(compared)
        ),
        pair_accuracy=_share(sum(pair.winner == "first" for pair in compared), len(compared)),
        abstain_rate=_share(sum(reply.abstained is not None for reply in replies), len(replies)),
        retested=len(twice),
        test_retest=_share(sum(a == b for a, b in twice), len(twice)),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


async def _all(questions: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*questions))
