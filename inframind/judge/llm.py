"""Judges by a language model.

Whoever gives it `ask` decides where the model is; what it is asked, and what its reply means, is
here.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inframind.errors import InfraMindError
from inframind.judge.judgement import Criterion, Judgement, Preference, Reason, Scores, Winner
from inframind.judge.prompt import MAX_CANDIDATE, Case, Message, Schema, pair, prompt_hash, single

MAX_CACHED = 4096
FENCED = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
Form = TypeVar("Form", bound=BaseModel)


def fingerprint(model: str) -> str:
    """Names a judge: another model or another wording is another judge."""
    return f"sha256:{hashlib.sha256(f'{model} {prompt_hash()}'.encode()).hexdigest()}"


class SilentError(InfraMindError):
    """The judge model gave no reply."""

    code = "judge_silent"

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Ask(Protocol):
    """Sends a conversation to the model. Raises SilentError.

    The reply should have the schema, but need not.
    """

    async def __call__(self, messages: Sequence[Message], schema: Schema) -> str: ...


class _Reply(BaseModel):
    # A score of "7" or a field of its own invention: such a judge did not follow the question.
    model_config = ConfigDict(strict=True, extra="forbid")


class _Single(_Reply):
    criteria: dict[str, Criterion]
    scores: Scores
    would_work: bool
    feedback: str = Field(max_length=4000)


class _Pair(_Reply):
    comparison: str = Field(max_length=4000)
    better: Literal["A", "B", "tie"]


class LlmJudge:
    """Asks one model with our prompt.

    Replies that have the form are kept by the hash of model, prompt and answer.
    """

    def __init__(self, model: str, ask: Ask) -> None:
        self.model = model
        self.fingerprint = fingerprint(model)
        self._ask = ask
        self._cache: OrderedDict[str, str] = OrderedDict()

    async def judge(self, case: Case, candidate: str, *, fresh: bool = False) -> Judgement:
        """Judges one answer; `fresh` asks again even if the reply is known.

        Where the model is at fault it abstains, and raises nothing.
        """
        # A cut answer would be judged for what was cut off.
        if len(candidate) > MAX_CANDIDATE:
            return Judgement(
                abstained="too_long",
                feedback=f"the answer has more than {MAX_CANDIDATE} characters",
            )
        messages, schema = single(case, candidate)
        try:
            reply = await self._reply(_Single, messages, schema, fresh)
        except SilentError as error:
            return Judgement(abstained=error.reason, feedback=str(error))
        if set(reply.criteria) != set(schema["properties"]["criteria"]["properties"]):
            return Judgement(
                abstained="unparsable", feedback="the reply does not answer the rubric's criteria"
            )
        return Judgement(
            scores=reply.scores,
            overall=reply.scores.overall,
            would_work=reply.would_work,
            criteria=reply.criteria,
            feedback=reply.feedback,
        )

    async def compare(
        self, case: Case, first: str, second: str, *, fresh: bool = False
    ) -> Preference:
        """Compares two answers in both orders.

        A judge that follows the place and not the answer ends in a tie (arXiv:2306.05685).
        """
        if max(len(first), len(second)) > MAX_CANDIDATE:
            return Preference(
                abstained="too_long", feedback=f"an answer has more than {MAX_CANDIDATE} characters"
            )
        try:
            forward = await self._reply(_Pair, *pair(case, first, second), fresh)
            backward = await self._reply(_Pair, *pair(case, second, first), fresh)
        except SilentError as error:
            return Preference(abstained=error.reason, feedback=str(error))
        # In the second question the places are exchanged, so A is the second answer.
        places: dict[str, Winner] = {"A": "first", "B": "second", "tie": "tie"}
        swapped: dict[str, Winner] = {"A": "second", "B": "first", "tie": "tie"}
        orders = (places[forward.better], swapped[backward.better])
        winner: Winner = orders[0] if orders[0] == orders[1] else "tie"
        return Preference(winner=winner, orders=orders, feedback=forward.comparison)

    async def _reply(
        self, form: type[Form], messages: list[Message], schema: Schema, fresh: bool
    ) -> Form:
        key = hashlib.sha256(json.dumps([self.fingerprint, messages]).encode()).hexdigest()
        text = None if fresh else self._cache.get(key)
        if text is None:
            text = await self._ask(messages, schema)
        reply = parsed(form, text)
        # Kept only once it was read: a reply without the form is asked for again next time.
        self._cache[key] = text
        self._cache.move_to_end(key)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return reply


def parsed(form: type[Form], text: str) -> Form:
    """Reads a reply; thoughts before it and a fence around it are taken off.

    Raises SilentError if it does not have the form.
    """
    body = text.rpartition("</think>")[2].strip()
    fence = FENCED.match(body)
    try:
        return form.model_validate_json(fence[1] if fence else body, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SilentError(
            "unparsable",
            f"the reply does not have the form: {place or 'JSON'}: {first['msg']}"[:300],
        ) from None
