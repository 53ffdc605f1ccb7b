"""Turns a task into chat messages and the answer that training shows, also for serving."""

from inframind.categories import category
from inframind.types import Task

SYSTEM = "Answer with one fenced file."

Message = dict[str, str]


def messages(instruction: str, task_input: str = "", system: str = "") -> list[Message]:
    """Writes system and user message for an instruction and its optional input."""
    text = f"{instruction}\n\n{task_input}" if task_input else instruction
    return [{"role": "system", "content": system or SYSTEM}, {"role": "user", "content": text}]


def prompt(task: Task) -> list[Message]:
    """Writes the messages that ask for the task."""
    return messages(task.instruction, task.input, task.system)


def answer_text(language: str, reference: str, reasoning: str) -> str:
    """Writes `<think>` with the reasoning, then the one fenced file."""
    return f"<think>\n{reasoning}\n</think>\n```{language}\n{reference.rstrip()}\n```"


def answer(task: Task) -> str:
    """Writes the reference answer as supervised training shows it."""
    return answer_text(category(task.category).languages[0], task.reference, task.reasoning)
