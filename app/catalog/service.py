"""Lists, describes and deletes models."""

from collections import defaultdict
from collections.abc import Sequence, Set
from typing import Any

from sqlalchemy import Engine, Select, Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.artifacts import Artifacts
from app.catalog.evaluations import of_models
from app.catalog.names import ADAPTER, resolved
from app.catalog.views import Ancestor, ModelDetail, ModelFile, ModelView
from app.db.ownership import seeing_all
from app.db.paging import Slice, read_page, stored_position
from app.db.session import reading, writing
from app.db.tables import Adapter, Alias, Job
from app.errors import ConflictError, UnknownModelError
from app.job_state import UNFINISHED
from app.views import Page, PageRequest
from inframind.errors import ConfigError
from inframind.models.adapter import NAME
from inframind.models.registry import BASE_MODELS, is_available
from inframind.stages import parse_all


def list_models(engine: Engine, artifacts: Artifacts, page: PageRequest) -> Page[ModelView]:
    """Lists base models, then adapters, newest first. Raises InvalidError."""
    names, bases = list(BASE_MODELS), list(BASE_MODELS)
    behind = page
    if page.after in BASE_MODELS:
        bases, behind = names[names.index(page.after) + 1 :], PageRequest(page.limit)
    elif page.after is not None:
        bases = []
    bases, left = bases[: page.limit], page.limit - len(bases)
    with reading(engine) as session:
        # Without room for one the next page begins with adapters, if there are any.
        adapters = _adapters(session, PageRequest(max(left, 1), behind.after))
        rows = adapters.rows if left > 0 else []
        has_more = adapters.has_more or len(rows) < len(adapters.rows) or left < 0
        aliases = _aliases(session, [*bases, *(row.id for row in rows)])
    # After the transaction: a store may be slow, and keeps no connection waiting.
    available = _available(artifacts, rows)
    views = [_base(name, aliases[name]) for name in bases]
    views += [_adapter(row, aliases[row.id], row.id in available) for row in rows]
    return Page[ModelView].of(views, [view.id for view in views], has_more=has_more)


def _adapters(session: Session, page: PageRequest) -> Slice[Adapter]:
    keys = (Adapter.created_at, Adapter.id)
    return read_page(
        session,
        select(Adapter),
        keys,
        page,
        lambda identity: stored_position(session, keys, Adapter.id == identity),
        descending=True,
    )


def served(engine: Engine, base_model: str) -> list[tuple[str, float]]:
    """Lists id and time of all adapters of a base model, newest first.

    OpenAI's list of models has no pages, so neither files nor manifests are looked at.
    """
    with reading(engine) as session:
        query = select(Adapter.id, Adapter.created_at).where(Adapter.base_model == base_model)
        newest = query.order_by(Adapter.created_at.desc(), Adapter.id.desc())
        return [(identity, created_at) for identity, created_at in session.execute(newest)]


def detail(engine: Engine, artifacts: Artifacts, name: str) -> ModelDetail:
    """Everything about one model. Raises UnknownModelError."""
    with reading(engine) as session:
        identity = resolved(session, name)
        named = _aliases(session, [identity])[identity]
        evaluations = of_models(session, [identity])[identity]
        if identity in BASE_MODELS:
            return ModelDetail(
                **_base(identity, named).model_dump(), lineage=[], files=[], evaluations=evaluations
            )
        row = session.get_one(Adapter, identity)
        ancestors = _ancestors(session, row)
    # After the transaction: a store may be slow, and keeps no connection waiting.
    rows = [row, *(ancestor for ancestor in ancestors.values() if ancestor is not None)]
    available = _available(artifacts, rows)
    return ModelDetail(
        **_adapter(row, named, row.id in available).model_dump(),
        lineage=[
            _ancestor(name, ancestor, available) for name, ancestor in reversed(ancestors.items())
        ],
        dataset=row.manifest["dataset"],
        bench_hash=row.manifest["bench_hash"],
        files=[ModelFile.model_validate(file) for file in row.manifest["files"]],
        evaluations=evaluations,
        manifest=row.manifest,
    )


def adapter(engine: Engine, name: str) -> Adapter:
    """The row of an adapter. Raises UnknownModelError."""
    with reading(engine) as session:
        row = session.get(Adapter, name) if NAME.fullmatch(name) else None
        if row is None:
            raise UnknownModelError(
                f"there is no model {name[:128]!r}; GET /models lists those that exist",
                param="model",
            )
        session.expunge(row)
        return row


def in_use(session: Session, only: str | None = None) -> dict[str, list[str]]:
    """Adapter -> why it must stay.

    An alias means it, an adapter continues it, or a job that has not ended needs it.

    What is not in here may be deleted, by people and by retention alike. `only` asks for one
    adapter, in so many statements however long the queue is.
    """
    reasons: dict[str, list[str]] = defaultdict(list)
    aliases = select(Alias.name, Alias.model).order_by(Alias.name)
    for alias, model in session.execute(_about(aliases, Alias.model, only)):
        reasons[model].append(f"the alias {alias} means it")
    children = select(Adapter.id, Adapter.parent).where(Adapter.parent.is_not(None))
    for child, parent in session.execute(
        _about(children, Adapter.parent, only).order_by(Adapter.id)
    ):
        reasons[parent].append(f"{child} continues it")
    for job_id, state, name in sorted(_needs(session, only)):
        reasons[name].append(f"the job {job_id} is {state} and needs it")
    return {name: reason for name, reason in reasons.items() if name not in BASE_MODELS}


