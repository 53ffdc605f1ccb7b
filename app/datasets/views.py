"""Datasets and files as answers show them."""

from typing import Literal

from app.views import View
from inframind.types import Rendering, Split


class DatasetView(View):
    """Description of a stored dataset, as `/datasets` answers."""

    id: str
    object: str = "dataset"
    name: str | None
    rendering: Rendering
    """How the rows become the text that is trained on, and prompts at serving: `as_given` or
    InfraMind's `fenced` form."""
    tasks: dict[str, int]
    """Split -> tasks. `test-values` is never trained on."""
    categories: dict[str, int]
    duplicates: int
    """Rows of the newest upload of this content that an earlier row said already."""
    conflicts: int
    """Its rows that ask what an earlier row asks, and answer otherwise: the first is kept."""
    untrained: int
    """Its rows that are left out, as all of their answers have weight 0."""
    ignored: dict[str, int]
    """Its columns that mean nothing here -> rows that have them."""
    derived: int
    """Tasks whose checks were derived from the row's output."""
    unchecked: int
    """Tasks without checks: their reward stops at 0.2."""
    created_at: float


class TurnView(View):
    """A message of a row, as training shows it."""

    role: Literal["system", "user", "assistant"]
    content: str
    is_trained: bool
    """The loss is computed on it."""


# `is_trained`, not the `weight` that was sent: a system message has a weight too, and no loss.
class DatasetRowView(View):
    """A row of a dataset as a base model is trained on it."""

    id: str
    object: Literal["dataset.row"] = "dataset.row"
    split: Split
    category: str
    messages: list[TurnView]
    text: str
    """The messages in the base model's chat template."""
    tokens: int
    """Tokens of the text, which a stage's `max_length` is held against."""
    trained_tokens: int
    """Tokens that the loss is computed on; 0: only reinforcement can use the row."""
    checks: int


class FileView(View):
    """File object in OpenAI's form, as `/v1/files` answers."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    # `files.wait_for_processing` of OpenAI's client polls it.
    status: Literal["processed"] = "processed"
    """Every row was proven when the file was uploaded."""
    status_details: str | None = None
    dataset: str
    """Not OpenAI's: the dataset that its rows are, as `GET /datasets/{id}` shows it."""
    expires_at: int | None = None


class DeletedFile(View):
    """The file is gone; datasets and jobs that came of it stay."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
