"""Steps: known, with the arguments they need, and flat with the blocks around them."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inframind.categories.base import Rule
from inframind.categories.jenkins import rules
from inframind.categories.jenkins.model import plain
from inframind.categories.jenkins.syntax import Statement
from inframind.categories.jenkins.vocabulary import BLOCK_STEPS, STEPS, field_names, missing_fields

UNITS = frozenset("NANOSECONDS MICROSECONDS MILLISECONDS SECONDS MINUTES HOURS DAYS".split())
# https://www.jenkins.io/doc/pipeline/steps/credentials-binding/, and plugins that add to it.
BINDINGS = frozenset(
    "string usernamePassword usernameColonPassword file zip sshUserPrivateKey certificate "
    "dockerCert aws gitUsernamePassword kubeconfigContent kubeconfigFile "
    "azureServicePrincipal".split()
)
Problem = tuple[Rule, str, int]
ENDS = frozenset({"error"})
"""Steps after which nothing of the block runs."""


@dataclass(frozen=True)
class Step:
    """Hold one step that runs.

    `around` are the names of the block steps around it, `bound` the variables that hold secrets.
    """

    statement: Statement
    around: tuple[str, ...]
    bound: frozenset[str]

    @property
    def arguments(self) -> dict[str, Any]:
        """Map the step's arguments by name, texts dedented."""
        return {key: _text(value) for key, value in named_arguments(self.statement).items()}


def _text(value: Any) -> Any:
    # Scripts of several lines are indented as their place in the file asks.
    return textwrap.dedent(value).strip() if isinstance(value, str) else plain(value)


def named_arguments(statement: Statement) -> dict[str, Any]:
    """Map arguments by name; the one without a name is the step's first field."""
    fields = field_names(STEPS.get(statement.name, ""))
    if len(statement.args) == 1 and fields:
        only = statement.args[0]
        # `step([a: 1])` is Groovy for `step(a: 1)`.
        if isinstance(only, dict) and only and set(only) <= set(fields):
            return only | statement.named
        return {fields[0]: only} | statement.named
    return statement.named


def problems(statements: tuple[Statement, ...]) -> Iterator[Problem]:
    """Yield what is wrong with the steps of a block."""
    for statement in statements:
        name, line = statement.name, statement.line
        if not name or statement.assigns:
            yield (
                rules.CODE,
                f"{statement.text.splitlines()[0][:60]!r} is code: put it into script {{ }}",
                line,
            )
        # Its argument is a map of closures, and no list of steps.
        elif name == "parallel":
            continue
        elif name not in STEPS:
            yield (
                rules.PLUGIN,
                f"the step {name!r} is of a plugin or library that is not known",
                line,
            )
        else:
            yield from ((rule, message, line) for rule, message in _argument_problems(statement))
            # Their blocks hold Groovy, and not only steps.
            if name not in ("script", "waitUntil"):
                yield from problems(statement.inner)


def _argument_problems(statement: Statement) -> Iterator[tuple[Rule, str]]:
    name, fields = statement.name, field_names(STEPS[statement.name])
    if (statement.block is not None) != (name in BLOCK_STEPS):
        yield rules.STEP, f"{name} takes {'a' if name in BLOCK_STEPS else 'no'} block"
    if statement.args and (len(statement.args) > 1 or not fields or statement.named):
        yield rules.STEP, f"{name} takes {'one value, or all by name' if fields else 'nothing'}"
        return
    arguments = named_arguments(statement)
    unknown = sorted(set(arguments) - {*fields, "$class"})
    if unknown:
        yield rules.STEP, f"{name} has no argument {unknown[0]!r}"
    missing = missing_fields(STEPS[name], arguments)
    if missing and "$class" not in arguments:
        yield rules.STEP, f"{name} needs {' and '.join(missing)}"
    count, unit = arguments.get("count"), arguments.get("unit")
    if name == "retry" and not isinstance(count, int | dict):
        yield rules.STEP, "retry takes a number"
    if isinstance(unit, str) and unit not in UNITS:
        yield rules.STEP, f"{unit!r} is not a unit of time: SECONDS, MINUTES, HOURS ..."
    if name == "withCredentials":
        yield from _binding_problems(arguments.get("bindings"))


def _binding_problems(bindings: Any) -> Iterator[tuple[Rule, str]]:
    for binding in bindings if isinstance(bindings, list) else []:
        kind = binding.get("$call") if isinstance(binding, dict) else None
        if kind and kind not in BINDINGS:
            yield rules.PLUGIN, f"the credentials binding {kind!r} is not known"
        elif kind and "credentialsId" not in binding:
            yield rules.STEP, f"the binding {kind} needs credentialsId"


def bound_variables(statement: Statement) -> frozenset[str]:
    """Collect the variables that `withCredentials` fills."""
    bindings = (
        named_arguments(statement).get("bindings") if statement.name == "withCredentials" else None
    )
    fields = (
        [
            item
            for binding in bindings or ()
            if isinstance(binding, dict)
            for item in binding.items()
        ]
        if isinstance(bindings, list)
        else []
    )
    return frozenset(
        value
        for key, value in fields
        if key.lower().endswith("variable") and isinstance(value, str)
    )


def running(
    statements: tuple[Statement, ...],
    around: tuple[str, ...] = (),
    bound: frozenset[str] = frozenset(),
) -> Iterator[Step]:
    """Yield the steps of a block in order, each before those in it, until one ends the block.

    Of a `script` block, the steps that stand in it directly: what code decides is not known.
    """
    for statement in statements:
        if not statement.name or statement.assigns:
            # Groovy's ways to leave a block early.
            if statement.text.split("(")[0].split()[0] in ("return", "throw"):
                return
            continue
        yield Step(statement, around, bound)
        yield from running(
            statement.inner, (*around, statement.name), bound | bound_variables(statement)
        )
        if statement.name in ENDS:
            return
