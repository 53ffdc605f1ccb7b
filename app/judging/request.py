"""Body of a request for judgement."""

from typing import Annotated

from pydantic import Field, model_validator

from app.judging.views import Kind
from inframind.types import Check, Contract

MAX_ANSWER = 200_000
# Shared, so that the document, too, says the limit of a pair's answers.
Answer = Annotated[str, Field(max_length=MAX_ANSWER)]


class JudgeRequest(Contract):
    """One answer to judge, or two to compare: exactly one of `answer` and `answers`."""

    kind: Kind = "rules"
    """`rules`: scores from the verifier's verdict alone; `llm`: the judge model of the settings,
    the verdict beside it."""
    category: str = Field(max_length=64)
    instruction: str = Field(max_length=20_000)
    input: str = Field(default="", max_length=24_000)
    """What the instruction is about, such as a file to change."""
    answer: Answer | None = None
    answers: tuple[Answer, Answer] | None = None
    reference: str | None = Field(default=None, max_length=24_000)
    """A right answer: the judge model compares with it."""
    checks: tuple[Check, ...] = Field(default=(), max_length=64)

    @model_validator(mode="after")
    def _one_source(self) -> "JudgeRequest":
        if (self.answer is None) == (self.answers is None):
            raise ValueError("give exactly one of `answer` and `answers`")
        return self
