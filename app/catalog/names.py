"""Turns a model's name into the model that it means.

A base model, an adapter, an alias, or OpenAI's `ft:` form of an adapter.

One place that turns names into models, for every route that takes one.
"""

from collections.abc import Iterable

from sqlalchemy import Engine, exists, or_, select
from sqlalchemy.orm import Session, aliased

from app.catalog.views import AliasView
from app.db.ownership import acting, as_key
from app.db.paging import read_page, stored_position
from app.db.session import add_once, database_now, reading, writing
from app.db.tables import Adapter, Alias
from app.errors import InvalidError, NotFoundError, UnknownModelError
from app.views import Page, PageRequest
from inframind.models.adapter import NAME
from inframind.models.registry import BASE_MODELS

FINE_TUNED = "ft:"
OWNER = "inframind"
ADAPTER = "im-"
RESERVED = (ADAPTER, "ds-", "ft-")
"""What our own ids begin with."""


def resolve(engine: Engine, name: str) -> str:
    """The id of a base model or adapter that a name means. Raises NotFoundError."""
    if name in BASE_MODELS:
        return name
    with reading(engine) as session:
        return resolved(session, name)


def resolved(session: Session, name: str, param: str = "model") -> str:
    """The same within a transaction; `param` is the field that gave the name."""
    if name in BASE_MODELS:
        return name
    adapter = name.rpartition(":")[2] if name.startswith(FINE_TUNED) else name
    if NAME.fullmatch(adapter):
        alias = _find(session, adapter) if adapter == name else None
        row = session.get(Adapter, alias.model if alias else adapter)
        if row is not None and (
            adapter == name or name.startswith(f"{FINE_TUNED}{row.base_model}:{OWNER}:")
        ):
            return row.id
        if alias is not None and alias.model in BASE_MODELS:
            return alias.model
    raise UnknownModelError(
        f"there is no model {name[:128]!r}; GET /models lists those that exist", param=param
    )


def hold(session: Session, adapters: Iterable[str]) -> set[str]:
    """Keeps adapters from being deleted until the transaction ends; gives those that are there.

    Whoever writes a row that needs one asks here first. A deletion takes the rows' full lock before
    it looks for such rows, so that one of the two waits and sees the other's work.
    """
    rows = select(Adapter.id).where(Adapter.id.in_(set(adapters))).order_by(Adapter.id)
    # SQLite has no row locks and needs none: one transaction writes at a time.
    return set(session.scalars(rows.with_for_update(read=True, key_share=True)))


def set_alias(engine: Engine, name: str, model: str) -> AliasView:
    """Lets a name mean a model from now on.

    Raises InvalidError for a name that is none, NotFoundError.
    """
    if not NAME.fullmatch(name) or name in BASE_MODELS or name.startswith(RESERVED):
        message = (
            "an alias has lower-case letters, digits, '.', '_' and '-', 63 at most,"
            " and is no base model and no `im-...`"
        )
        raise InvalidError(message, param="alias")
    with writing(engine) as session:
        target = resolved(session, model)
        # Base models have no row, and nobody deletes them.
        if target not in BASE_MODELS and not hold(session, [target]):
            raise UnknownModelError(f"{target} is being deleted", param="model")
        owner = as_key(acting.get().owner)
        row = session.get(Alias, (name, owner))
        if row is None:
            new = Alias(
                name=name,
                owner=owner,
                model=target,
                previous=None,
                updated_at=database_now(session),
            )
            row = add_once(session, new)
        # The same target again is no change: `previous` stays the way back.
        if row.model != target:
            row.model, row.previous, row.updated_at = target, row.model, database_now(session)
        return alias_view(row)


def remove_alias(engine: Engine, name: str) -> AliasView:
    """Forgets an alias. Raises NotFoundError."""
    with writing(engine) as session:
        row = _alias(session, name)
        session.delete(row)
        return alias_view(row)


def find_alias(engine: Engine, name: str) -> AliasView:
    """One alias. Raises NotFoundError."""
    with reading(engine) as session:
        return alias_view(_alias(session, name))


def list_aliases(engine: Engine, page: PageRequest) -> Page[AliasView]:
    """Lists aliases by name: each as `find_alias` finds it. Raises InvalidError."""
    mine, other = as_key(acting.get().owner), aliased(Alias)
    # Of several owners' aliases with one name, an administrator sees what the name means to them.
    comes_before = or_(other.owner == mine, other.owner < Alias.owner)
    is_first = or_(Alias.owner == mine, ~exists().where(other.name == Alias.name, comes_before))
    with reading(engine) as session:
        aliases = read_page(
            session,
            select(Alias).where(is_first),
            (Alias.name,),
            page,
            lambda name: stored_position(session, (Alias.name,), Alias.name == name),
        )
        views = [alias_view(row) for row in aliases.rows]
    return Page[AliasView].of(views, [view.name for view in views], has_more=aliases.has_more)


def alias_view(row: Alias) -> AliasView:
    """An alias as a person sees it."""
    return AliasView(
        name=row.name, model=row.model, previous=row.previous, updated_at=row.updated_at
    )


def _find(session: Session, name: str) -> Alias | None:
    """The caller's own alias before another's that an administrator sees."""
    is_callers = Alias.owner == as_key(acting.get().owner)
    return session.scalars(
        select(Alias).where(Alias.name == name).order_by(is_callers.desc(), Alias.owner).limit(1)
    ).first()


def _alias(session: Session, name: str) -> Alias:
    row = _find(session, name) if NAME.fullmatch(name) else None
    if row is None:
        raise NotFoundError(
            f"there is no alias {name[:64]!r}; GET /aliases lists those that exist", param="alias"
        )
    return row
