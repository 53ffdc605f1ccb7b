"""Reads the forms in which a row may come.

They are Alpaca's, OpenAI's `messages`, its legacy `prompt` and `completion`, and items for
reinforcement. Source: https://platform.openai.com/docs/guides/supervised-fine-tuning and
/reinforcement-fine-tuning (format of the data).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from inframind.errors import DataError

SYSTEM_ROLES = ("system", "developer")
TURNS = "a row has one user message and one assistant message, after at most one system message"


def alpaca(data: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the row's fields Alpaca's names. Raises DataError.

    What has no meaning here stays, to be refused by its name.
    """
    if "messages" in data:
        rest = {
            name: value
            for name, value in data.items()
            if name not in ("messages", "reference_answer")
        }
        return {**_conversation(data["messages"], data.get("reference_answer")), **rest}
    if "prompt" in data:
        rest = {name: value for name, value in data.items() if name not in ("prompt", "completion")}
        return {"instruction": data["prompt"], "output": data.get("completion", ""), **rest}
    return dict(data)


def _conversation(messages: Any, reference: Any) -> dict[str, Any]:
    """Reads a conversation: the assistant's last message is the answer.

    An item for reinforcement ends with the user's message and has `reference_answer`, or `checks`.
    """
    if (
        not isinstance(messages, Sequence)
        or not messages
        or not all(isinstance(message, Mapping) for message in messages)
    ):
        raise DataError("a list of messages with `role` and `content`", param="messages")
    system = _text(messages[0], 0) if messages[0].get("role") in SYSTEM_ROLES else ""
    turns = messages[1:] if system else messages
    roles = [turn.get("role") for turn in turns]
    fields = {"system": system, "instruction": ""}
    if roles == ["user", "assistant"]:
        return {
            **fields,
            "instruction": _text(turns[0], len(messages) - 2),
            "output": _text(turns[1], len(messages) - 1),
        }
    if roles == ["user"]:
        return {
            **fields,
            "instruction": _text(turns[0], len(messages) - 1),
            "output": reference if reference is not None else "",
        }
    given_roles = ", ".join(str(message.get("role")) for message in messages)[:100]
    raise DataError(f"{TURNS}; the roles are {given_roles}", param="messages")


def _text(message: Mapping[str, Any], index: int) -> str:
    """Joins the text of a message, which may come in parts. Raises DataError for an image."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = [
        part.get("text")
        for part in parts
        if isinstance(part, Mapping) and part.get("type") == "text"
    ]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise DataError("only text can be trained on", param=f"messages.{index}.content")
    return "".join(str(text) for text in texts)
