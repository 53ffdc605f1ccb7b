"""Turns a task into chat messages and the answer that training shows, also for serving."""

from collections.abc import Sequence

from inframind.categories import category
from inframind.types import Rendering, Task, Turn

SYSTEM = "Answer with one fenced file."

Message = dict[str, str]


def messages(
    instruction: str, task_input: str = "", system: str = "", rendering: Rendering = "fenced"
) -> list[Message]:
    """Writes system and user message for an instruction and its optional input.

    As given there is a system message only if the row has one.
    """
    text = f"{instruction}\n\n{task_input}" if task_input else instruction
    # The bundled model was pretrained below this one sentence: without it pass rates are others.
    system = system or (SYSTEM if rendering == "fenced" else "")
    opening = [{"role": "system", "content": system}] if system else []
    return [*opening, {"role": "user", "content": text}]


def as_trained(conversation: Sequence[Message], rendering: Rendering | None) -> list[Message]:
    """Opens a conversation as the rows began that the model was trained on; None: a base model.

    In the fenced form each had a system message; as given the conversation is the prompt.
    """
    if rendering == "fenced" and all(message["role"] != "system" for message in conversation):
        return [{"role": "system", "content": SYSTEM}, *conversation]
    return list(conversation)


def prompt(task: Task) -> list[Message]:
    """Writes the messages that ask for the task."""
    if task.messages:
        end = len(task.messages) - (task.messages[-1].role == "assistant")
        return [plain(turn) for turn in task.messages[:end]]
    return messages(task.instruction, task.input, task.system)


def plain(turn: Turn) -> Message:
    """Writes a turn as a chat template reads it."""
    return {"role": turn.role, "content": turn.content}


def conversation(task: Task) -> list[Turn]:
    """Writes all that training may show of a task: its prompt, then its answer if it has one."""
    if task.messages:
        return list(task.messages)
    asked = [Turn.model_validate(message) for message in prompt(task)]
    return [*asked, Turn(role="assistant", content=answer(task))] if task.reference else asked


def answer_text(language: str, reference: str, reasoning: str) -> str:
    """Writes `<think>` with the reasoning, then the one fenced file."""
    return f"<think>\n{reasoning}\n</think>\n```{language}\n{reference.rstrip()}\n```"


def answer(task: Task) -> str:
    """Writes the reference answer as supervised training shows it."""
    # Word for word, also thoughts and prose: the reference is the file alone.
    if task.messages:
        return task.messages[-1].content
    return answer_text(category(task.category).languages[0], task.reference, task.reasoning)
