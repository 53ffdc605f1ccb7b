"""Plays, blocks and tasks: known keywords with values of their type, one module a task, its
arguments.
"""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.ansible import arguments, catalog, rules
from inframind.categories.ansible.arguments import ShortFormError, fits, is_template
from inframind.categories.ansible.playbook import (
    SECTIONS,
    Path,
    Playbook,
    Task,
    is_block,
    is_import,
    untagged,
)
from inframind.categories.shared.values import listed
from inframind.types import Finding

VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
LISTS = (*SECTIONS, "roles", "block", "rescue", "always")
PERCENT = re.compile(r"\d+(?:\.\d+)?%?")


def findings(playbook: Playbook) -> Iterator[Finding]:
    """Findings of the schema rung."""
    if not playbook.is_task_file:
        for index, entry in enumerate(playbook.entries):
            yield from play_findings(playbook, entry, (index,))
    else:
        yield from list_findings(playbook, playbook.entries, ())
    for block, path in playbook.blocks:
        yield from keyword_findings(playbook, "block", block, path)
        for branch in ("block", "rescue", "always"):
            yield from list_findings(playbook, block.get(branch), (*path, branch))
        if "block" not in block:
            yield rules.MODULE_COUNT.finding("rescue and always need a block", playbook.line(path))
    for task in playbook.tasks:
        yield from task_findings(playbook, task)


def play_findings(playbook: Playbook, entry: Any, path: Path) -> Iterator[Finding]:
    """Checks one entry of a playbook: a play, or the import of another playbook."""
    if not isinstance(entry, dict):
        yield rules.KEYWORD_TYPE.finding(
            "an entry of a playbook is a play: a mapping with hosts", playbook.line(path)
        )
        return
    if is_import(entry):
        plain = {key.removeprefix("ansible.builtin."): value for key, value in entry.items()}
        yield from keyword_findings(playbook, "import_playbook", plain, path)
        return
    if not any(isinstance(host, str) and host.strip() for host in listed(entry.get("hosts"))):
        yield rules.HOSTS.finding("the play needs `hosts`", playbook.line(path))
    yield from keyword_findings(playbook, "play", entry, path)
    for section in SECTIONS:
        yield from list_findings(playbook, entry.get(section), (*path, section))
    roles = entry.get("roles")
    for index, role in enumerate(roles if isinstance(roles, list) else ()):
        name = role.get("role", role.get("name")) if isinstance(role, dict) else role
        if not isinstance(name, str) or not name.strip():
            yield rules.KEYWORD_TYPE.finding(
                "a role is a name, or a mapping with `role`", playbook.line((*path, "roles", index))
            )


def list_findings(playbook: Playbook, entries: Any, path: Path) -> Iterator[Finding]:
    """Reports entries of a list of tasks that are neither tasks nor blocks."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            yield rules.KEYWORD_TYPE.finding("a task is a mapping", playbook.line((*path, index)))
        elif "hosts" in entry and not is_block(entry) and len(path) > 0:
            yield rules.KEYWORD.finding(
                "a play cannot stand among tasks", playbook.line((*path, index))
            )


def keyword_findings(
    playbook: Playbook, kind: str, fields: dict[str, Any], path: Path
) -> Iterator[Finding]:
    """Checks that the keywords of a play, block or import are known, and of their type."""
    keywords = catalog.keywords(kind)
    for key, value in fields.items():
        if key not in keywords:
            yield rules.KEYWORD.finding(
                f"a {kind} has no keyword {key!r}", playbook.line((*path, key))
            )
        else:
            yield from type_findings(playbook, key, keywords[key], value, (*path, key))


def type_findings(
    playbook: Playbook, key: str, isa: str, value: Any, path: Path
) -> Iterator[Finding]:
    """Checks one keyword's value."""
    value = untagged(value)
    if key == "vars" or (key == "environment" and isinstance(value, dict)):
        yield from variable_findings(playbook, value, path, is_strict=key == "vars")
    elif key in LISTS:
        if value is not None and not isinstance(value, list):
            yield rules.KEYWORD_TYPE.finding(f"{key} is a list", playbook.line(path))
    elif key == "loop_control":
        if not isinstance(value, dict):
            yield rules.KEYWORD_TYPE.finding("loop_control is a mapping", playbook.line(path))
            return
        for name in value.keys() - catalog.keywords("loop_control").keys():
            yield rules.KEYWORD.finding(
                f"loop_control has no keyword {name!r}", playbook.line(path)
            )
    elif value is not None and not is_template(value) and not is_of(isa, value):
        yield rules.KEYWORD_TYPE.finding(
            f"{key} {str(value)[:60]!r} is not of type {isa}", playbook.line(path)
        )
    elif key == "register" and not (
        isinstance(value, str) and (VARIABLE.fullmatch(value) or is_template(value))
    ):
        yield rules.VARIABLE.finding(
            f"{value!r} is no variable name: letters, digits and underscores", playbook.line(path)
        )
    elif key in ("tags", "notify", "when", "hosts", "listen") and any(
        isinstance(item, dict | list) for item in listed(value)
    ):
        yield rules.KEYWORD_TYPE.finding(f"{key} is a text or a list of texts", playbook.line(path))


