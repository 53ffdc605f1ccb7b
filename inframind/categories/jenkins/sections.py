"""Checks of each section: agents, options, triggers, parameters, environment, post and the rest."""

from collections.abc import Callable, Iterator
from typing import Any

from inframind.categories.jenkins import conditions, rules, steps
from inframind.categories.jenkins.cron import cron_error
from inframind.categories.jenkins.model import Pipeline, Stage, content_of
from inframind.categories.jenkins.steps import Problem
from inframind.categories.jenkins.syntax import Statement
from inframind.categories.jenkins.vocabulary import (
    AGENTS,
    INPUT_FIELDS,
    OPTION_NEEDS,
    OPTIONS,
    PARAMETERS,
    POST_CONDITIONS,
    TOOLS,
    TRIGGERS,
    field_names,
    missing_fields,
)
from inframind.types import Finding


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Check the structure of a pipeline, and each section of it."""
    yield from pipeline.problems
    for stage, sections in pipeline.parts():
        for name, statement in sections.items():
            if name in CHECKS:
                for rule, message, line in CHECKS[name](statement, stage):
                    yield rule.finding(message, line)


def agent(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check an agent: `any`, `none`, or a block with one kind of agent."""
    line = statement.line
    if statement.block is None:
        if statement.value not in ({"$expr": "any"}, {"$expr": "none"}):
            yield rules.AGENT, "an agent is any, none, or a block such as { label 'linux' }", line
        return
    if len(statement.inner) != 1:
        yield rules.AGENT, "an agent block has one kind of agent", line
        return
    kind = statement.inner[0]
    if kind.name not in AGENTS:
        yield (
            rules.PLUGIN,
            f"the agent {kind.name or kind.text[:40]!r} is of a plugin that is not known",
            line,
        )
        return
    fields = {part.name for part in kind.inner} | set(kind.named)
    unknown = sorted(fields - AGENTS[kind.name])
    if unknown:
        yield rules.AGENT, f"the agent {kind.name} has no field {unknown[0]!r}", kind.line
    # `docker 'maven:3'` is short for its image.
    if kind.name == "docker" and not kind.args and "image" not in fields:
        yield rules.AGENT, "a docker agent needs an image", kind.line
    if kind.name == "label" and not isinstance(kind.value, str | dict):
        yield rules.AGENT, "a label agent needs a text", kind.line


