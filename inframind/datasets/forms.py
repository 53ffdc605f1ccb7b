"""Reads the forms in which a row may come, by the names that their exporters write.

Sources: OpenAI's `messages`, `prompt` and `completion`, and items for reinforcement
(https://platform.openai.com/docs/guides/supervised-fine-tuning, /reinforcement-fine-tuning);
ShareGPT's `conversations` (`from`, `value`) as LLaMA-Factory and Axolotl read it; Alpaca's
`instruction`, `input`, `output`; TRL's `prompt` and `completion` as lists of messages.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from inframind.errors import DataError
from inframind.types import Turn

ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
}
"""The role, or ShareGPT's `from`, -> the role that chat templates know."""
MAX_CONTENT, MAX_CONVERSATION, MAX_MESSAGES = 64_000, 128_000, 256
MAX_MISSPELT = 32
"""Characters of a column's name that may be a slip: the comparison's time grows with the square."""
CONVERSATIONS = ("messages", "conversations", "conversation")
SHARED = ("category", "checks")
"""Fields that a row of any form may have."""
FORMS = (
    "`messages`; `conversations`; `prompt` and `completion`; or `instruction`, perhaps `input`, "
    "and `output`"
)
MEANINGS = ("tools", "functions", "tool_calls", "function_call", "audio", "history")
"""What would change the text, and cannot be trained on: refused unless it is empty."""
ANSWERS = ("response", "answer", "solution", "target", "completion", "output", "chosen")
OTHER_FORMS: Sequence[tuple[frozenset[str], str]] = (
    (
        frozenset({"chosen", "rejected"}),
        "preference pairs (DPO), which no stage trains on: give the chosen answer alone, as "
        "`prompt` and `completion`",
    ),
    (frozenset({"question"}), "questions and answers: name them `instruction` and `output`"),
    (frozenset({"query"}), "queries and responses: name them `instruction` and `output`"),
    (frozenset({"input", "output"}), "input and output: name them `prompt` and `completion`"),
    (frozenset({"text"}), "plain text: split it into `prompt` and `completion`"),
)
"""Columns -> what rows with them look like, and what to do."""


@dataclass(frozen=True)
class Said:
    """A message of a row, and where it stands, as the sender called it."""

    turn: Turn
    place: str


@dataclass(frozen=True)
class Sample:
    """A row with its form's names sorted out."""

    said: tuple[Said, ...] = ()
    """The conversation; empty: the row has Alpaca's fields."""
    place: str = "output"
    """Where an answer would stand, if there is none."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Alpaca's fields, `category` and `checks`."""
    ignored: tuple[str, ...] = ()
    """Columns that mean nothing here."""


def sample(data: Mapping[str, Any]) -> Sample:
    """Reads a row of any form. Raises DataError that names the field as it was sent.

    A field that is null is left out: pandas and `datasets` write one for each missing value.
    """
    row = {name: value for name, value in data.items() if value is not None}
    # HF exports have `tools: []` in every row of a set in which some rows call tools.
    for name in MEANINGS:
        if row.pop(name, None):
            raise DataError("only text in `messages` can be trained on: leave it out", param=name)
    if {"chosen", "rejected"} <= row.keys():
        raise DataError(_looks_like(row), param="row")
    # `messages` first: UltraChat and its like repeat the first message as `prompt`.
    conversation = next((name for name in CONVERSATIONS if name in row), None)
    if conversation is not None:
        used: tuple[str, ...] = (conversation, "system", "reference_answer")
        place = conversation
        said = _with_system(row, _turns(row[conversation], conversation))
        said += _reference(row, said)
    elif "prompt" in row:
        used, place = ("prompt", "completion", "system"), "completion"
        said = _with_system(row, _text_or_turns(row["prompt"], "prompt", "user"))
        if row.get("completion"):
            said += _text_or_turns(row["completion"], "completion", "assistant")
    elif "instruction" in row:
        used, place, said = ("instruction", "input", "output", "system"), "output", ()
    else:
        raise DataError(_looks_like(row), param="row")
    _check_size(said, used[0])
    names = (*used, *SHARED)
    kept = SHARED if said else names
    fields = {name: row[name] for name in kept if name in row}
    return Sample(said=said, place=place, fields=fields, ignored=_ignored(row, names))


def _turns(messages: Any, name: str) -> tuple[Said, ...]:
    if (
        not isinstance(messages, list)
        or not messages
        or not all(isinstance(message, Mapping) for message in messages)
    ):
        raise DataError("a list of messages with `role` and `content` is needed", param=name)
    places = [f"{name}.{index}" for index in range(len(messages))]
    return tuple(
        Said(_turn(message, place), place) for message, place in zip(messages, places, strict=True)
    )


def _text_or_turns(value: Any, name: str, role: Literal["user", "assistant"]) -> tuple[Said, ...]:
    """Reads a prompt or completion, which is a text or, as TRL has it, a list of messages."""
    if isinstance(value, str):
        return (Said(_checked(value, name, role), name),)
    return _turns(value, name)


