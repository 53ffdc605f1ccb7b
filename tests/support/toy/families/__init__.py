"""The toy's only family."""

import json

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, equals, identity

FAMILIES = Families("toy")


@FAMILIES.family("thing", difficulty=1)
def thing(draw: Draw) -> Draft:
    """One thing with a name and a size."""
    name, size = draw.name(), draw.integer(2, 900)
    return Draft(
        wordings=(f"Write a thing called {name} of size {size}.",),
        answer=json.dumps([{"kind": "thing", "name": name, "size": size}]),
        reasoning=("a thing has a kind, a name and a size",),
        checks=(identity("thing", name), equals("thing", name, "size", size)),
    )
