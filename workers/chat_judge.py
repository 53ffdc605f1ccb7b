"""Asks the judge model on behalf of a trainer.

A trainer's stages are no coroutines, and its environment has no settings but the judge's.
"""

import asyncio
from collections.abc import Mapping, Sequence

from inframind.judge.judgement import Judgement
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.types import Json


class ChatJudge:
    """Asks the server that the settings name, as many questions at once as they allow."""

    def __init__(self, described: Mapping[str, Json]) -> None:
        from app.judging.chat_client import ChatServer
        from app.settings import settings

        self.described = described
        configured = settings()
        self._judge = LlmJudge(configured.judge_model, ChatServer(configured).ask)
        # One loop for all questions: connections belong to the loop that opened them.
        self._loop = asyncio.Runner()

    def __call__(self, cases: Sequence[tuple[Case, str]]) -> list[Judgement]:
        """Judges answers, in order."""
        return self._loop.run(self._all(cases))

    async def _all(self, cases: Sequence[tuple[Case, str]]) -> list[Judgement]:
        return list(await asyncio.gather(*(self._judge.judge(case, text) for case, text in cases)))
