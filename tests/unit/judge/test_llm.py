"""A judge model's replies: its form or nothing, both orders, and nothing asked twice."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from inframind.judge.judgement import Judgement, Preference
from inframind.judge.llm import LlmJudge, SilentError
from inframind.judge.prompt import MAX_CANDIDATE, Case, Message, Schema
from inframind.judge.rubric import rubric

CASE = Case(category="dockerfile", instruction="Run as app.")
SCORES = {"syntax": 10, "correctness": 8, "completeness": 9, "best_practices": 5, "security": 5}
REPLY: dict[str, Any] = {
    "criteria": {name: {"evidence": "USER app", "met": True} for name in rubric("dockerfile")},
    "scores": SCORES,
    "would_work": True,
    "feedback": "fine",
}


class Scripted:
    """Replies in turn."""

    def __init__(self, *replies: str | SilentError) -> None:
        self._replies = list(replies)
        self.asked: list[Sequence[Message]] = []

    async def __call__(self, messages: Sequence[Message], schema: Schema) -> str:
        self.asked.append(messages)
        reply = self._replies.pop(0)
        if isinstance(reply, SilentError):
            raise reply
        return reply


def judged(*replies: str | SilentError, text: str = "USER app") -> Judgement:
    return asyncio.run(LlmJudge("m", Scripted(*replies)).judge(CASE, text))


def compared(first: str, second: str) -> Preference:
    replies = [json.dumps({"comparison": "c", "better": better}) for better in (first, second)]
    return asyncio.run(LlmJudge("m", Scripted(*replies)).compare(CASE, "a", "b"))


def test_a_reply_in_the_form_is_a_judgement() -> None:
    judgement = judged(json.dumps(REPLY))
    assert (
        judgement.abstained is None
        and judgement.would_work is True
        and judgement.feedback == "fine"
    )
    assert judgement.overall == 7.2  # 8 x (0.8 + 0.2 x 0.5)
    assert judgement.criteria["asked"].evidence == "USER app"


@pytest.mark.parametrize("around", ["<think>\nhm {}\n</think>\n%s", "```json\n%s\n```", "  %s \n"])
def test_thoughts_and_fences_around_a_reply_do_no_harm(around: str) -> None:
    assert judged(around % json.dumps(REPLY)).would_work is True


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "It looks good to me: 9/10.",
        json.dumps(REPLY)[:-5],
        json.dumps({**REPLY, "scores": {**SCORES, "syntax": 11}}),
        json.dumps({**REPLY, "scores": {**SCORES, "syntax": "10"}}),
        json.dumps({**REPLY, "would_work": "yes"}),
        json.dumps({**REPLY, "criteria": {"asked": {"evidence": "", "met": True}}}),
        json.dumps({**REPLY, "extra": 1}),
        json.dumps([REPLY]),
        "{" * 5000,
        json.dumps(REPLY).replace("10", "NaN"),
    ],
)
def test_a_reply_without_the_form_is_an_abstention_and_no_zero(reply: str) -> None:
    judgement = judged(reply)
    assert (judgement.abstained, judgement.scores, judgement.overall, judgement.would_work) == (
        "unparsable",
        None,
        None,
        None,
    )


def test_a_silent_model_and_a_long_answer_are_abstentions() -> None:
    assert judged(SilentError("timeout", "too slow")).abstained == "timeout"
    assert judged(text="x" * (MAX_CANDIDATE + 1)).abstained == "too_long"


@pytest.mark.parametrize(
    ("forward", "backward", "winner"),
    [
        ("A", "B", "first"),
        ("B", "A", "second"),
        ("A", "A", "tie"),
        ("B", "B", "tie"),
        ("tie", "tie", "tie"),
        ("A", "tie", "tie"),
    ],
)
def test_a_pair_is_asked_in_both_orders_and_disagreement_is_a_tie(
    forward: str, backward: str, winner: str
) -> None:
    assert compared(forward, backward).winner == winner


def test_a_pair_with_one_unreadable_reply_is_an_abstention() -> None:
    ask = Scripted(json.dumps({"comparison": "c", "better": "A"}), "B")
    judgement = asyncio.run(LlmJudge("m", ask).compare(CASE, "a", "b"))
    assert (judgement.winner, judgement.abstained) == (None, "unparsable")


def test_a_known_reply_is_not_asked_for_again_and_an_abstention_is() -> None:
    ask = Scripted("no JSON", *[json.dumps(REPLY)] * 3)
    judge = LlmJudge("m", ask)

    async def run() -> None:
        assert (await judge.judge(CASE, "USER app")).abstained == "unparsable"
        first = await judge.judge(CASE, "USER app")
        assert await judge.judge(CASE, "USER app") == first
        assert len(ask.asked) == 2
        await judge.judge(CASE, "USER app", fresh=True)
        await judge.judge(CASE, "USER web")
        assert len(ask.asked) == 4

    asyncio.run(run())


def test_another_model_is_another_judge() -> None:
    assert LlmJudge("a", Scripted()).fingerprint != LlmJudge("b", Scripted()).fingerprint
