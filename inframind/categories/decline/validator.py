"""A refusal that a machine can read: `reason` from a closed set, `subject` for what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inframind.categories.base import Category, Configuration, Evidence, Resource
from inframind.categories.decline import rules
from inframind.categories.shared.yaml import line_of, yaml_mapping
from inframind.types import Finding

REASONS: dict[str, str] = {
    "not-infrastructure": "the request is not for infrastructure code",
    "live-access": "it asks to do something to running systems, or what state they are in",
    "secret": "it asks for a password, key or token",
    "harmful": "it would harm others or hide an attack",
}
FIELDS = ("reason", "subject")
MAX_SUBJECT = 300


@dataclass(frozen=True)
class Refusal:
    """Hold the text of a refusal and its mapping."""

    text: str
    fields: dict[str, Any]


class Decline(Category[Refusal]):
    """Check declined requests (see inframind.categories.base.Category)."""

    id = "decline"
    title = "Declined requests"
    languages = ("decline",)
    filename = "decline.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        is_refusal = all(f"\n{name}:" in f"\n{text}" for name in FIELDS)
        # A refusal is short: longer texts with these two keys are somebody's configuration.
        return Evidence.LIKELY if is_refusal and len(text) < 2 * MAX_SUBJECT else Evidence.NONE

    def parse(self, text: str) -> Refusal:
        """Parse a refusal.

        Raises ParseError if it is not one YAML mapping.
        """
        fields = yaml_mapping(text, rules.YAML, "write one mapping with reason and subject")
        return Refusal(text, fields)

    def schema(self, document: Refusal) -> Sequence[Finding]:
        """Check both fields, and that the reason is a known one."""
        fields = document.fields
        if set(fields) != set(FIELDS):
            broken = rules.FIELDS.unknown if set(FIELDS) < set(fields) else rules.FIELDS.missing
            return [
                broken.finding(
                    f"write {' and '.join(FIELDS)}; found {', '.join(sorted(fields)) or 'nothing'}",
                    1,
                )
            ]
        for name in FIELDS:
            value = fields[name]
            if (
                not isinstance(value, str)
                or not value.strip()
                or "\n" in value
                or len(value) > MAX_SUBJECT
            ):
                message = f"{name} must be one line of at most {MAX_SUBJECT} characters"
                return [rules.FIELDS.type.finding(message, line_of(document.text, (name,)))]
        if fields["reason"] not in REASONS:
            message = f"{fields['reason']!r} is no reason; known: {', '.join(REASONS)}"
            return [rules.FIELDS.value.finding(message, line_of(document.text, ("reason",)))]
        return []

    def references(self, document: Refusal) -> Sequence[Finding]:
        """Return no finding: a refusal refers to nothing."""
        return []

    def effective(self, document: Refusal) -> Configuration:
        """Return one object, `refusal`, named by its reason."""
        return Configuration(
            resources=(Resource("refusal", document.fields["reason"], document.fields, 1),)
        )

    def policy(self, document: Refusal) -> Sequence[Finding]:
        """Return no finding: there is no policy for refusals."""
        return []


CATEGORY = Decline()
