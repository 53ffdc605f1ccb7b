"""Security and good practice of playbooks. Counts where a request lists the rule."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from inframind.categories.ansible import arguments, rules
from inframind.categories.ansible.arguments import ShortFormError, boolean, is_template
from inframind.categories.ansible.playbook import Playbook, Task
from inframind.categories.ansible.templates import texts
from inframind.categories.shared.policies import downloads_to_shell, is_secret_field, is_unpinned
from inframind.categories.shared.values import listed
from inframind.types import Finding

Line = Callable[[], int | None]
"""Looks the line up once a rule fires."""
COMMANDS = {
    "apt-get": "apt",
    "apt": "apt",
    "yum": "dnf",
    "dnf": "dnf",
    "rpm": "dnf",
    "git": "git",
    "systemctl": "systemd_service",
    "service": "service",
    "useradd": "user",
    "mount": "mount",
    "curl": "get_url or uri",
    "wget": "get_url",
    "tar": "unarchive",
    "unzip": "unarchive",
    "mkdir": "file",
    "chmod": "file",
    "chown": "file",
    "sed": "replace or lineinfile",
}
"""Program -> the module to write instead."""
CONTAINERS = frozenset(("docker_container", "docker_swarm_service", "podman_container"))
# The bit of 2 in the last octal digit lets others write, as o+w does.
OPEN_MODE = re.compile(r"0?[0-7]{2}[2367]|.*\bo\+[rx]*w.*")


def findings(playbook: Playbook) -> Iterator[Finding]:
    """Findings of the policy rung."""
    for play in playbook.plays:
        if play.fields and not play.fields.get("name"):
            yield rules.NAME.finding("the play has no name", playbook.line(play.path))
        for key, value in (
            play.fields["vars"] if isinstance(play.fields.get("vars"), dict) else {}
        ).items():
            yield from secret_findings(
                key, value, partial(playbook.line, (*play.path, "vars", key))
            )
    for task in playbook.tasks:
        line = partial(playbook.line, task.path)
        if not task.fields.get("name"):
            yield rules.NAME.finding(f"{task.label} has no name", line())
        if boolean(task.fields.get("ignore_errors", False)):
            yield rules.IGNORE.finding(
                f"{task.label} ignores errors: failed_when says which are none", line()
            )
        if task.call and task.call[0].status == "known":
            yield from call_findings(playbook, task, line)


def names_secret(key: str) -> bool:
    """Tells whether a variable or option is for a secret; playbooks also write `db_pass`."""
    return is_secret_field(key) or key.lower().endswith("_pass") or key.lower() == "pass"


def secret_findings(key: str, value: Any, line: Line) -> Iterator[Finding]:
    """Finds a secret that is written in plain."""
    if (
        names_secret(key)
        and isinstance(value, str | int)
        and not isinstance(value, bool)
        and value != ""
        and not is_template(value)
    ):
        yield rules.SECRET.finding(
            f"{key} stands there in plain: use ansible-vault or a lookup", line()
        )


def call_findings(playbook: Playbook, task: Task, line: Line) -> Iterator[Finding]:
    """Judges what one module call does."""
    assert task.call is not None
    name, value = task.call
    if "." not in task.module_keys[0] and task.module_keys[0] not in ("action", "local_action"):
        yield rules.FQCN.finding(
            f"{task.label}: write {name.full} instead of {task.module_keys[0]}", line()
        )
    try:
        args = arguments.long_form(name, value, task.fields.get("args"))
    except ShortFormError:
        return
    for key, item in args.items():
        yield from secret_findings(key, item, line)
        if (
            names_secret(key)
            and any("item" in text for text in texts(item))
            and not boolean(task.fields.get("no_log", False))
        ):
            yield rules.NO_LOG.finding(f"{task.label} loops over {key}: set no_log: true", line())
    # The result of a run hangs on the day: lint/rules/package-latest.
    if args.get("state") == "latest":
        yield rules.LATEST.finding(
            f"{task.label}: state latest changes with every run: state present, or a version",
            line(),
        )
    image = str(args.get("image", "")) if name.short in CONTAINERS else ""
    if image and not is_template(image) and is_unpinned(image):
        yield rules.IMAGE.finding(f"{task.label}: {image} has no fixed tag", line())
    yield from mode_findings(task, args, line)
    if any(boolean(args.get(key, True)) is False for key in ("validate_certs", "verify_ssl")):
        yield rules.CERTS.finding(f"{task.label} trusts every certificate", line())
    if name.short in ("command", "shell", "raw"):
        yield from command_findings(task, args, line)


def mode_findings(task: Task, args: dict[str, Any], line: Line) -> Iterator[Finding]:
    """Judges the mode that a file gets."""
    mode = args.get("mode")
    # The reader leaves 0644 a text. A bare 644 is decimal, which is 01204 in octal.
    if isinstance(mode, int) and not isinstance(mode, bool):
        yield rules.OCTAL.finding(
            f"{task.label}: mode {mode} is a decimal number: write '0{mode}'", line()
        )
    elif isinstance(mode, str) and OPEN_MODE.fullmatch(mode):
        yield rules.MODE.finding(f"{task.label}: mode {mode} lets everybody write", line())


def command_findings(task: Task, args: dict[str, Any], line: Line) -> Iterator[Finding]:
    """Judges a command line."""
    text = args.get("_raw_params", args.get("cmd", ""))
    words = [str(word) for word in listed(args.get("argv"))] or str(text).split()
    program = words[0].rpartition("/")[2] if words else ""
    if downloads_to_shell(str(text)):
        yield rules.PIPE.finding(
            f"{task.label} runs what it downloads: get_url with a checksum first", line()
        )
    elif program in COMMANDS:
        yield rules.SHELL.finding(
            f"{task.label} calls {program}: there is the module {COMMANDS[program]}", line()
        )