def options(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that options are known and stand where they may."""
    for option in statement.inner:
        if option.name not in OPTIONS:
            yield (
                rules.PLUGIN,
                f"the option {option.name or option.text[:40]!r} is of a plugin that is not known",
                option.line,
            )
        # https://www.jenkins.io/doc/book/pipeline/syntax/#stage-options
        elif stage and not OPTIONS[option.name]:
            yield (
                rules.OPTION,
                f"{option.name} is an option of the pipeline, not of a stage",
                option.line,
            )
        else:
            needs = OPTION_NEEDS.get(option.name, ())
            if needs and not option.args and not set(needs) <= set(option.named):
                yield rules.OPTION, f"{option.name} needs {' and '.join(needs)}", option.line
            unit = option.named.get("unit")
            if isinstance(unit, str) and unit not in steps.UNITS:
                yield (
                    rules.OPTION,
                    f"{unit!r} is not a unit of time: SECONDS, MINUTES, HOURS ...",
                    option.line,
                )


def triggers(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that triggers are known and their schedules valid."""
    for trigger in statement.inner:
        if trigger.name not in TRIGGERS:
            yield (
                rules.PLUGIN,
                f"the trigger {trigger.name or trigger.text[:40]!r} is of a plugin that is not "
                "known",
                trigger.line,
            )
        elif trigger.name in ("cron", "pollSCM"):
            schedule = (
                trigger.value
                if trigger.args
                else trigger.named.get("spec", trigger.named.get("scmpoll_spec"))
            )
            if isinstance(schedule, str) and not trigger.interpolated:
                error = cron_error(schedule)
                if error:
                    yield rules.TRIGGER, error, trigger.line
            elif schedule is None:
                yield rules.TRIGGER, f"{trigger.name} needs a schedule", trigger.line


def parameters(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that parameters are of known kinds, with their fields."""
    for parameter in statement.inner:
        kind, line = parameter.name, parameter.line
        if kind not in PARAMETERS:
            yield (
                rules.PLUGIN,
                f"the parameter {kind or parameter.text[:40]!r} is of a plugin that is not known",
                line,
            )
            continue
        fields = field_names(PARAMETERS[kind])
        missing = missing_fields(PARAMETERS[kind], parameter.named)
        default = parameter.named.get("defaultValue")
        if parameter.args or not set(parameter.named) <= set(fields):
            yield rules.PARAMETER, f"{kind} takes {', '.join(sorted(fields))}, by name", line
        if missing:
            yield rules.PARAMETER, f"{kind} needs {' and '.join(missing)}", line
        if kind == "booleanParam" and isinstance(default, str):
            yield rules.PARAMETER, "the default of a booleanParam is true or false", line
        if kind == "string" and isinstance(default, bool | int):
            yield rules.PARAMETER, "the default of a string is a text", line


def environment(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that an environment assigns texts or calls."""
    for part in statement.inner:
        value = part.args[0] if part.assigns else None
        if not part.assigns:
            yield rules.ENVIRONMENT, f"{part.text[:40]!r}: write NAME = 'value'", part.line
        elif not isinstance(value, str | dict) or (
            isinstance(value, dict) and not set(value) & {"$call", "$expr"}
        ):
            yield rules.ENVIRONMENT, f"{part.name} is not a text or a call", part.line
        # A bare word is a variable of Groovy, and Declarative knows none here.
        elif isinstance(value, dict) and str(value.get("$expr", "(")).isidentifier():
            yield rules.ENVIRONMENT, f"{part.name}: a text stands in quotes", part.line


def post(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that post conditions are known, each with steps."""
    if not statement.inner:
        yield rules.POST, "post has no condition", statement.line
    for condition in statement.inner:
        if condition.name not in POST_CONDITIONS or condition.block is None:
            yield (
                rules.POST,
                f"post has no condition {condition.name or condition.text[:40]!r}",
                condition.line,
            )
        elif not condition.inner:
            yield rules.POST, f"{condition.name} has no steps", condition.line
        else:
            yield from steps.problems(condition.inner)


def step_block(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check `steps`: at least one, each known and complete."""
    if not statement.inner:
        yield rules.REQUIRED, "steps has no step", statement.line
    yield from steps.problems(statement.inner)


def when(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that conditions are known and complete."""
    yield from ((rules.WHEN, message, statement.line) for message in conditions.problems(statement))


def tools(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check that tools are known, called by the names they are configured under."""
    for tool in statement.inner:
        if tool.name not in TOOLS:
            yield (
                rules.PLUGIN,
                f"the tool {tool.name or tool.text[:40]!r} is of a plugin that is not known",
                tool.line,
            )
        elif not isinstance(tool.value, str | dict):
            yield rules.SECTION, f"{tool.name} takes the name of an installation", tool.line


def input_(statement: Statement, stage: Stage | None) -> Iterator[Problem]:
    """Check the question before a stage."""
    fields: Any = (
        content_of(statement)
        if statement.block
        else statement.named or {"message": statement.value}
    )
    unknown = sorted(set(fields) - INPUT_FIELDS) if isinstance(fields, dict) else []
    if unknown:
        yield rules.INPUT, f"input has no field {unknown[0]!r}", statement.line
    if not isinstance(fields, dict) or not isinstance(fields.get("message"), str | dict):
        yield rules.INPUT, "input needs a message", statement.line
    for part in statement.inner:
        if part.name == "parameters":
            yield from parameters(part, stage)


Check = Callable[[Statement, Stage | None], Iterator[Problem]]
CHECKS: dict[str, Check] = {
    "agent": agent,
    "options": options,
    "triggers": triggers,
    "parameters": parameters,
    "environment": environment,
    "post": post,
    "steps": step_block,
    "when": when,
    "tools": tools,
    "input": input_,
}
