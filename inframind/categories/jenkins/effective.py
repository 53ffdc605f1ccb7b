"""The pipeline, its parameters, and the stages and steps that can run."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.jenkins import conditions, steps
from inframind.categories.jenkins.model import (
    Pipeline,
    Sections,
    Stage,
    axis_values,
    content_of,
    plain,
)
from inframind.categories.jenkins.references import blocks, declared, used
from inframind.categories.jenkins.syntax import Statement


def configuration(pipeline: Pipeline) -> Configuration:
    """Collect the objects that docs/contracts/task.md lists for `jenkins`."""
    resources = [Resource("pipeline", "", pipeline_fields(pipeline), 1)]
    links: list[Link] = []
    section = pipeline.sections.get("parameters")
    resources += [
        Resource(
            "parameter",
            str(part.named.get("name", "")),
            plain(part.named) | {"type": part.name},
            part.line,
        )
        for part in (section.inner if section else ())
    ]
    parameters = set(declared(pipeline))
    for index, stage in enumerate(runnable(pipeline)):
        links += [
            Link(len(resources), "when", "parameter", name)
            for name in _used_in(stage.sections.get("when")) & parameters
        ]
        resources.append(
            Resource("stage", stage.name, stage_fields(stage) | {"index": index}, stage.line)
        )
        _add_steps(resources, links, stage, stage.sections, parameters)
    _add_steps(resources, links, None, pipeline.sections, parameters)
    return Configuration(tuple(resources), tuple(links))


def runnable(pipeline: Pipeline) -> Iterator[Stage]:
    """Yield the stages whose conditions, and those around them, can hold."""
    skipped: set[int] = set()
    for stage in pipeline.stages():
        if (stage.parent and id(stage.parent) in skipped) or conditions.never(
            stage.sections.get("when")
        ):
            skipped.add(id(stage))
        else:
            yield stage


def _used_in(statement: Statement | None) -> set[str]:
    return used(statement.text) if statement else set()


def _add_steps(
    resources: list[Resource],
    links: list[Link],
    stage: Stage | None,
    sections: Sections,
    parameters: set[str],
) -> None:
    for condition, statements in blocks(sections):
        for index, step in enumerate(steps.running(statements)):
            statement = step.statement
            where = {
                "stage": stage.name if stage else "",
                "path": stage.path if stage else "",
                "post": condition,
            }
            # The text of a block step holds its inner steps: only its own words refer.
            words = statement.source.between(
                statement.start, statement.block[0] if statement.block else statement.end
            )
            links += [
                Link(len(resources), "script", "parameter", name)
                for name in used(words) & parameters
            ]
            fields = step.arguments | where | {"index": index, "inside": list(step.around)}
            resources.append(Resource("step", statement.name, fields, statement.line))


def agent_of(statement: Statement | None) -> Any:
    """Read an agent: `{"any": true}`, `{"none": true}`, or its kind with its fields."""
    if statement is None:
        return None
    if statement.block is None:
        return {str(plain(statement.value).get("$expr")): True}
    kind = statement.inner[0]
    content = content_of(kind)
    return {
        kind.name: {"image": content}
        if kind.name == "docker" and isinstance(content, str)
        else content
    }


def environment_of(statement: Statement | None) -> dict[str, Any]:
    """Map the names in an `environment` block to their values."""
    return {
        part.name: plain(part.args[0])
        for part in (statement.inner if statement else ())
        if part.assigns
    }


def calls_of(statement: Statement | None) -> dict[str, Any]:
    """Map the calls in a block to their arguments, each as one value."""
    return {
        part.name: content_of(part) for part in (statement.inner if statement else ()) if part.name
    }


def names_of(statement: Statement | None) -> list[str]:
    """List the names of the parts of a block."""
    return [part.name for part in (statement.inner if statement else ())]


def condition_of(part: Statement) -> dict[str, Any]:
    """Read a condition of `when`: groups hold lists, an expression its code."""
    if part.name in ("allOf", "anyOf", "not"):
        return {part.name: [condition_of(inner) for inner in part.inner]}
    if part.name == "expression" and part.block:
        return {"expression": part.source.between(*part.block).strip()}
    return {part.name: content_of(part)}


def common_fields(sections: Sections) -> dict[str, Any]:
    """Collect the fields that the pipeline and its stages share."""
    return {
        "agent": agent_of(sections.get("agent")),
        "environment": environment_of(sections.get("environment")),
        "options": calls_of(sections.get("options")),
        "tools": calls_of(sections.get("tools")),
        "post": names_of(sections.get("post")),
    }


def pipeline_fields(pipeline: Pipeline) -> dict[str, Any]:
    """Collect the fields of the pipeline itself."""
    return common_fields(pipeline.sections) | {
        "triggers": calls_of(pipeline.sections.get("triggers"))
    }


def stage_fields(stage: Stage) -> dict[str, Any]:
    """Collect the fields of one stage."""
    sections = stage.sections
    axes = {name: list(values) for name, values in axis_values(sections.get("axes"))}
    question = sections.get("input")
    return common_fields(sections) | {
        "parent": stage.parent.name if stage.parent else None,
        "path": stage.path,
        "parallel": stage.is_parallel,
        "failFast": sections["failFast"].value if "failFast" in sections else None,
        "when": [condition_of(part) for part in sections["when"].inner]
        if "when" in sections
        else [],
        "matrix": axes or None,
        "input": content_of(question) if question else None,
    }
