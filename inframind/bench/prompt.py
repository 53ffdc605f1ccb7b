"""From a task to chat messages, and to the answer that supervised training shows. One form for training and serving."""

from inframind.categories import category
from inframind.types import Task

SYSTEM = "Answer with one fenced file."

Message = dict[str, str]


def messages(instruction: str, given: str = "", system: str = "") -> list[Message]:
    """System and user message for an instruction and its optional input."""
    text = f"{instruction}\n\n{given}" if given else instruction
    return [{"role": "system", "content": system or SYSTEM}, {"role": "user", "content": text}]


def prompt(task: Task) -> list[Message]:
    """The messages that ask for the task."""
    return messages(task.instruction, task.input, task.system)


def answer_text(language: str, reference: str, reasoning: str) -> str:
    """`<think>` with the reasoning, then the one fenced file."""
    return f"<think>\n{reasoning}\n</think>\n```{language}\n{reference.rstrip()}\n```"


def answer(task: Task) -> str:
    """The reference answer as supervised training shows it."""
    return answer_text(category(task.category).languages[0], task.reference, task.reasoning)
