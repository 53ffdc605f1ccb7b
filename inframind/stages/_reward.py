"""The verifier as a reward function in TRL's calling form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inframind.types import Outcome, Task, Verdict, VerifyRequest
from inframind.verifier.verifier import Verifier

Decode = Callable[[Sequence[int]], str]
Reward = Callable[..., list[float | None]]


Judged = Callable[[Sequence[VerifyRequest], Sequence[Verdict]], None]


def verified_reward(
    tasks: Mapping[str, Task],
    verifier: Verifier,
    decode: Decode,
    on_judged: Judged | None = None,
) -> Reward:
    """Makes the function that rewards each completion with the verifier's score in [0, 1].

    None stands where the verifier's environment failed; TRL leaves those out of the baseline. The
    dataset needs the column `task_id`. Completions are decoded from their ids: TRL's own text lacks
    special tokens, and what is rewarded must be what is served. `on_judged` sees every answer.
    """

    def verified(
        completion_ids: list[list[int]], task_id: list[str], **context: Any
    ) -> list[float | None]:
        requests = [
            VerifyRequest.of(tasks[name], decode(ids))
            for name, ids in zip(task_id, completion_ids, strict=True)
        ]
        verdicts = verifier.verify_many(requests)
        if on_judged is not None:
            on_judged(requests, verdicts)
        log_metric = context.get("log_metric")
        if log_metric is not None:
            for name, value in shares(verdicts).items():
                log_metric(name, value)
        return [
            None if verdict.verdict is Outcome.UNSCORABLE else verdict.score for verdict in verdicts
        ]

    return verified


def shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Counts the shares of answers that pass, hold each rung below intent, or cannot be scored.

    What could not be scored is in no other share; where that is all, there is no other share.
    """
    scored = [verdict for verdict in verdicts if verdict.verdict is not Outcome.UNSCORABLE]
    rates = {"unscorable_rate": 1.0 - len(scored) / len(verdicts)}
    if scored:
        rates["pass_rate"] = sum(v.verdict is Outcome.PASS for v in scored) / len(scored)
        for rung in ("extract", "parse", "schema", "references"):
            rates[f"rungs/{rung}"] = sum(v.rungs[rung] == "pass" for v in scored) / len(scored)
    return rates


def overlong_reward(max_tokens: int, buffer_tokens: int, penalty: float) -> Reward:
    """Makes DAPO's soft overlong punishment, which is added to the reward, counted in tokens.

    arXiv:2503.14476, equation 13: 0 up to `max_tokens - buffer_tokens`, then linear, `-penalty` at
    `max_tokens`.
    """

    def overlong(completion_ids: list[list[int]], **_: Any) -> list[float | None]:
        start = max_tokens - buffer_tokens
        return [
            -penalty * min(1.0, max(0.0, (len(ids) - start) / buffer_tokens))
            for ids in completion_ids
        ]

    return overlong
