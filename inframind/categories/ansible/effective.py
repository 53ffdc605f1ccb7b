"""The tasks that a run would really do: arguments long and typed, literal variables and loops
resolved; tasks that can never run are left out.
"""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.ansible import arguments, catalog
from inframind.categories.ansible.arguments import ShortFormError, boolean, is_template
from inframind.categories.ansible.playbook import Play, Playbook, Task, is_import, untagged
from inframind.categories.ansible.templates import UNDECIDED, constant, truth
from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.shared.values import listed

SIMPLE = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")
# Every item makes a copy of its task.
MAX_ITEMS = 100
MAX_TASKS = 2_000
INHERITED = (
    "become",
    "become_user",
    "become_method",
    "remote_user",
    "delegate_to",
    "run_once",
    "no_log",
    "ignore_errors",
)
BOOLEANS = ("become", "run_once", "no_log", "ignore_errors", "gather_facts")
# Actions of meta after which no task of the play runs on the host.
ENDS = frozenset(("end_play", "end_host", "end_batch"))


def configuration(playbook: Playbook) -> Configuration:
    """Plays, tasks and handlers; a handler only if a task that runs notifies it."""
    resources: list[Resource] = []
    links: list[Link] = []
    for index, entry in enumerate(playbook.entries):
        if isinstance(entry, dict) and is_import(entry) and runs([entry], {}):
            name = str(entry.get("import_playbook", entry.get("ansible.builtin.import_playbook")))
            resources.append(Resource("import_playbook", name, entry, playbook.line((index,))))
    for play in playbook.plays:
        if play.fields and runs([play.fields], {}):
            resources.append(
                Resource("play", play.name, play_fields(play), playbook.line(play.path))
            )
            resources += [
                Resource("role", role["role"], role, playbook.line((*play.path, "roles")))
                for role in roles(play)
            ]
        if not play.fields or runs([play.fields], {}):
            _add_tasks(playbook, play, resources, links)
    return Configuration(tuple(resources), tuple(links))


def _add_tasks(
    playbook: Playbook, play: Play, resources: list[Resource], links: list[Link]
) -> None:
    tasks = list(reachable(playbook, play))
    notified = {str(name) for task in tasks if not task.is_handler for name in notifications(task)}
    handlers = [task for task in tasks if task.is_handler]
    while True:
        # Handlers may notify handlers in turn.
        chained = {
            str(n) for task in handlers if names(task) & notified for n in notifications(task)
        } - notified
        if not chained:
            break
        notified |= chained
    for task in tasks:
        if task.is_handler and not names(task) & notified and not any(map(is_template, notified)):
            continue
        for fields in expanded(task):
            if len(resources) >= MAX_TASKS:
                return
            kind = "handler" if task.is_handler else "task"
            for name in notifications(task):
                links += [
                    Link(len(resources), "notify", "handler", h.fields.get("name", ""))
                    for h in handlers
                    if name in names(h)
                ]
            resources.append(
                Resource(
                    kind,
                    str(fields.get("name") or fields["module"]),
                    fields,
                    playbook.line(task.path),
                )
            )


def names(handler: Task) -> set[str]:
    """Collects the name and the topics that notify a handler."""
    return {str(topic) for topic in listed(handler.fields.get("listen"))} | {
        str(handler.fields.get("name", ""))
    }


def notifications(task: Task) -> list[Any]:
    """Lists the handlers that a task notifies, its blocks' notifications included."""
    return [
        name
        for scope in (task.fields, *task.blocks)
        for name in listed(scope.get("notify"))
        if isinstance(name, str)
    ]


def reachable(playbook: Playbook, play: Play) -> Iterator[Task]:
    """Yields the tasks that can run: not behind a constant condition, the tag `never`, or an
    unconditional end of the play.
    """
    ended = False
    for task in playbook.tasks_of(play):
        scopes = task.scopes
        if (ended and not task.is_handler) or not runs(scopes, variables(task)):
            continue
        if not task.blocks and not listed(task.fields.get("when")) and task.call:
            name, value = task.call
            text = value.get("free_form") if isinstance(value, dict) else value
            fails = (
                name.short == "fail" and boolean(task.fields.get("ignore_errors", False)) is False
            )
            ended = ended or fails or (name.short == "meta" and str(text).strip() in ENDS)
        yield task


def runs(scopes: list[dict[str, Any]], literals: dict[str, Any]) -> bool:
    """Tells whether what these scopes surround can run and change something by default."""
    for scope in scopes:
        conditions = [constant(condition, literals) for condition in listed(scope.get("when"))]
        if any(value is not UNDECIDED and not truth(value) for value in conditions):
            return False
        tags = [tag.strip() for item in listed(scope.get("tags")) for tag in str(item).split(",")]
        # What is tagged `never` runs on request alone (playbook_tags.html), and in check mode a
        # task changes nothing (playbook_checkmode.html).
        if "never" in tags or boolean(scope.get("check_mode", False)) is True:
            return False
        if any(
            value == [] for key, value in scope.items() if key == "loop" or key.startswith("with_")
        ):
            return False
    return True