def is_of(isa: str, value: Any) -> bool:
    """Tells whether a keyword's value has its type.

    ansible-core converts texts to numbers and booleans, and one value to a list.
    """
    # The `isa` of a FieldAttribute in ansible.playbook; max_fail_percentage is a percent.
    if isa == "percent":
        return isinstance(value, int | float) or (
            isinstance(value, str) and PERCENT.fullmatch(value) is not None
        )
    if isa == "list":
        return True
    if isa == "dict":
        return isinstance(value, dict)
    return fits("str" if isa == "string" else isa, value)


def variable_findings(
    playbook: Playbook, value: Any, path: Path, *, is_strict: bool
) -> Iterator[Finding]:
    """Checks that `vars` is a mapping of variable names."""
    if value is None or is_template(value):
        return
    if not isinstance(value, dict):
        yield rules.KEYWORD_TYPE.finding("vars is a mapping", playbook.line(path))
        return
    for name in value:
        if is_strict and not VARIABLE.fullmatch(name):
            yield rules.VARIABLE.finding(
                f"{name!r} is no variable name: letters, digits and underscores",
                playbook.line((*path, name)),
            )


def task_findings(playbook: Playbook, task: Task) -> Iterator[Finding]:
    """Checks one task: its keywords, its loop, its module."""
    kind = "handler" if task.is_handler else "task"
    keywords = catalog.keywords(kind)
    for key, value in task.fields.items():
        if key in keywords and key != "action":
            yield from type_findings(playbook, key, keywords[key], value, (*task.path, key))
    yield from loop_findings(playbook, task)
    keys = task.module_keys
    if len(keys) > 1:
        # Where one key alone is a module, the others are likelier misspelled keywords than modules.
        modules = [key for key in keys if catalog.module(key).status in ("known", "foreign")]
        if len(modules) == 1:
            for key in keys:
                if key != modules[0]:
                    yield rules.KEYWORD.finding(
                        f"{task.label} has no keyword {key!r}", playbook.line((*task.path, key))
                    )
        else:
            yield rules.MODULE_COUNT.finding(
                f"{task.label} calls {', '.join(keys[:5])}: a task calls one module",
                playbook.line(task.path),
            )
    elif not keys:
        yield rules.MODULE.finding(f"{task.label} calls no module", playbook.line(task.path))
    else:
        yield from module_findings(playbook, task)


def loop_findings(playbook: Playbook, task: Task) -> Iterator[Finding]:
    """Checks that a task has at most one loop, over a list, and that `with_x` names a lookup."""
    loops = [key for key in task.fields if key == "loop" or key.startswith("with_")]
    if len(loops) > 1:
        yield rules.LOOP.finding(
            f"{task.label} has {' and '.join(loops)}: a task has one loop",
            playbook.line((*task.path, loops[0])),
        )
    for key in loops:
        value = task.fields[key]
        if key == "loop" and not isinstance(value, list) and not is_template(value):
            yield rules.KEYWORD_TYPE.finding(
                f"{task.label}: loop is a list, not {str(value)[:40]!r}",
                playbook.line((*task.path, loops[0])),
            )
        if (
            key != "loop"
            and catalog.plugin("lookup", key.removeprefix("with_")).status == "unknown"
        ):
            yield rules.KEYWORD.finding(
                f"{task.label}: there is no lookup {key.removeprefix('with_')!r}",
                playbook.line((*task.path, loops[0])),
            )


def module_findings(playbook: Playbook, task: Task) -> Iterator[Finding]:
    """Checks that a task's module exists and takes the arguments."""
    call = task.call
    if call is None:
        return
    name, value = call
    path = (*task.path, task.module_keys[0])
    if name.status == "foreign":
        yield rules.FOREIGN.finding(
            f"{name.full}: the collection is not known here, so it is not verified",
            playbook.line(path),
        )
    elif name.status != "known":
        reason = "was removed" if name.status == "removed" else "does not exist"
        yield rules.UNKNOWN.finding(
            f"{task.label}: the module {name.full} {reason}", playbook.line(path)
        )
    else:
        try:
            args = arguments.long_form(name, value, task.fields.get("args"))
        except ShortFormError as error:
            yield rules.OPTION.finding(f"{task.label}: {error}", playbook.line(path))
            return
        # Either may hold any option, so none is missing.
        if is_template(task.fields.get("args")) or any(
            "module_defaults" in scope for scope in task.scopes
        ):
            args["*"] = "given elsewhere"
        for fault in arguments.faults(name, args):
            where = path if not fault.option else (*path, *fault.option.split("."))
            yield fault.rule.finding(
                f"{task.label}, {name.full}: {fault.message}",
                playbook.line(where) or playbook.line(path),
            )
