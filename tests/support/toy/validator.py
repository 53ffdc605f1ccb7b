"""The toy's parser and its answers: a text is a JSON list of things."""

import json
from collections.abc import Sequence

from inframind.categories.base import (
    Category,
    Configuration,
    Evidence,
    Link,
    ParseError,
    Resource,
    Rule,
)
from inframind.types import Finding, Json

SYNTAX = Rule("toy-json", "parse", "not JSON", "https://www.json.org")
KIND = Rule("toy-kind", "schema", "unknown kind", "https://www.json.org")
FOREIGN = Rule("toy-foreign", "schema", "foreign kind", "https://www.json.org", "unsupported")
DANGLING = Rule("toy-dangling", "references", "refers to nothing", "https://www.json.org")
SECRET = Rule("toy-secret", "policy", "a secret in the text", "https://www.json.org", "warning")


class Toy(Category[list[dict[str, Json]]]):
    """`[{"kind": "thing", "name": "a", "to": "b", "off": false, ...}]`; the kind `bug` makes the
    checker raise.
    """

    id = "toy"
    title = "Toy"
    languages = ("json",)
    filename = "toy.json"
    rules = (SYNTAX, KIND, FOREIGN, DANGLING, SECRET)

    def detect(self, text: str, filename: str | None) -> Evidence:
        return Evidence.CERTAIN if filename == "toy.json" else Evidence.NONE

    def parse(self, text: str) -> list[dict[str, Json]]:
        try:
            things: list[dict[str, Json]] = json.loads(text)
        except ValueError as error:
            raise ParseError(SYNTAX.finding(str(error), 1)) from None
        return things

    def schema(self, document: list[dict[str, Json]]) -> Sequence[Finding]:
        if any(thing["kind"] == "bug" for thing in document):
            raise RuntimeError("a bug in the checker")
        foreign = [FOREIGN.finding("foreign") for thing in document if thing["kind"] == "foreign"]
        return foreign + [
            KIND.finding(str(thing))
            for thing in document
            if thing["kind"] not in ("thing", "other", "foreign")
        ]

    def references(self, document: list[dict[str, Json]]) -> Sequence[Finding]:
        names = {thing["name"] for thing in document}
        return [
            DANGLING.finding(thing["to"])
            for thing in document
            if thing.get("to", thing["name"]) not in names
        ]

    def effective(self, document: list[dict[str, Json]]) -> Configuration:
        kept = [thing for thing in document if not thing.get("off")]
        kinds = {thing["name"]: thing["kind"] for thing in kept}
        links = [
            Link(i, "to", kinds[t["to"]], t["to"])
            for i, t in enumerate(kept)
            if t.get("to") in kinds
        ]
        return Configuration(
            [Resource(thing["kind"], thing["name"], thing) for thing in kept], links
        )

    def policy(self, document: list[dict[str, Json]]) -> Sequence[Finding]:
        return [SECRET.finding("a secret", 1) for thing in document if "secret" in thing]


CATEGORY = Toy()
