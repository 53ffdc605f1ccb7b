"""The image that a Dockerfile makes: the final stage's settings, with the stages it needs."""

from dataclasses import dataclass, field
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.dockerfile.instructions import from_parts, pairs, unquoted
from inframind.categories.dockerfile.syntax import Instruction, substitute


@dataclass
class Stage:
    """Hold one build stage: the instructions after its FROM."""

    index: int
    image: str
    alias: str | None
    line: int
    platform: str | None = None
    instructions: list[Instruction] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.alias or str(self.index)


def global_args(instructions: list[Instruction]) -> dict[str, str | None]:
    """Read the ARGs before the first FROM."""
    values: dict[str, str | None] = {}
    for instruction in instructions:
        if instruction.word == "FROM":
            break
        if instruction.word == "ARG":
            name, _, default = instruction.rest.partition("=")
            values[name] = unquoted(default) or None
    return values


def stages(instructions: list[Instruction]) -> list[Stage]:
    """Group instructions into stages, in order; those before the first FROM are left out."""
    defaults = global_args(instructions)
    read: list[Stage] = []
    for instruction in instructions:
        if instruction.word == "FROM":
            image, alias = from_parts(instruction) or (instruction.rest, None)
            read.append(
                Stage(
                    len(read),
                    substitute(image, defaults),
                    alias,
                    instruction.line,
                    instruction.flag("platform"),
                )
            )
        elif read:
            read[-1].instructions.append(instruction)
    return read


def stage_called(all_stages: list[Stage], name: str, before: int) -> Stage | None:
    """Find the stage before index `before` with that alias or number, or None."""
    for stage in all_stages[:before]:
        # Names of stages are compared without regard to case.
        if stage.alias == name.lower() or str(stage.index) == name:
            return stage
    return None


def needs(all_stages: list[Stage], stage: Stage) -> list[tuple[str, Stage]]:
    """List (path, stage) for the stages that `stage` builds on or copies from."""
    wanted = []
    base = stage_called(all_stages, stage.image, stage.index)
    if base:
        wanted.append(("from", base))
    for instruction in stage.instructions:
        source = instruction.flag("from") if instruction.word == "COPY" else _mounted(instruction)
        other = stage_called(all_stages, source, stage.index) if source else None
        if other:
            wanted.append(("copy.from" if instruction.word == "COPY" else "run.mount", other))
    return wanted


def _mounted(instruction: Instruction) -> str | None:
    options = (instruction.flag("mount") or "").split(",")
    return next(
        (option.removeprefix("from=") for option in options if option.startswith("from=")), None
    )


def settings(
    all_stages: list[Stage], stage: Stage, defaults: dict[str, str | None]
) -> dict[str, Any]:
    """Collect a stage's fields as docs/contracts/task.md names them.

    A base stage of the same file passes its own on.
    """
    base = stage_called(all_stages, stage.image, stage.index)
    fields: dict[str, Any] = _inherited(settings(all_stages, base, defaults)) if base else {}
    fields |= {"from": stage.image, "platform": stage.platform}
    for key in ("ports", "volumes", "run", "copy", "add"):
        fields.setdefault(key, [])
    for key in ("env", "labels", "args"):
        fields.setdefault(key, {})
    values: dict[str, str | None] = dict(fields["env"])
    for instruction in stage.instructions:
        _apply(fields, values, defaults, instruction)
    return fields


def _inherited(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.copy() if isinstance(value, list | dict) else value
        for key, value in fields.items()
        if key != "args"
    }


def _apply(
    fields: dict[str, Any],
    values: dict[str, str | None],
    defaults: dict[str, str | None],
    instruction: Instruction,
) -> None:
    word, rest = instruction.word, substitute(instruction.rest, values)
    if word == "ARG":
        name, _, default = instruction.rest.partition("=")
        value = unquoted(substitute(default, values)) if default else defaults.get(name)
        fields["args"][name] = value
        values.setdefault(name, value)
    elif word in ("ENV", "LABEL"):
        read = pairs(rest) or {}
        fields["env" if word == "ENV" else "labels"].update(read)
        values.update(read if word == "ENV" else {})
    elif word == "WORKDIR":
        path = unquoted(rest)
        fields["workdir"] = (
            # A relative WORKDIR continues the one before (reference, WORKDIR).
            path if path.startswith("/") else f"{(fields.get('workdir') or '/').rstrip('/')}/{path}"
        )
    elif word == "EXPOSE":
        # tcp unless it says udp (reference, EXPOSE).
        fields["ports"] += [port.lower() if "/" in port else f"{port}/tcp" for port in rest.split()]
    elif word in ("COPY", "ADD"):
        fields[word.lower()].append(_copied(instruction, values))
    elif word == "RUN":
        fields["run"].append(
            _command(instruction, rest)
            if instruction.exec_form is None
            else " ".join(instruction.exec_form)
        )
    elif word == "VOLUME":
        fields["volumes"] += (
            instruction.exec_form if instruction.exec_form is not None else rest.split()
        )
    elif word == "HEALTHCHECK":
        fields["healthcheck"] = _healthcheck(instruction)
    elif word in ("CMD", "ENTRYPOINT", "SHELL"):
        fields[word.lower()] = _command(instruction, rest)
        if word == "ENTRYPOINT":
            # ENTRYPOINT resets a CMD that the base image brings (reference, CMD and ENTRYPOINT).
            fields.pop("cmd", None)
    elif word in ("USER", "STOPSIGNAL"):
        fields[word.lower()] = unquoted(rest)


def _command(instruction: Instruction, rest: str) -> Any:
    return instruction.exec_form if instruction.exec_form is not None else rest


def _copied(instruction: Instruction, values: dict[str, str | None]) -> dict[str, Any]:
    words = [unquoted(substitute(word, values)) for word in instruction.words]
    if instruction.heredoc:
        words = instruction.rest.split("\n", 1)[0].split()
    return {
        "sources": words[:-1],
        "target": words[-1] if words else None,
        "from": instruction.flag("from"),
        "chown": instruction.flag("chown"),
        "chmod": instruction.flag("chmod"),
    }


def _healthcheck(instruction: Instruction) -> dict[str, Any] | None:
    if instruction.rest.strip().upper() == "NONE":
        return None
    command = Instruction("CMD", instruction.rest.split(None, 1)[-1], (), instruction.line)
    options: dict[str, Any] = {name.replace("-", "_"): value for name, value in instruction.flags}
    return {"cmd": _command(command, command.rest)} | options


def configuration(instructions: list[Instruction]) -> Configuration:
    """Collect the `image`, and each `stage` that it needs."""
    all_stages, defaults = stages(instructions), global_args(instructions)
    last = all_stages[-1]
    needed: dict[int, Stage] = {}
    todo = [last]
    while todo:
        stage = todo.pop()
        if stage.index not in needed:
            needed[stage.index] = stage
            todo += [other for _, other in needs(all_stages, stage)]
    kept = [needed[index] for index in sorted(needed)]
    resources = [Resource("image", "image", settings(all_stages, last, defaults), last.line)]
    resources += [
        Resource("stage", stage.name, settings(all_stages, stage, defaults), stage.line)
        for stage in kept
    ]
    links = [Link(0, path, "stage", other.name) for path, other in needs(all_stages, last)]
    for source, stage in enumerate(kept, start=1):
        links += [
            Link(source, path, "stage", other.name) for path, other in needs(all_stages, stage)
        ]
    return Configuration(tuple(resources), tuple(links))
