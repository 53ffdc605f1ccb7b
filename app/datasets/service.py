"""Stores, lists and finds datasets for the api."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import aliased

from app.artifacts import Artifacts
from app.datasets.views import DatasetView
from app.db.ownership import acting, as_key
from app.db.paging import read_page, stored_position
from app.db.session import add_once, database_now, reading, writing
from app.db.tables import Dataset
from app.errors import NotFoundError
from app.views import Page, PageRequest
from inframind.datasets.rows import read
from inframind.datasets.store import lines, name_of, save
from inframind.errors import DataError
from inframind.types import Rendering, Task
from inframind.verifier.verifier import Verifier


def add(
    engine: Engine,
    verifier: Verifier,
    artifacts: Artifacts,
    body: bytes,
    name: str | None,
    rendering: Rendering | None = None,
    fallback_name: str | None = None,
) -> DatasetView:
    """Stores a file's rows as a dataset; the same content is the same dataset.

    The answer speaks of this upload, also where the content was there before. Raises DataError that
    lists the bad rows. `fallback_name` is for a dataset that nobody has named.
    """
    # All of it before the first byte is stored: a file with a bad row leaves nothing behind.
    upload = read(body, verifier, rendering)
    return _keep(
        engine,
        artifacts,
        upload.tasks,
        name=name,
        fallback_name=fallback_name,
        rendering=upload.rendering,
        duplicates=upload.duplicates,
        derived=upload.derived,
        unchecked=upload.unchecked,
        left_out={
            "conflicts": upload.conflicts,
            "untrained": upload.untrained,
            "ignored": dict(upload.ignored),
        },
    )


def _keep(
    engine: Engine,
    artifacts: Artifacts,
    tasks: Sequence[Task],
    *,
    name: str | None,
    fallback_name: str | None = None,
    **described: Any,
) -> DatasetView:
    """Stores tasks, then the owner's row. Their file is never deleted: it may be others' too."""
    # Before the row, as everywhere: a failing store leaves a file without a row, not the reverse.
    artifacts.push(save(tasks, artifacts.datasets))
    identity, owner = name_of(tasks), as_key(acting.get().owner)
    with writing(engine) as session:
        row = session.get(Dataset, (identity, owner))
        # Most repeats come later and end here; `add_once` is for those of this very moment.
        if row is None:
            new = Dataset(
                id=identity,
                owner=owner,
                tasks=_count([task.split for task in tasks]),
                categories=_count([task.category for task in tasks]),
                created_at=database_now(session),
                **described,
            )
            row = add_once(session, new)
        # Equal tasks may come of other rows: with doubles, more columns or checks written out.
        for column, value in described.items():
            setattr(row, column, value)
        row.name = name or row.name or fallback_name
        return _dataset_view(row)


def with_validation(engine: Engine, artifacts: Artifacts, training: str, validation: str) -> str:
    """A dataset that trains on all of one and is evaluated on all of another.

    Raises DataError if they share a row.
    """
    train, held = (
        [Task.model_validate_json(line) for line in lines_of(artifacts, name)]
        for name in (training, validation)
    )
    renderings = [{task.rendering for task in tasks} for tasks in (train, held)]
    if renderings[0] != renderings[1]:
        raise DataError(
            f"its rows are rendered {', '.join(renderings[1])}, those that are trained on "
            f"{', '.join(renderings[0])}: upload both files in one form",
            param="validation_file",
        )
    # By id, which is made of what a row asks and not of where it came from.
    shared = {task.id for task in train} & {task.id for task in held}
    if shared:
        raise DataError(
            f"{len(shared)} rows are in both files: what is trained on cannot validate",
            param="validation_file",
        )
    tasks = [task.model_copy(update={"split": "train"}) for task in train]
    tasks += [task.model_copy(update={"split": "test-values"}) for task in held]
    kept = _keep(
        engine,
        artifacts,
        tasks,
        name=f"{training}+{validation}",
        rendering=tasks[0].rendering,
        duplicates=0,
        derived=0,
        unchecked=sum(not task.checks for task in tasks),
        left_out={},
    )
    return kept.id


def lines_of(artifacts: Artifacts, name: str) -> list[bytes]:
    """Reads a dataset's tasks, each as JSON. Raises DataError, StoreError."""
    path = artifacts.dataset(name)
    artifacts.pull(path)
    return lines(path)


def find(engine: Engine, identity: str) -> DatasetView:
    """One dataset. Raises NotFoundError."""
    with reading(engine) as session:
        # Others are no ids, and PostgreSQL refuses to look for some of them.
        is_name = identity.isascii() and identity.isprintable()
        row = (
            session.scalars(select(Dataset).where(Dataset.id == identity).limit(1)).first()
            if is_name
            else None
        )
        if row is None:
            raise NotFoundError(
                f"there is no dataset {identity[:64]!r}; GET /datasets lists those that exist",
                param="dataset",
            )
        return _dataset_view(row)


def list_datasets(engine: Engine, page: PageRequest) -> Page[DatasetView]:
    """Lists datasets, newest first; content that several owners added is there once.

    Raises InvalidError.
    """
    other = aliased(Dataset)
    is_first = ~exists().where(other.id == Dataset.id, other.owner < Dataset.owner)
    keys = (Dataset.created_at, Dataset.id)
    with reading(engine) as session:
        datasets = read_page(
            session,
            select(Dataset).where(is_first),
            keys,
            page,
            lambda identity: stored_position(session, keys, Dataset.id == identity, is_first),
            descending=True,
        )
        views = [_dataset_view(row) for row in datasets.rows]
    return Page[DatasetView].of(views, [view.id for view in views], has_more=datasets.has_more)


def _dataset_view(row: Dataset) -> DatasetView:
    rendering: Any = row.rendering
    return DatasetView(
        id=row.id,
        name=row.name,
        rendering=rendering,
        tasks=row.tasks,
        categories=row.categories,
        duplicates=row.duplicates,
        # A row of the version before has none of these.
        conflicts=row.left_out.get("conflicts", 0),
        untrained=row.left_out.get("untrained", 0),
        ignored=row.left_out.get("ignored", {}),
        derived=row.derived,
        unchecked=row.unchecked,
        created_at=row.created_at,
    )


def _count(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
