"""Defines the contracts of the library: task, check and verdict (docs/contracts)."""

from enum import StrEnum
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""

Rung = Literal["extract", "parse", "schema", "references", "intent", "policy"]
RUNGS: tuple[Rung, ...] = ("extract", "parse", "schema", "references", "intent", "policy")

RungStatus = Literal["pass", "fail", "skipped", "unsupported", "unscorable"]
Severity = Literal["error", "unsupported", "warning", "info"]
Split = Literal["train", "validation", "test-values", "test-families"]


class Outcome(StrEnum):
    """The three answers of the verifier. Never two: the environment's fault is not the text's."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """Every rung that was asked for holds."""
    FAIL = "fail"
    """The text is at fault, also by taking a checker over its time or memory twice."""
    UNSCORABLE = "unscorable"
    """The environment or a checker is; the text must be neither rewarded nor punished."""


class Contract(BaseModel):
    """Base of everything that crosses a wire: immutable, and unknown fields are errors."""

    # A misspelt field of a check would be a check that asks less.
    model_config = ConfigDict(frozen=True, extra="forbid")


class Selector(Contract):
    """Selects the objects of the effective configuration that a check speaks of."""

    kind: str = Field(max_length=128)
    """Object kind as the category defines it: `aws_s3_bucket`, `Deployment`, `service` ..."""
    name: str | None = Field(default=None, max_length=256)
    """Logical name, compared exactly."""
    where: dict[str, Json] = Field(default_factory=dict, max_length=16)
    """JMESPath on the object's fields -> value it must equal; all must hold."""


Op = Literal[
    "exists",
    "absent",
    "equals",
    "not_equals",
    "one_of",
    "matches",
    "contains",
    "at_least",
    "at_most",
    "count",
    "references",
    "any_of",
    "rego",
]
NEGATIVE_OPS = frozenset({"absent", "not_equals", "at_most", "rego"})
"""Ops that an empty answer satisfies: they earn nothing until a positive check holds."""


class Check(Contract):
    """One statement about the effective configuration, as data (docs/contracts/task.md)."""

    op: Op
    id: str = Field(default="", max_length=128)
    kind: str = Field(default="", max_length=128)
    name: str | None = Field(default=None, max_length=256)
    where: dict[str, Json] = Field(default_factory=dict, max_length=16)
    path: str | None = Field(default=None, max_length=512)
    value: Json = None
    to: Selector | None = None
    every: bool = False
    """True: all selected objects must satisfy it, and there must be one. False: one is enough."""
    gate: bool = False
    """True: if it fails, the intent rung earns nothing. For the identity of what was asked."""
    checks: tuple["Check", ...] = Field(default=(), max_length=8)
    """Alternatives of `any_of`."""


Rendering = Literal["as_given", "fenced"]
"""How a row becomes the text that is trained on: the conversation's own messages, or InfraMind's
form, in which the answer is `<think>` and one fenced file below a fixed system message."""


class Turn(Contract):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str
    weight: Literal[0, 1] = Field(default=1, exclude_if=lambda weight: weight == 1)
    """0: shown to the model but not trained on."""

    @property
    def is_trained(self) -> bool:
        """Tells whether the loss is computed on it: only the assistant's messages are learned."""
        return self.role == "assistant" and self.weight == 1


class Task(Contract):
    """One thing to write, with the intent that a machine can check."""

    id: str = Field(max_length=128)
    category: str
    family: str
    instruction: str
    input: str = ""
    system: str = ""
    """The system message; empty: the bench's own."""
    reference: str
    """The file's text, without a fence."""
    reasoning: str = ""
    """Short trace for `<think>`: a line a step."""
    checks: tuple[Check, ...] = ()
    difficulty: int = Field(ge=1, le=5)
    split: Split
    # Left out where it is empty: a worker of the version before refuses what it does not know, and
    # the hash of the bench stays.
    messages: tuple[Turn, ...] = Field(default=(), exclude_if=lambda messages: not messages)
    """The conversation as it was given, up to its last answer that is trained on, if it has one;
    empty: the fields above are rendered in the fenced form."""
    values: tuple[str, ...] = ()
    """The open values of this task (names, ports, addresses ...), as they stand in the text."""

    @property
    def rendering(self) -> Rendering:
        """How the task is shown to a model."""
        return "as_given" if self.messages else "fenced"


class Finding(Contract):
    """One observation of one rule."""

    rung: Rung
    rule: str
    severity: Severity = "error"
    line: int | None = None
    """1-based line in the extracted file, where the parser knows it."""
    message: str


class CheckResult(Contract):
    """The result of one intent check."""

    id: str
    passed: bool
    message: str = ""


class Verdict(Contract):
    """The verifier's word on one text (docs/contracts/verdict.md)."""

    id: str = ""
    category: str | None
    verdict: Outcome
    score: float = Field(ge=0.0, le=1.0)
    rungs: dict[Rung, RungStatus]
    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    verifier: str = ""
    """Version of the rules that judged: package version and schema versions."""


AnswerFormat = Literal["auto", "answer", "file"]


def answer_format(rendering: Rendering) -> AnswerFormat:
    """Chooses how the answer of a model is read that was trained on rows rendered so."""
    return "auto" if rendering == "as_given" else "answer"


class VerifyRequest(Contract):
    """One text to judge. `category=None`: detected."""

    text: str
    category: str | None = None
    checks: tuple[Check, ...] = ()
    policies: tuple[str, ...] = ()
    """Policy rules that count for the verdict; by default none does."""
    format: AnswerFormat = "auto"
    """`answer`: exactly one fence; `file`: taken as it is; `auto`: `answer` if there is a fence."""
    filename: str | None = Field(default=None, max_length=1024)
    """How the file is called: a hint for the detection of the category; never opened."""
    id: str = ""

    @classmethod
    def of(cls, task: Task, answer: str) -> "VerifyRequest":
        """Makes the request that asks if a model's answer does what the task wants."""
        return cls(
            text=answer,
            category=task.category,
            checks=task.checks,
            # Rows as given may teach the file itself: a fence is asked for where it was taught.
            format=answer_format(task.rendering),
            id=task.id,
        )
