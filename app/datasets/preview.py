"""Shows the rows of a dataset as a base model is trained on them."""

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
    """Lists a dataset's rows, those that are trained on first.

    Raises NotFoundError, ModelNotFoundError, DataError, InvalidError for an unknown `after`.
    """
    # The row says whose dataset it is; its file lies once for all who added the same content.
    datasets.find(engine, identity)
    base_model_path(base_model)
    tasks = datasets.tasks_of(artifacts, identity)
    start = _index_behind(tasks, page.after)
    views: list[DatasetRowView] = []
    characters = 0
    for task in tasks[start : start + page.limit]:
        views.append(_row_view(task, base_model))
        characters += len(views[-1].text)
        if characters > MAX_PAGE_CHARACTERS:
            break
    has_more = start + len(views) < len(tasks)
    return Page[DatasetRowView].of(views, [view.id for view in views], has_more=has_more)


def _index_behind(tasks: list[Task], after: str | None) -> int:
    if after is None:
        return 0
    for index, task in enumerate(tasks):
        if task.id == after:
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
