"""Makes of a row what is trained on: its conversation as given, or InfraMind's fenced form."""

from dataclasses import dataclass

from pydantic import Field

from inframind.categories import CATEGORIES
from inframind.datasets.forms import Sample, missing_answer
from inframind.errors import DataError
from inframind.types import Check, Contract, Rendering, Turn
from inframind.verifier.checks import validate_checks


class Stated(Contract):
    """Says what the file of a row is and what must hold of it."""

    category: str | None = None
    """What the file is; null: detected."""
    checks: tuple[Check, ...] = Field(default=(), max_length=64)
    """Without checks they are derived from the output: what of it the instruction states."""


class AlpacaRow(Stated):
    """A row of Alpaca's fields."""

    instruction: str = Field(min_length=1, max_length=8_000)
    input: str = Field(default="", max_length=32_000)
    system: str = Field(default="", max_length=8_000)
    """The system message; empty: the one that every task in the fenced form has."""
    output: str = Field(default="", max_length=64_000)
    """A file, or an answer with one fenced file and optionally `<think>`.

    Empty: only reinforcement can use the row; then it needs `category` and `checks`, and nothing
    proves that they can be met.
    """


@dataclass(frozen=True)
class Example:
    """A row as it is trained on."""

    instruction: str
    input: str
    system: str
    output: str
    """The answer that is trained on; empty: there is none."""
    category: str | None
    checks: tuple[Check, ...]
    place: str
    """Where the answer stands, as the sender called it."""
    turns: tuple[Turn, ...] = ()
    """What the task's `messages` will be; empty for the fenced form."""
    earlier: tuple[tuple[str, str], ...] = ()
    """Place and text of the answers before the last that are trained on too."""
    is_untrained: bool = False
    """Its weights say that none of its answers is trained on."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The texts that ask: equal ones are one question. Alpaca's are compared without blanks."""
        if self.turns:
            prompt = self.turns[:-1] if self.output else self.turns
            return tuple(text for turn in prompt for text in (turn.role, turn.content))
        return (" ".join(self.instruction.split()), " ".join(self.input.split()), self.system)


def rendering_of(samples: dict[int, Sample], asked_for: Rendering | None) -> Rendering:
    """Chooses how a file's rows are rendered: conversations as given, Alpaca's rows fenced.

    Raises DataError for a file that has both, unless it is said.
    """
    if asked_for is not None:
        return asked_for
    first = {bool(sample.said): number for number, sample in reversed(samples.items())}
    if len(first) == 2:
        raise DataError(
            f"row {first[True]} is a conversation, which is trained on as it is given, and row "
            f"{first[False]} has `instruction`, which gets the fenced form: send two files, or say "
            "`rendering` as_given or fenced for all",
            param="rendering",
        )
    return "as_given" if True in first else "fenced"


def example_of(sample: Sample, rendering: Rendering) -> Example:
    """Makes a row's example. Raises DataError or pydantic's ValidationError."""
    if sample.said:
        example = _of_conversation(sample, rendering)
    else:
        example = _of_alpaca(AlpacaRow.model_validate(sample.fields), rendering)
    validate_checks(example.checks)
    if example.category is not None and example.category not in CATEGORIES:
        raise DataError(
            f"unknown category {example.category[:64]!r}; known: {', '.join(CATEGORIES)}",
            param="category",
        )
    is_usable = example.output or (example.checks and example.category)
    if not is_usable and not example.is_untrained:
        raise DataError(missing_answer(sample), param=sample.place)
    return example


def _of_alpaca(row: AlpacaRow, rendering: Rendering) -> Example:
    turns: tuple[Turn, ...] = ()
    if rendering == "as_given":
        asked = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
        said = (("system", row.system), ("user", asked), ("assistant", row.output))
        turns = tuple(
            Turn.model_validate({"role": role, "content": text}) for role, text in said if text
        )
    return Example(**dict(row), place="output", turns=turns)


def _of_conversation(sample: Sample, rendering: Rendering) -> Example:
    stated = Stated.model_validate(sample.fields)
    said = sample.said
    trained = [index for index, message in enumerate(said) if message.turn.is_trained]
    is_item = said[-1].turn.role == "user" and bool(stated.checks and stated.category)
    if trained and said[-1].turn.role != "user":
        # No loss comes after the last answer that is trained on: what follows teaches nothing.
        said = said[: trained[-1] + 1]
        answer, place = said[-1].turn.content, said[-1].place
    elif said[-1].turn.role == "user" and not is_item:
        raise DataError(missing_answer(sample), param=sample.place)
    else:
        while said[-1].turn.role == "assistant":
            said = said[:-1]
        answer, place = "", sample.place
    # Weights stay: earlier answers of weight 0 are shown as context.
    turns = tuple(message.turn for message in said)
    if not answer:
        # For reinforcement what was said before is the prompt: no loss is computed on it.
        turns = tuple(
            turn.model_copy(update={"weight": 0}) if turn.is_trained else turn for turn in turns
        )
    if rendering == "fenced":
        _check_fits_fence(turns, sample.place)
    # What checks are derived from: any of the user's messages may state a value.
    asked = "\n\n".join(turn.content for turn in turns if turn.role == "user")
    system = turns[0].content if turns[0].role == "system" else ""
    return Example(
        instruction=asked,
        input="",
        system=system,
        output=answer,
        category=stated.category,
        checks=stated.checks,
        place=place,
        turns=turns if rendering == "as_given" else (),
        earlier=tuple(
            (said[index].place, said[index].turn.content) for index in trained[:-1] if answer
        ),
        is_untrained=not trained and not is_item,
    )


def _check_fits_fence(turns: tuple[Turn, ...], place: str) -> None:
    roles = [turn.role for turn in turns]
    if roles[roles[0] == "system" :] not in (["user"], ["user", "assistant"]):
        raise DataError(
            "the fenced form has one message of the user and one of the assistant, after at most "
            f"one system message; the roles are {', '.join(roles)[:100]}. As given it can be "
            "trained on: say `rendering` as_given",
            param=place,
        )
