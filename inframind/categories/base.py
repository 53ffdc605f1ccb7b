"""The contract of a category: a parser and four questions about what it parsed.

Names no concrete category.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeVar

from inframind.types import Finding, Json, Rung, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, proven by `bad/<id>.*` examples in the category's folder."""

    id: str
    rung: Rung
    summary: str
    source: str
    """URL of the specification or the tool's page that the rule comes from."""
    severity: Severity = "error"

    def finding(self, message: str, line: int | None = None) -> Finding:
        """Reports that the rule is broken.

        The message says what is wrong and, where it is known, what to write instead.
        """
        # Messages quote the text, whose values may be as long as the text itself.
        return Finding(
            rung=self.rung, rule=self.id, severity=self.severity, line=line, message=message[:500]
        )


@dataclass(frozen=True, slots=True)
class Resource:
    """One object that would really exist or run: no `count = 0`, no `if: false`."""

    kind: str
    name: str
    fields: Mapping[str, Json]
    """Plain JSON data; defaults, variables and short forms resolved where the format has them."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A reference that resolves: `resources[source]` points at the `kind` called `name`."""

    source: int
    path: str
    """Dotted path of the referring field, without list indices:
    `spec.template.spec.volumes.configMap.name`.
    """
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The effective configuration that intent checks see."""

    resources: Sequence[Resource] = ()
    links: Sequence[Link] = field(default=())


class ParseError(Exception):
    """The text does not parse; carries the findings of the parse rung."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].message if findings else "does not parse")
        self.findings = findings


class Evidence(IntEnum):
    """The strength of a text's likeness to a category, judged by that category's marks alone."""

    NONE = 0
    POSSIBLE = 1
    """A shape that texts of other formats have too."""
    LIKELY = 2
    """The keys that its texts have at the top, or the usual name of its files."""
    CERTAIN = 3
    """A word, a syntax or a file name that no other format has."""


Document = TypeVar("Document")


class Category(Protocol[Document]):
    """One kind of IaC text.

    Implementations are stateless after construction; heavy data loads at first use.
    """

    id: str
    title: str
    languages: tuple[str, ...]
    """Fence labels, the first is the one that prompts and references use."""
    filename: str
    """The usual name of a single file of this category."""
    rules: Sequence[Rule]

    def detect(self, text: str, filename: str | None) -> Evidence:
        """Weighs the marks of this category without parsing; who wins is not decided here."""
        ...

    def parse(self, text: str) -> Document:
        """Parses a text to the category's own document. Raises ParseError."""
        ...

    def schema(self, document: Document) -> Sequence[Finding]: ...

    def references(self, document: Document) -> Sequence[Finding]: ...

    def effective(self, document: Document) -> Configuration:
        """Lists what would really exist. Called only when schema and references hold."""
        ...

    def policy(self, document: Document) -> Sequence[Finding]: ...
