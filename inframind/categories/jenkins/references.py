"""References: parameters, stashes, and a node for the steps that need one."""

import re
from collections.abc import Iterator

from inframind.categories.jenkins import rules, steps
from inframind.categories.jenkins.model import Pipeline, Sections, Stage, axis_values
from inframind.categories.jenkins.syntax import Statement
from inframind.categories.jenkins.vocabulary import NEEDS_NODE
from inframind.categories.shared.values import repeated
from inframind.types import Finding

PARAMETER = re.compile(r"\bparams\.([A-Za-z_]\w*)")
# Groovy's own on maps: `params.size()` names no parameter.
METHODS = frozenset(
    "containsKey get each collect find any every toString size keySet findAll".split()
)


def declared(pipeline: Pipeline) -> list[str]:
    """List the names of the parameters."""
    section = pipeline.sections.get("parameters")
    return [
        str(part.named["name"])
        for part in (section.inner if section else ())
        if "name" in part.named
    ]


def used(text: str) -> set[str]:
    """Collect the parameters that a piece of the text names."""
    return {name for name in PARAMETER.findall(text) if name not in METHODS}


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Check parameters, axes, stashes and agents of a pipeline."""
    names = declared(pipeline)
    for name, count in repeated(names):
        yield rules.DUPLICATE.finding(
            f"there are {count} parameters {name!r}", pipeline.sections["parameters"].line
        )
    for stage in pipeline.stages():
        for axis, count in repeated(name for name, _ in axis_values(stage.sections.get("axes"))):
            yield rules.DUPLICATE.finding(f"there are {count} axes {axis!r}", stage.line)
    if "parameters" in pipeline.sections:
        for token in pipeline.source.tokens:
            if token.kind == "gstring":
                for name in sorted(used(token.text) - set(names)):
                    yield rules.UNDEFINED_PARAMETER.finding(
                        f"there is no parameter {name!r}", token.line
                    )
        yield from _named_in_code(pipeline, set(names))
    yield from stash_findings(pipeline)
    yield from agent_findings(pipeline)


def _named_in_code(pipeline: Pipeline, names: set[str]) -> Iterator[Finding]:
    tokens = pipeline.source.tokens
    for first, dot, last in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (
            first.text == "params"
            and dot.text == "."
            and last.kind == "name"
            and last.text not in names | METHODS
        ):
            yield rules.UNDEFINED_PARAMETER.finding(
                f"there is no parameter {last.text!r}", last.line
            )


def blocks(sections: Sections) -> Iterator[tuple[str | None, tuple[Statement, ...]]]:
    """Yield (post condition or None, statements) for the steps of a pipeline or stage."""
    if "steps" in sections:
        yield None, sections["steps"].inner
    for condition in sections["post"].inner if "post" in sections else ():
        yield condition.name, condition.inner


def stash_findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Check that every unstash has a stash before it."""
    stashed: set[str] = set()
    code = False
    for _, sections in pipeline.parts():
        for _, statements in blocks(sections):
            for step in steps.running(statements):
                name = steps.named_arguments(step.statement).get("name")
                # Code may stash under any name: from there on nothing is known to be missing.
                code |= step.statement.name == "script" or bool(step.statement.interpolated)
                if step.statement.name == "stash" and isinstance(name, str):
                    stashed.add(name)
                if (
                    step.statement.name == "unstash"
                    and isinstance(name, str)
                    and name not in stashed
                    and not code
                ):
                    yield rules.STASH.finding(
                        f"nothing before stashes {name!r}", step.statement.line
                    )


def is_none(agent: Statement) -> bool:
    """Tell whether an agent is `agent none`."""
    return bool(agent.value == {"$expr": "none"})


def has_node(pipeline: Pipeline, stage: Stage | None) -> bool:
    """Tell whether an agent of the stage, of one around it or of the pipeline gives a node."""
    while stage:
        if "agent" in stage.sections:
            return not is_none(stage.sections["agent"])
        stage = stage.parent
    return not is_none(pipeline.sections["agent"])


def agent_findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Report steps that need a node and have none."""
    for stage, sections in pipeline.parts():
        if has_node(pipeline, stage):
            continue
        for _, statements in blocks(sections):
            for step in steps.running(statements):
                # `node` gives a workspace of its own, and code in `script` may ask for one.
                if step.statement.name in NEEDS_NODE and not {"node", "script"} & set(step.around):
                    where = f"the stage {stage.name!r}" if stage else "the pipeline"
                    yield rules.NO_AGENT.finding(
                        f"{step.statement.name}: {where} has no agent", step.statement.line
                    )
