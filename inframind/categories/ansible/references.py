"""References of a playbook: templates that parse, handlers, registered results, loop variables."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.ansible import catalog, rules
from inframind.categories.ansible.arguments import is_template
from inframind.categories.ansible.playbook import Play, Playbook, Task
from inframind.categories.ansible.templates import Template, template, texts
from inframind.categories.shared.values import listed
from inframind.types import Finding

CONDITIONS = ("when", "changed_when", "failed_when", "until")
IMPORTS = frozenset(
    (
        "import_tasks",
        "include_tasks",
        "import_role",
        "include_role",
        "include_vars",
        "set_fact",
        "set_stats",
        "include",
    )
)
"""Modules after which variables and handlers may come from elsewhere; set_fact names its own."""


def findings(playbook: Playbook) -> Iterator[Finding]:
    """Findings of the references rung."""
    for task in playbook.tasks:
        yield from template_findings(playbook, task.fields, task)
    for block, path in playbook.blocks:
        yield from condition_findings(playbook, block, path)
        yield from text_findings(playbook, block.get("vars"), (*path, "vars"))
    if playbook.is_task_file:
        return
    for play in playbook.plays:
        rest = {
            key: value
            for key, value in play.fields.items()
            if not isinstance(value, list) or key in ("roles", "environment")
        }
        yield from text_findings(playbook, rest, play.path)
        tasks = list(playbook.tasks_of(play))
        yield from handler_findings(playbook, play, tasks)
        yield from variable_findings(playbook, play, tasks)


def conditions(fields: dict[str, Any]) -> Iterator[str]:
    """Yields every bare condition of a task or block."""
    for key in CONDITIONS:
        yield from (item for item in listed(fields.get(key)) if isinstance(item, str))
    for key in ("assert", "ansible.builtin.assert"):
        if isinstance(fields.get(key), dict):
            yield from (item for item in listed(fields[key].get("that")) if isinstance(item, str))


def uses(task: Task) -> Iterator[Template]:
    """Yields every template and condition of a task."""
    for condition in conditions(task.fields):
        yield template(condition, is_condition=True)
    for key, value in task.fields.items():
        if key not in CONDITIONS:
            yield from map(template, texts(value))
    if (
        isinstance(task.call, tuple)
        and task.call[0].short == "debug"
        and isinstance(task.call[1], dict)
    ):
        shown = task.call[1].get("var")
        # "This option already runs in Jinja2 context": ansible.builtin.debug, var.
        if isinstance(shown, str):
            yield template(shown, is_condition=True)


def template_findings(playbook: Playbook, fields: dict[str, Any], task: Task) -> Iterator[Finding]:
    """Reports templates of a task that do not parse or use what does not exist."""
    yield from condition_findings(playbook, fields, task.path)
    for key, value in fields.items():
        if key not in CONDITIONS:
            yield from text_findings(playbook, value, (*task.path, key))


def condition_findings(
    playbook: Playbook, fields: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[Finding]:
    for condition in conditions(fields):
        yield from use_findings(
            playbook, condition, template(condition, is_condition=True), (*path, "when")
        )


def text_findings(playbook: Playbook, value: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    for text in texts(value):
        yield from use_findings(playbook, text, template(text), path)


def use_findings(
    playbook: Playbook, text: str, used: Template, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    """Checks one template: its syntax and its plugins."""
    if used.error:
        yield rules.TEMPLATE.finding(
            f"{text.strip()[:80]!r} does not parse: {used.error}", playbook.line(path)
        )
    for kind, name in sorted(used.plugins):
        status = catalog.plugin(kind, name).status
        if status == "foreign":
            yield rules.FOREIGN_PLUGIN.finding(
                f"the {kind} {name} is of a collection that is not known here", playbook.line(path)
            )
        elif status == "unknown":
            yield rules.PLUGIN.finding(f"there is no {kind} {name!r}", playbook.line(path))


def is_open(play: Play, tasks: list[Task]) -> bool:
    """Tells whether roles, includes or vars_files may bring further variables or handlers."""
    # set_fact sets names that stand in the play, so it hides nothing.
    included = any(task.call and task.call[0].short in IMPORTS - {"set_fact"} for task in tasks)
    return bool(included or any(play.fields.get(key) for key in ("roles", "vars_files")))


def handler_names(tasks: list[Task]) -> set[str]:
    """Names and topics that can be notified."""
    names: set[str] = set()
    for task in tasks:
        if task.is_handler:
            names |= {str(topic) for topic in listed(task.fields.get("listen"))} | {
                str(task.fields.get("name", ""))
            }
    return names


def handler_findings(playbook: Playbook, play: Play, tasks: list[Task]) -> Iterator[Finding]:
    """Reports notified handlers that are not there and can come from no role or included file."""
    if is_open(play, tasks):
        return
    handlers = handler_names(tasks)
    for task in tasks:
        for notifier in (task.fields, *task.blocks):
            for name in listed(notifier.get("notify")):
                if (
                    isinstance(name, str)
                    and not is_template(name)
                    and name not in handlers
                    and not any(map(is_template, handlers))
                ):
                    yield rules.HANDLER.finding(
                        f"{task.label} notifies {name!r}, and no handler has that name or listens "
                        "to it",
                        playbook.line((*task.path, "notify")) or playbook.line(task.path),
                    )


def defined_names(play: Play, tasks: list[Task]) -> set[str]:
    """Variables that the play itself defines otherwise than by `register`."""
    scopes = [
        play.fields.get("vars"),
        *(block.get("vars") for task in tasks for block in task.blocks),
    ]
    scopes += [task.fields.get("vars") for task in tasks]
    scopes += [
        task.call[1]
        for task in tasks
        if task.call and task.call[0].short in ("set_fact", "add_host")
    ]
    names = {name for scope in scopes if isinstance(scope, dict) for name in scope}
    prompts = (
        prompt.get("name")
        for prompt in listed(play.fields.get("vars_prompt"))
        if isinstance(prompt, dict)
    )
    return (
        names
        | {str(name) for name in prompts}
        | {name for task in tasks for name in loop_names(task)}
    )


def loop_names(task: Task) -> set[str]:
    """Variables that the task's own loop defines."""
    control = task.fields.get("loop_control")
    control = control if isinstance(control, dict) else {}
    if not any(key == "loop" or key.startswith("with_") for key in task.fields):
        return set()
    return {
        str(control.get("loop_var", "item")),
        str(control.get("index_var", "")),
        "ansible_loop",
        "ansible_loop_var",
    } - {""}


