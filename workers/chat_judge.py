"""The judge model for a trainer: its stages are no coroutines, and its environment has the settings of the judge and no others."""

import asyncio
from collections.abc import Mapping, Sequence

from inframind.judge.judgement import Judgement
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.types import Json


class ChatJudge:
    """Asks the server of the settings; as many questions at once as they allow."""

    def __init__(self, described: Mapping[str, Json]) -> None:
        from app.judging.chat_client import ChatServer
        from app.settings import settings

        self.described = described
        given = settings()
        self._judge = LlmJudge(given.judge_model, ChatServer(given).ask)
        # One loop for all questions: the connections are its.
        self._loop = asyncio.Runner()

    def __call__(self, asked: Sequence[tuple[Case, str]]) -> list[Judgement]:
        """The judgements, in order."""
        return self._loop.run(self._all(asked))

    async def _all(self, asked: Sequence[tuple[Case, str]]) -> list[Judgement]:
        return list(await asyncio.gather(*(self._judge.judge(case, text) for case, text in asked)))
