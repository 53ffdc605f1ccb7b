"""A judge's word: on one answer, and on two."""

from typing import Literal

from pydantic import Field

from inframind.types import Contract

Reason = Literal["unparsable", "too_long", "timeout", "unavailable", "refused"]
"""Why a judge abstains.

Its reply lacks the form, the answer is too long, or the model was too slow, silent or refused.
"""
Winner = Literal["first", "second", "tie"]


class Scores(Contract):
    """Each from 0 (worst) to 10."""

    syntax: float = Field(ge=0.0, le=10.0)
    correctness: float = Field(ge=0.0, le=10.0)
    completeness: float = Field(ge=0.0, le=10.0)
    best_practices: float = Field(ge=0.0, le=10.0)
    security: float = Field(ge=0.0, le=10.0)

    @property
    def overall(self) -> float:
        """correctness x (0.8 + 0.2 x mean of best_practices and security / 10).

        Good habits never lift a wrong answer.
        """
        # 0.8 to 1: a right answer with the worst habits still beats a half right one with the best.
        habits = (self.best_practices + self.security) / 20
        return round(self.correctness * (0.8 + 0.2 * habits), 1)


class Criterion(Contract):
    """The answer to one line of the rubric."""

    met: bool
    evidence: str = Field(max_length=400)
    """What the judge quotes; empty if nothing fits."""


class Judgement(Contract):
    """A judge's word on one answer.

    A judge that abstains says nothing: every score is null then, never zero.
    """

    scores: Scores | None = None
    overall: float | None = None
    would_work: bool | None = None
    """The text is valid and does all that was asked for."""
    criteria: dict[str, Criterion] = Field(default_factory=dict)
    """The rubric's lines by their ids; none from the rules judge."""
    feedback: str = ""
    abstained: Reason | None = None


class Preference(Contract):
    """A judge's word on two answers to the same task."""

    winner: Winner | None = None
    """Null when the judge abstains."""
    orders: tuple[Winner | None, ...] = ()
    """Its winners when the first answer stood first, and when it stood last.

    Two that disagree make a tie.
    """
    feedback: str = ""
    abstained: Reason | None = None
