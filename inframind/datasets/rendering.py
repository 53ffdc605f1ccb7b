"""Renders a task as the tokens that training sees, and tells which of them are trained on.

The one place that does: training, the preview of a dataset's rows and their lengths agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from inframind.bench.prompt import conversation, plain
from inframind.errors import EngineError
from inframind.generation.encoding import encode
from inframind.generation.template import template
from inframind.types import Task

IGNORED = -100
"""The label of a token without loss (PyTorch's `ignore_index`)."""


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
    def text(self) -> str:
        """The whole text; without an answer it ends where the model has to write one."""
        return "".join(piece.text for piece in self.pieces)

    @cached_property
    def _encoded(self) -> list[list[int]]:
        # Piece by piece, as serving encodes a prompt on its own: a blank line at the start of an
        # answer would else become one token with the line end before it.
        return [encode(self.base_model, piece.text) for piece in self.pieces]

    @property
    def input_ids(self) -> list[int]:
        """The text's tokens [T]."""
        return [token for tokens in self._encoded for token in tokens]

    @property
    def labels(self) -> list[int]:
        """The tokens that the loss is computed on [T]; `IGNORED` elsewhere."""
        return [
            token if piece.is_trained else IGNORED
            for piece, tokens in zip(self.pieces, self._encoded, strict=True)
            for token in tokens
        ]

    @property
    def num_tokens(self) -> int:
        """Tokens of the whole text."""
        return sum(map(len, self._encoded))

    @property
    def num_trained_tokens(self) -> int:
        """Tokens that the loss is computed on."""
        return sum(
            len(tokens)
            for piece, tokens in zip(self.pieces, self._encoded, strict=True)
            if piece.is_trained
        )


def render_task(task: Task, base_model: str) -> RenderedTask:
    """Renders a task with the chat template of a base model. Raises EngineError.

    Without an answer, as reinforcement uses it, the text ends with the assistant's opening.
    """
    return RenderedTask(base_model, tuple(_pieces(task, base_model)))


def _pieces(task: Task, base_model: str) -> Iterator[Piece]:
    turns = conversation(task)
    messages = [plain(turn) for turn in turns]
    written = ""
    for index, turn in enumerate(turns):
        if turn.is_trained:
            opened = _render(base_model, messages[:index], is_opened=True)
            closed = _render(base_model, messages[: index + 1])
            yield _rest(opened, written, base_model, is_trained=False)
            yield _rest(closed, opened, base_model, is_trained=True)
            written = closed
    if turns[-1].role != "assistant":
        yield _rest(
            _render(base_model, messages, is_opened=True), written, base_model, is_trained=False
        )


def _render(base_model: str, messages: list[dict[str, str]], *, is_opened: bool = False) -> str:
    text: str = template(base_model).render(messages=messages, add_generation_prompt=is_opened)
    return text


def _rest(text: str, written: str, base_model: str, *, is_trained: bool) -> Piece:
    # A template that rewrites earlier turns (Qwen3's drops their thoughts) shows the model another
    # text at each turn: no one sequence trains them all as they are served.
    if not text.startswith(written):
        raise EngineError(
            f"the chat template of {base_model} rewrites earlier turns: use rows with one answer"
        )
    return Piece(text[len(written) :], is_trained)