def _turn(message: Mapping[str, Any], place: str) -> Turn:
    role_name = "from" if "from" in message and "role" not in message else "role"
    content_name = "value" if "value" in message and "content" not in message else "content"
    for name in MEANINGS:
        if message.get(name):
            raise DataError("only text can be trained on: leave it out", param=f"{place}.{name}")
    role = ROLES.get(str(message.get(role_name)))
    if role is None:
        raise DataError(
            f"{str(message.get(role_name))[:40]!r} is no role that can be trained with; known: "
            f"{', '.join(ROLES)}",
            param=f"{place}.{role_name}",
        )
    # OpenAI's weights are the integers 0 and 1; `true` would be a 1 to Python.
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise DataError("0 (not trained on) or 1", param=f"{place}.weight")
    text = _text(message.get(content_name), f"{place}.{content_name}")
    turn = _checked(text, f"{place}.{content_name}", role)
    return turn.model_copy(update={"weight": int(weight)}) if weight is not None else turn


def _checked(text: str, name: str, role: Literal["system", "user", "assistant"]) -> Turn:
    if len(text) > MAX_CONTENT:
        raise DataError(f"it has {len(text)} characters; at most {MAX_CONTENT}", param=name)
    if not text.strip() and role != "system":
        raise DataError("it is empty", param=name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError("it is not valid Unicode: it has a lone surrogate", param=name) from None
    return Turn(role=role, content=text)


def _text(content: Any, name: str) -> str:
    """Joins the text of a message, which may come in parts. Raises DataError for an image."""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = [
        part.get("text")
        for part in parts
        if isinstance(part, Mapping) and part.get("type") == "text"
    ]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise DataError("only text can be trained on", param=name)
    return "".join(str(text) for text in texts)


def _with_system(row: Mapping[str, Any], said: tuple[Said, ...]) -> tuple[Said, ...]:
    """Puts the row's own `system` first, as ShareGPT has it beside the conversation."""
    system = row.get("system")
    if not system:
        return said
    if not isinstance(system, str):
        raise DataError("a text is needed", param="system")
    if said[0].turn.role == "system":
        raise DataError("the conversation begins with a system message of its own", param="system")
    return (Said(_checked(system, "system", "system"), "system"), *said)


def _reference(row: Mapping[str, Any], said: tuple[Said, ...]) -> tuple[Said, ...]:
    """Takes a reinforcement item's reference for its answer."""
    name, reference = "reference_answer", row.get("reference_answer")
    if reference is None:
        return ()
    if not isinstance(reference, str):
        raise DataError("a text is needed: the file, or an answer that holds it", param=name)
    if said[-1].turn.role == "assistant":
        raise DataError("the conversation has an answer already", param=name)
    return (Said(_checked(reference, name, "assistant"), name),)


def _check_size(said: Sequence[Said], name: str) -> None:
    if len(said) > MAX_MESSAGES:
        raise DataError(f"{len(said)} messages; at most {MAX_MESSAGES}", param=name)
    characters = sum(len(message.turn.content) for message in said)
    if characters > MAX_CONVERSATION:
        raise DataError(f"{characters} characters; at most {MAX_CONVERSATION}", param=name)
    if said and all(message.turn.role != "user" for message in said):
        raise DataError("a message of the user is needed", param=name)


def _ignored(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Names the columns that mean nothing here. Raises DataError for a name that is misspelt."""
    ignored = tuple(name for name in row if name not in names)
    for name in ignored:
        # A `check` or an `ouput` that is passed over would train on less than was meant.
        near = _nearest(name, names) if len(name) <= MAX_MISSPELT else None
        if near is not None and near not in row:
            raise DataError(f"unknown; did you mean `{near}`?", param=name)
    return ignored


@lru_cache(maxsize=1024)
def _nearest(name: str, names: tuple[str, ...]) -> str | None:
    """Finds the name that is meant by one with a letter too many, too few or of the wrong case."""
    # At 0.85 `categry` and `outputs` are near, `category_id` and `text` are not.
    return next(iter(difflib.get_close_matches(name.lower(), names, 1, cutoff=0.85)), None)


def _looks_like(row: Mapping[str, Any]) -> str:
    guess = next((says for columns, says in OTHER_FORMS if columns <= set(row)), None)
    if guess is not None:
        return f"it looks like {guess}"
    columns = ", ".join(str(name) for name in list(row)[:12])[:200]
    return f"its columns are {columns or 'none'}; needed are {FORMS}"


def missing_answer(sample: Sample) -> str:
    """Says what a row without an answer lacks, and where the answer may stand."""
    column = next((name for name in sample.ignored if name in ANSWERS), None)
    hint = f" (`{column}` looks like it: name it `{sample.place}`)" if column else ""
    return f"an answer is required, unless the row has `category` and `checks`{hint}"
