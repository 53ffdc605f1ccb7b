"""The vocabulary of rules: one duty, one id, in every category that has it.

A `Duty` is what several formats ask for, such as `pipe-to-shell`: its id, summary and severity
stand here alone, so `--policy pipe-to-shell` means the same in a Dockerfile and in a pipeline.
A category takes it up in its rules.py, with its source and with what it means in that format:

    PIPE = duties.PIPE_TO_SHELL.rule(HADOLINT + "DL4006")
    STAGE = duties.UNDEFINED.rule(REFERENCE + "#copy---from", "stages that COPY reads")

A rule that only one category can have is a `Rule` there. Before you write one, look for its duty
here: tests/unit/test_rules.py refuses an id that two categories make up by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inframind.categories.base import Rule
from inframind.types import Rung, Severity


@dataclass(frozen=True, slots=True)
class Duty:
    """A demand that rules of several categories share; each of them bears its id."""

    id: str
    rung: Rung
    summary: str
    severity: Severity = "error"

    def rule(
        self,
        source: str,
        detail: str = "",
        *,
        rung: Rung | None = None,
        severity: Severity | None = None,
    ) -> Rule:
        """Makes a category's rule of this duty.

        `detail` says what the duty means in that format. `rung` is given where the format's own
        checks come to it earlier or later, `severity` where its own guide weighs it otherwise.
        """
        summary = f"{self.summary}: {detail}" if detail else self.summary
        return Rule(self.id, rung or self.rung, summary, source, severity or self.severity)


SYNTAX = Duty("syntax", "parse", "The text can be read")
WRONG_DOCUMENT = Duty("wrong-document", "parse", "The text is a document of its category")

UNKNOWN_FIELD = Duty("unknown-field", "schema", "Fields are known and stand where they may")
MISSING_FIELD = Duty("missing-field", "schema", "Required fields are given")
WRONG_TYPE = Duty("wrong-type", "schema", "Fields have values of their type")
INVALID_VALUE = Duty("invalid-value", "schema", "Values are among those allowed")
COMBINATION = Duty("combination", "schema", "Fields that need or exclude one another do so")
UNKNOWN_TYPE = Duty("unknown-type", "schema", "Types are known")
NOT_VERIFIED = Duty(
    "not-verified", "schema", "What is not known here is not verified", "unsupported"
)
INVALID_ARGUMENTS = Duty(
    "invalid-arguments", "schema", "Calls name what exists and give it the arguments that it takes"
)
INVALID_PARAMETER = Duty(
    "invalid-parameter", "schema", "Parameters are declared with a type and what it needs"
)
INVALID_NAME = Duty("invalid-name", "schema", "Names are well formed")
INVALID_LABEL = Duty("invalid-label", "schema", "Labels are well formed")
INVALID_IMAGE = Duty("invalid-image", "schema", "Images are well-formed references")
INVALID_PORT = Duty("invalid-port", "schema", "Ports are well formed")
INVALID_CRON = Duty("invalid-cron", "schema", "Schedules have five valid fields")
INVALID_DURATION = Duty("invalid-duration", "schema", "Durations are well formed")
INVALID_TIME = Duty("invalid-time", "schema", "Times are well formed")
INVALID_EXPRESSION = Duty(
    "invalid-expression", "schema", "Expressions and templates in the text can be read"
)
INVERTED_BOUNDS = Duty(
    "inverted-bounds", "references", "A lower bound is not above its upper bound"
)

UNDEFINED = Duty("undefined", "references", "What is referred to exists")
UNKNOWN_ATTRIBUTE = Duty("unknown-attribute", "references", "Attributes that are read exist")
DUPLICATE = Duty("duplicate", "references", "Names are given once")
CYCLE = Duty("cycle", "references", "Nothing depends on itself")

PLAIN_SECRET = Duty("plain-secret", "policy", "No secrets in plain text", "warning")
EXPOSED_SECRET = Duty(
    "exposed-secret", "policy", "Secrets do not show in logs and process lists", "warning"
)
UNPINNED = Duty("unpinned", "policy", "What comes from others has a fixed version", "warning")
PIPE_TO_SHELL = Duty("pipe-to-shell", "policy", "No download is piped into a shell", "warning")
INSECURE_TLS = Duty("insecure-tls", "policy", "Certificates are verified", "warning")
INJECTION = Duty("injection", "policy", "No text of others is put into commands", "warning")
UNENCRYPTED = Duty("unencrypted", "policy", "Stored data are encrypted", "warning")
PUBLIC_ACCESS = Duty("public-access", "policy", "Buckets and databases are not public", "warning")
OPEN_INGRESS = Duty(
    "open-ingress", "policy", "Ports of administration and data are not open to all", "warning"
)
IAM_WILDCARD = Duty("iam-wildcard", "policy", "No IAM policy allows everything", "warning")
PRIVILEGED = Duty("privileged", "policy", "Nothing runs with the host's privileges", "warning")
RUN_AS_ROOT = Duty("run-as-root", "policy", "Containers do not run as root", "warning")
DEPRECATED = Duty("deprecated", "policy", "What is deprecated is not used", "info")
NO_NAME = Duty("no-name", "policy", "What people read has a name", "info")

DUTIES: Mapping[str, Duty] = {
    duty.id: duty for duty in tuple(vars().values()) if isinstance(duty, Duty)
}
"""All of the vocabulary, by id."""

# Which of the four an error of a JSON Schema keyword breaks; every other keyword bounds a value.
# https://json-schema.org/draft/2020-12/json-schema-validation
KEYWORDS = {
    "additionalProperties": "unknown",
    "unevaluatedProperties": "unknown",
    "propertyNames": "unknown",
    "falseSchema": "unknown",
    "required": "missing",
    "dependentRequired": "missing",
    "type": "type",
    "anyOf": "type",
    "oneOf": "type",
}


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The four rules of a format whose fields a schema describes."""

    unknown: Rule
    missing: Rule
    type: Rule
    value: Rule

    def of_error(self, error: Any) -> Rule:
        """Finds the rule that an error of jsonschema_rs breaks.

        Where alternatives are given and the value has the type of one alone, such as `anyOf` of an
        object and null, it is the first error of that one.
        """
        branches = [
            branch
            for branch in getattr(error.kind, "context", ())
            if branch
            and not any(
                inner.kind.name == "type" and inner.instance_path == error.instance_path
                for inner in branch
            )
        ]
        if len(branches) == 1:
            return self.of_error(branches[0][0])
        rule: Rule = getattr(self, KEYWORDS.get(error.kind.name, "value"))
        return rule


def field_rules(source: str, detail: str = "") -> FieldRules:
    """Makes the four rules of the fields that `source` describes."""
    return FieldRules(
        UNKNOWN_FIELD.rule(source, detail),
        MISSING_FIELD.rule(source, detail),
        WRONG_TYPE.rule(source, detail),
        INVALID_VALUE.rule(source, detail),
    )


def declared(namespace: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Lists the rules of a module in its order: `RULES = declared(vars())` ends a rules.py."""
    rules: list[Rule] = []
    for value in namespace.values():
        if isinstance(value, FieldRules):
            rules += (value.unknown, value.missing, value.type, value.value)
        elif isinstance(value, Rule):
            rules.append(value)
    return tuple(rules)