def variables(task: Task) -> dict[str, Any]:
    """Collects the literal variables around a task, the innermost winning."""
    merged: dict[str, Any] = {}
    for scope in task.scopes:
        values = scope.get("vars")
        merged |= values if isinstance(values, dict) else {}
    return merged


def resolved(value: Any, literals: dict[str, Any], depth: int = 0) -> Any:
    """Replaces `{{ name }}` and `{{ name.key }}` where they stand for literals.

    Nothing is rendered.
    """
    if isinstance(value, dict):
        return {key: resolved(item, literals, depth) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, literals, depth) for item in value]
    # Variables may lead to one another in a circle.
    if not is_template(value) or depth > 4:
        return value
    whole = SIMPLE.fullmatch(value.strip())
    if whole:
        literal = _look_up(whole.group(1), literals)
        return value if literal is None else resolved(literal, literals, depth + 1)

    def replaced(match: re.Match[str]) -> str:
        literal = resolved(_look_up(match.group(1), literals), literals, depth + 1)
        return (
            match.group() if literal is None or isinstance(literal, dict | list) else str(literal)
        )

    text = SIMPLE.sub(replaced, value)
    return text if len(text) < arguments_limit(value) else value


def arguments_limit(value: str) -> int:
    """Bounds the length of a resolved text: it may grow, not explode."""
    return len(value) + 10_000


def _look_up(path: str, literals: dict[str, Any]) -> Any:
    node: Any = literals
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return untagged(node)


def expanded(task: Task) -> Iterator[dict[str, Any]]:
    """Yields the task's fields as docs/contracts/task.md describes them, once for each item of a
    literal loop.
    """
    literals = variables(task)
    loop = next((key for key in task.fields if key in ("loop", "with_items", "with_list")), None)
    items = resolved(task.fields.get(loop), literals) if loop else None
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        yield task_fields(task, literals)
        return
    control = task.fields.get("loop_control")
    variable = control.get("loop_var", "item") if isinstance(control, dict) else "item"
    for item in items:
        yield task_fields(task, literals | {str(variable): item})


def task_fields(task: Task, literals: dict[str, Any]) -> dict[str, Any]:
    """Describes one task: full module name, typed arguments, what blocks and play give it."""
    scopes = task.scopes
    fields: dict[str, Any] = {
        key: value
        for key, value in task.fields.items()
        if key not in (*task.module_keys, "args", "local_action")
    }
    for key in INHERITED:
        values = [scope[key] for scope in scopes if key in scope]
        if values:
            fields[key] = (
                boolean(resolved(values[-1], literals))
                if key in BOOLEANS
                else resolved(values[-1], literals)
            )
    if "local_action" in task.fields:
        fields["delegate_to"] = "localhost"
    fields |= {
        key: [str(item) for item in listed(fields[key])]
        for key in ("until", "failed_when", "changed_when")
        if key in fields
    }
    fields["when"] = [str(condition) for scope in scopes for condition in listed(scope.get("when"))]
    fields["tags"] = [
        tag.strip()
        for scope in scopes
        for item in listed(scope.get("tags"))
        for tag in str(item).split(",")
    ]
    fields["notify"] = notifications(task)
    fields |= {
        "play": task.play.name,
        "hosts": listed(task.play.fields.get("hosts")),
        "section": task.section,
        "branch": task.branch,
    }
    if task.call:
        name, _value = task.call
        fields |= {"module": name.full, "args": _arguments(task, literals)}
    return fields


def _arguments(task: Task, literals: dict[str, Any]) -> dict[str, Any]:
    assert task.call is not None
    name, value = task.call
    try:
        args = arguments.long_form(name, value, task.fields.get("args"))
    except ShortFormError:
        return {}
    args = {"cmd" if key == "_raw_params" else key: item for key, item in args.items()}
    return (
        arguments.normalised(catalog.spec(name), resolved(args, literals))
        if name.status == "known"
        else args
    )


def play_fields(play: Play) -> dict[str, Any]:
    """Describes a play without its tasks: `hosts`, `tags` and roles as lists, booleans typed."""
    fields = {
        key: value
        for key, value in play.fields.items()
        if key not in ("tasks", "pre_tasks", "post_tasks", "handlers")
    }
    fields |= {
        key: boolean(value)
        for key, value in fields.items()
        if key in BOOLEANS and boolean(value) is not None
    }
    hosts = [
        host.strip()
        for item in listed(fields.get("hosts"))
        # `,` and `:` separate patterns; `:&` and `:!` narrow the one before (intro_patterns.html).
        for host in re.split(r"[,:](?![&!])", str(item))
    ]
    return fields | {"hosts": hosts, "roles": roles(play)}


def roles(play: Play) -> list[dict[str, Any]]:
    """Lists the play's roles that can run, each a mapping with `role`."""
    entries = listed(play.fields.get("roles"))
    long = [
        {"role": str(e.get("role", e.get("name")))} | e if isinstance(e, dict) else {"role": str(e)}
        for e in entries
    ]
    return [entry for entry in long if runs([entry], {})]
