"""Security and good practice of pipelines. A finding counts where a request lists its rule."""

import re
from collections.abc import Iterator

from inframind.categories.jenkins import rules, steps
from inframind.categories.jenkins.effective import agent_of, environment_of
from inframind.categories.jenkins.model import Pipeline
from inframind.categories.jenkins.references import blocks
from inframind.categories.shared.policies import (
    downloads_to_shell,
    is_secret_variable,
    is_unpinned,
)
from inframind.types import Finding

COMMANDS = frozenset({"sh", "bat", "powershell", "pwsh"})
# `$name`, `${name}`, `${env.name}` and `${params.name}`, unless the dollar is escaped.
INTERPOLATED = re.compile(r"(?<!\\)\$\{?\s*(?:env\.)?(params\.)?(\w+)")


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Judge timeouts, images, secrets and commands of a pipeline."""
    if "timeout" not in {
        part.name
        for part in (pipeline.sections["options"].inner if "options" in pipeline.sections else ())
    }:
        yield rules.NO_TIMEOUT.finding(
            "the pipeline may run for ever: options { timeout(time: 1, unit: 'HOURS') }", 1
        )
    secrets: set[str] = set()
    for _, sections in pipeline.parts():
        agent = agent_of(sections.get("agent")) or {}
        image = agent["docker"].get("image") if isinstance(agent.get("docker"), dict) else None
        if isinstance(image, str) and "$" not in image and is_unpinned(image):
            yield rules.LATEST.finding(f"{image} has no fixed tag", sections["agent"].line)
        for name, value in environment_of(sections.get("environment")).items():
            if isinstance(value, dict) and "credentials" in value:
                # A user and password pair fills three variables (Handling credentials).
                secrets |= {name, f"{name}_PSW", f"{name}_USR"}
            elif (
                is_secret_variable(name)
                and isinstance(value, str)
                and value
                and "$" not in value
                # A path names the file that holds the secret.
                and not value.startswith("/")
            ):
                yield rules.SECRET.finding(
                    f"{name} is written in plain: use credentials('id')",
                    sections["environment"].line,
                )
    for _, sections in pipeline.parts():
        for _, statements in blocks(sections):
            for step in steps.running(statements):
                if step.statement.name in COMMANDS:
                    yield from command_findings(step, secrets)


def command_findings(step: steps.Step, secrets: set[str]) -> Iterator[Finding]:
    """Judge one command: downloads run unchecked, secrets and parameters written into it."""
    line, script = step.statement.line, step.arguments.get("script")
    if isinstance(script, str) and downloads_to_shell(script):
        yield rules.PIPE_TO_SHELL.finding("a download runs unchecked", line)
    interpolations = [
        match for token in step.statement.interpolated for match in INTERPOLATED.findall(token.text)
    ]
    leaked = sorted({name for _, name in interpolations if name in secrets | step.bound})
    if leaked:
        yield rules.INTERPOLATION.finding(
            f"Groovy writes {', '.join(leaked)} into the command: use single quotes", line
        )
    injected = sorted({name for parameter, name in interpolations if parameter})
    if injected:
        yield rules.INJECTION.finding(
            f"{', '.join(injected)} may hold commands: use the environment in single quotes", line
        )
