"""The OpenAPI document is frozen: a change of the api is a change of a file that somebody reads."""

from app.main import document
from tests.support import ROOT

FROZEN = ROOT / "docs" / "openapi.json"


def test_the_document_is_the_frozen_one() -> None:
    assert document() == FROZEN.read_text(), (
        "the api has changed: if it was meant, run `make openapi` and commit"
    )