def _about(
    query: Select[*tuple[Any, ...]], column: InstrumentedAttribute[Any], only: str | None
) -> Select[*tuple[Any, ...]]:
    return query if only is None else query.where(column == only)


def _needs(session: Session, only: str | None) -> set[tuple[str, str, str]]:
    """Reads what jobs that have not ended need: job, its state, and the adapter.

    What they made, what they begin with, and what their stages name.
    """
    waits = Job.state.in_(UNFINISHED)
    made = select(Job.id, Job.state, Adapter.id).join(Adapter, Adapter.job_id == Job.id)
    begun = select(Job.id, Job.state, Job.start_from).where(Job.start_from.is_not(None))
    needs: set[tuple[str, str, str]] = set()
    for query, column in ((made, Adapter.id), (begun, Job.start_from)):
        rows = session.execute(_about(query.where(waits), column, only))
        needs |= {(job_id, state, name) for job_id, state, name in rows}
    # Few jobs name an adapter in a stage: with the stages of all read and parsed, 5,000 jobs that
    # wait took 3.5 s of a transaction that writes; with a look at the text of all, 100 ms.
    mark = f'"{ADAPTER}' if only is None else f'"{only}"'
    naming = cast(Job.stages, Text).contains(mark, autoescape=True)
    named = select(Job.id, Job.state, Job.stages).where(
        waits, Job.names_models.is_not(False), naming
    )
    for job_id, state, stages in session.execute(named):
        needs |= {(job_id, state, name) for name in _evaluated(stages)}
    return needs


def _evaluated(stages: list[Any]) -> set[str]:
    """Lists the models that stages name; those that this version cannot run need none."""
    try:
        return {name for stage in parse_all(stages) for name in stage.models_named.values()}
    except ConfigError:
        return set()


def delete(engine: Engine, artifacts: Artifacts, name: str) -> str:
    """Deletes an adapter, its files included, and gives its id.

    Raises NotFoundError; ConflictError with the reasons to keep it.
    """
    with writing(engine) as session:
        identity = resolved(session, name)
        if identity in BASE_MODELS:
            raise ConflictError(f"{identity} is a base model: only adapters can be deleted")
        # The full lock first (`app.catalog.names.hold`): who names it from now on waits for us.
        row = session.get(Adapter, identity, with_for_update=True)
        if row is None:
            raise UnknownModelError(f"{identity} is being deleted", param="model")
        with seeing_all():
            reasons = in_use(session, identity).get(identity)
        if reasons:
            raise ConflictError(f"{identity} cannot be deleted: {'; '.join(reasons[:8])}")
        folder = artifacts.locate(row.whereabouts)
        session.delete(row)
    # After the commit: a row without files would be offered, files without a row are only space.
    artifacts.remove(folder)
    return identity


def _available(artifacts: Artifacts, rows: Sequence[Adapter]) -> set[str]:
    """Ids of those of some adapters whose files are here or in the store. Raises StoreError."""
    places = {row.id: artifacts.locate(row.whereabouts) for row in rows}
    present = artifacts.present(places.values())
    return {identity for identity, place in places.items() if place in present}


def _aliases(session: Session, models: Sequence[str]) -> dict[str, list[str]]:
    """Reads the aliases of each of some models."""
    aliases: dict[str, list[str]] = defaultdict(list)
    query = select(Alias).where(Alias.model.in_(models)).order_by(Alias.name)
    for row in session.scalars(query):
        aliases[row.model].append(row.name)
    return aliases


def _base(name: str, aliases: list[str]) -> ModelView:
    description = BASE_MODELS[name].description
    return ModelView(
        id=name,
        kind="base",
        base_model=name,
        available=is_available(name),
        description=description,
        aliases=aliases,
    )


def _adapter(row: Adapter, aliases: list[str], available: bool) -> ModelView:
    return ModelView(
        id=row.id,
        kind="adapter",
        base_model=row.base_model,
        stage=row.stage,
        job_id=row.job_id,
        parent=row.parent,
        created_at=row.created_at,
        available=available,
        aliases=aliases,
    )


def _ancestors(session: Session, row: Adapter) -> dict[str, Adapter | None]:
    """Reads the adapters that this one continues, the parent first; None: it was deleted."""
    ancestors: dict[str, Adapter | None] = {}
    name = row.parent
    while name is not None:
        ancestors[name] = ancestor = session.get(Adapter, name)
        name = ancestor.parent if ancestor else None
    return ancestors


def _ancestor(name: str, row: Adapter | None, available: Set[str]) -> Ancestor:
    return Ancestor(
        id=name,
        stage=row.stage if row else None,
        job_id=row.job_id if row else None,
        available=name in available,
    )
