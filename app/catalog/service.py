"""Lists, describes and deletes models."""

from collections import defaultdict
from collections.abc import Sequence, Set

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.catalog.evaluations import of_models
from app.catalog.names import resolved
from app.catalog.views import Ancestor, ModelDetail, ModelFile, ModelView
from app.db.ownership import seeing_all
from app.db.paging import Slice, read_page, stored_position
from app.db.session import reading, writing
from app.db.tables import Adapter, Alias, Job
from app.errors import ConflictError, UnknownModelError
from app.job_state import TERMINAL
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


def served(engine: Engine, base_model: str) -> list[Adapter]:
    """Lists all adapters of a base model, newest first, without a look at their files."""
    with reading(engine) as session:
        query = select(Adapter).where(Adapter.base_model == base_model)
        return list(session.scalars(query.order_by(Adapter.created_at.desc(), Adapter.id.desc())))


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


def in_use(session: Session) -> dict[str, list[str]]:
    """Adapter -> why it must stay.

    An alias means it, an adapter continues it, or a job that has not ended needs it.

    What is not in here may be deleted, by people and by retention alike.
    """
    reasons: dict[str, list[str]] = defaultdict(list)
    for alias in session.scalars(select(Alias).order_by(Alias.name)):
        reasons[alias.model].append(f"the alias {alias.name} means it")
    for child, parent in session.execute(select(Adapter.id, Adapter.parent).order_by(Adapter.id)):
        if parent is not None:
            reasons[parent].append(f"{child} continues it")
    for job in session.scalars(select(Job).where(Job.state.not_in(TERMINAL)).order_by(Job.id)):
        trained = session.scalars(select(Adapter.id).where(Adapter.job_id == job.id))
        for name in {*trained, *_evaluated(job)} | ({job.start_from} if job.start_from else set()):
            reasons[name].append(f"the job {job.id} is {job.state} and needs it")
    return {name: reason for name, reason in reasons.items() if name not in BASE_MODELS}


def _evaluated(job: Job) -> set[str]:
    """Lists the models that the job's stages name; one that this version cannot run needs none."""
    try:
        stages = parse_all(job.stages)
    except ConfigError:
        return set()
    return {name for stage in stages for name in stage.models_named.values()}


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
            reasons = in_use(session).get(identity)
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
