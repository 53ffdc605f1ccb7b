"""Refuses what no database, wire or tokenizer can hold, before any route sees it.

A lone surrogate is no Unicode text, and NaN no JSON (RFC 8259, sections 6 and 8.2; RFC 7493): both
are refused anywhere. PostgreSQL has no NUL in a text, and reads none out of its JSON: a NUL is
refused wherever it could be stored. One dependency of the whole application, so that a route that
is written tomorrow cannot forget it.
"""

import re
from collections.abc import AsyncIterator, Collection
from typing import Any

from fastapi import Depends, Request, params
from fastapi.routing import APIRoute

from app.db.storable import Fault, faults
from app.errors import InvalidError, NotFoundError

# 0.2 ms for a megabyte; the walk in Python, which only what this finds is worth, takes 60.
SUSPECT = re.compile(
    # Escapes of a NUL and of surrogates; a raw surrogate, which Python's parser lets through; and
    # raw zeros, which only UTF-16 and UTF-32 have.
    rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]|\x00"
    # What becomes an infinity: 1e400, or a number of over 308 digits.
    rb"|NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{309}"
)


def storable(nul_paths: Collection[str] = ()) -> Any:
    """Makes the application's dependency; `nul_paths` store nothing, and take a NUL in a body."""

    async def check(request: Request) -> None:
        for name, value in request.path_params.items():
            if "\0" in str(value):
                # No id has one: what is asked for is not there.
                raise NotFoundError("there is nothing of this name", param=name)
        for name, value in request.query_params.multi_items():
            _refuse({name: value})
        async for value in _body(request):
            _refuse(value, takes_nul=request.url.path in nul_paths)

    return Depends(check)


async def _body(request: Request) -> AsyncIterator[Any]:
    """Gives the body as FastAPI has parsed it, if anything in it may have to be refused."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or route.body_field is None:
        return
    if isinstance(route.body_field.field_info, params.Form):
        # A file's content is the route's to judge: it may be anything.
        for name, value in (await request.form()).multi_items():
            yield {name: value if isinstance(value, str) else value.filename}
    elif SUSPECT.search(await request.body()):
        try:
            # The request keeps what it has parsed: this parses nothing again.
            yield await request.json()
        except ValueError:
            # Another content type: FastAPI took it for no JSON, and refuses it.
            return


def _refuse(value: Any, *, takes_nul: bool = False) -> None:
    for place, fault in faults(value):
        # Integers have the range of their own field, where they are stored at all.
        if fault is Fault.INTEGER or (fault is Fault.NUL and takes_nul):
            continue
        raise InvalidError(f"{place or 'body'}: {fault}", param=place or None)
