"""Renders a task as the tokens that training sees, and tells which of them are trained on."""

from dataclasses import dataclass

from inframind.bench.prompt import answer, prompt
from inframind.generation.encoding import encode
from inframind.generation.template import render, template
from inframind.types import Task


@dataclass(frozen=True)
class Piece:
    """A stretch of the rendered text."""

    text: str
    is_trained: bool


@dataclass(frozen=True)
class RenderedTask:
    """A task as a base model's chat template writes it."""

    base_model: str
    pieces: tuple[Piece, ...]

    @property
    def num_tokens(self) -> int:
        """Tokens of the whole text."""
        return sum(len(encode(self.base_model, piece.text)) for piece in self.pieces)


def render_task(task: Task, base_model: str) -> RenderedTask:
    """Renders a task with the chat template of a base model. Raises EngineError.

    Without an answer, as reinforcement uses it, the text ends with the assistant's opening.
    """
    asked = render(base_model, prompt(task))
    pieces = [Piece(asked, is_trained=False)]
    if task.reference:
        messages = [*prompt(task), {"role": "assistant", "content": answer(task)}]
        whole: str = template(base_model).render(messages=messages, add_generation_prompt=False)
        pieces.append(Piece(whole[len(asked) :], is_trained=True))
    return RenderedTask(base_model, tuple(pieces))
