"""How the families write pipelines, and the checks that several of them ask for."""

import textwrap

from inframind.bench.family import equals
from inframind.types import Check, Json


def block(head: str, *body: str) -> str:
    """`head { body }`, indented by four."""
    return f"{head} {{\n{textwrap.indent(chr(10).join(body), '    ')}\n}}"


def pipeline(*body: str) -> str:
    """A whole file."""
    return block("pipeline", *body) + "\n"


def stage(name: str, *body: str) -> str:
    """A stage with its directives."""
    return block(f"stage('{name}')", *body)


def steps(*lines: str) -> str:
    """The steps of a stage."""
    return block("steps", *lines)


def runs(stage_name: str, command: str) -> Check:
    """The stage runs the command in a shell, outside `post`."""
    return Check(
        op="exists",
        id=f"{stage_name}: {command}",
        kind="step",
        name="sh",
        where={"stage": stage_name, "script": command, "post": None},
    )


def does(stage_name: str, step: str, post: str | None = None, **arguments: Json) -> Check:
    """The stage, or the pipeline if the name is empty, has the step with the arguments."""
    where: dict[str, Json] = {"stage": stage_name, "post": post} | arguments
    return Check(op="exists", id=f"{stage_name}: {step}", kind="step", name=step, where=where)


def agent(kind: str, value: Json) -> Check:
    """The pipeline's agent."""
    return equals("pipeline", None, f"agent.{kind}", value)


def limited(minutes: int) -> Check:
    """The pipeline's timeout in minutes."""
    return equals("pipeline", None, "options.timeout", {"time": minutes, "unit": "MINUTES"})
