"""Real inference servers as judges: vLLM with the bundled model, a hopeless judge, and the embedded
server, which has no chat."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from app.judging.chat_client import ChatServer
from app.settings import Settings
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.judge.rubric import rubric
from tests.support.inference_servers import BASE
from tests.support.waiting import HANG_SECONDS

CASE = Case(category="dockerfile", instruction="Run as app.")
T = TypeVar("T")


def asked(url: str, question: Callable[[LlmJudge], Awaitable[T]], max_tokens: int = 1024) -> T:
    async def run() -> T:
        server = ChatServer(
            Settings(
                judge_url=f"{url}/v1",
                judge_model=BASE,
                judge_timeout_seconds=HANG_SECONDS,
                judge_max_tokens=max_tokens,
            )
        )
        try:
            return await question(LlmJudge(BASE, server.ask))
        finally:
            await server.close()

    return asyncio.run(run())


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.node.callspec.params["url"]
    return found


def test_a_model_that_cannot_judge_answers_in_the_form_or_abstains(url: str, kind: str) -> None:
    found = asked(url, lambda judge: judge.judge(CASE, "FROM alpine:3.20\nUSER app\n"))
    if kind == "embedded":
        assert found.abstained == "unavailable"
    elif found.abstained is None:
        assert set(found.criteria) == set(rubric("dockerfile")) and found.scores is not None
    else:
        assert (found.abstained, found.scores) == ("unparsable", None)


def test_a_reply_that_is_cut_is_an_abstention(url: str) -> None:
    assert (
        asked(
            url, lambda judge: judge.judge(CASE, "FROM alpine:3.20\nUSER app\n"), max_tokens=64
        ).abstained
        is not None
    )
    assert asked(
        url, lambda judge: judge.compare(CASE, "FROM a\n", "FROM b\n"), max_tokens=64
    ).winner in (None, "tie")


def test_an_answer_that_the_models_context_cannot_hold_is_refused(url: str, kind: str) -> None:
    found = asked(url, lambda judge: judge.judge(CASE, "RUN x\n" * 3000))
    assert found.abstained == ("unavailable" if kind == "embedded" else "refused")
