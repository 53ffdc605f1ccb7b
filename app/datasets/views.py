"""Datasets and files as answers show them."""

from typing import Literal

from app.views import View


class DatasetView(View):
    """Description of a stored dataset, as `/datasets` answers."""

    id: str
    object: str = "dataset"
    name: str | None
    tasks: dict[str, int]
    """Split -> tasks. `test-values` is never trained on."""
    categories: dict[str, int]
    duplicates: int
    derived: int
    """Tasks whose checks were derived from the row's output."""
    unchecked: int
    """Tasks without checks: their reward stops at 0.2."""
    created_at: float


class FileView(View):
    """File object in OpenAI's form, as `/v1/files` answers."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    """Every row was proven when the file was uploaded."""
    status_details: str | None = None
    expires_at: int | None = None


class DeletedFile(View):
    """The file is gone; datasets and jobs that came of it stay."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
