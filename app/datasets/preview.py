"""Shows the rows of a dataset as a base model is trained on them."""

import json

from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.datasets import service as datasets
from app.datasets.views import DatasetRowView, TurnView
from app.db.paging import no_such_row
from app.views import Page, PageRequest
from inframind.bench.prompt import conversation
from inframind.datasets.rendering import render_task
from inframind.models.registry import base_model_path
from inframind.types import Task

MAX_PAGE_CHARACTERS = 4_000_000
"""A row may have 128,000 characters, and a page a thousand rows: one answer must not hold both."""


def list_rows(
    engine: Engine, artifacts: Artifacts, identity: str, base_model: str, page: PageRequest
) -> Page[DatasetRowView]:
    """Lists a dataset's rows in the order of the upload.

    Raises NotFoundError, ModelNotFoundError, DataError, InvalidError for an unknown `after`.
    """
    # The row says whose dataset it is; its file lies once for all who added the same content.
    datasets.find(engine, identity)
    base_model_path(base_model)
    lines = datasets.lines_of(artifacts, identity)
    start = _index_behind(lines, page.after)
    views: list[DatasetRowView] = []
    characters = 0
    # Only the page's own lines are parsed: all 20,000 of the largest dataset take a second.
    for line in lines[start : start + page.limit]:
        views.append(_row_view(Task.model_validate_json(line), base_model))
        characters += len(views[-1].text)
        if characters > MAX_PAGE_CHARACTERS:
            break
    has_more = start + len(views) < len(lines)
    return Page[DatasetRowView].of(views, [view.id for view in views], has_more=has_more)


def _index_behind(lines: list[bytes], after: str | None) -> int:
    if after is None:
        return 0
    # A task's id is its first field.
    start = f'{{"id":{json.dumps(after)},'.encode()
    for index, line in enumerate(lines):
        if line.startswith(start):
            return index + 1
    raise no_such_row()


def _row_view(task: Task, base_model: str) -> DatasetRowView:
    rendered = render_task(task, base_model)
    return DatasetRowView(
        id=task.id,
        split=task.split,
        category=task.category,
        messages=[
            TurnView(role=turn.role, content=turn.content, is_trained=turn.is_trained)
            for turn in conversation(task)
        ],
        text=rendered.text,
        tokens=rendered.num_tokens,
        trained_tokens=rendered.num_trained_tokens,
        checks=len(task.checks),
    )