def variable_findings(playbook: Playbook, play: Play, tasks: list[Task]) -> Iterator[Finding]:
    """Reports results that no earlier task registers, and loop variables outside a loop, where
    nothing else can define them.
    """
    if is_open(play, tasks):
        return
    defined = defined_names(play, tasks)
    registered = {str(task.fields.get("register")) for task in tasks if "register" in task.fields}
    # Handlers run at the end of a play, so they see what any of its tasks registers.
    ordered = [task for task in tasks if not task.is_handler] + [
        task for task in tasks if task.is_handler
    ]
    seen: set[str] = set()
    for task in ordered:
        registers = {str(task.fields["register"])} if "register" in task.fields else set()
        for used in uses(task):
            wanted = (
                ((used.results | (used.names & registered)) - used.guarded)
                - seen
                - registers
                - defined
            )
            for name in sorted(wanted):
                if (
                    # Facts and magic variables: reference_appendices/special_variables.html.
                    not name.startswith("ansible_")
                    and name != "item"
                    and name not in loop_names(task)
                ):
                    late = (
                        "only a later task registers it"
                        if name in registered
                        else "no task registers it"
                    )
                    yield rules.REGISTERED.finding(
                        f"{task.label} uses {name!r}, and {late}", playbook.line(task.path)
                    )
            if "item" in used.names - used.guarded - loop_names(task) - (
                defined - {"item"}
            ) and not has_item(play, task):
                yield rules.ITEM.finding(
                    f"{task.label} uses `item` outside a loop", playbook.line(task.path)
                )
        seen |= registers


def has_item(play: Play, task: Task) -> bool:
    """Tells whether the play, the task or a block defines a variable called `item`."""
    scopes = (
        play.fields.get("vars"),
        task.fields.get("vars"),
        *(block.get("vars") for block in task.blocks),
    )
    return any(isinstance(scope, dict) and "item" in scope for scope in scopes)
