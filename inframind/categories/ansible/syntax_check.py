"""`ansible-playbook --syntax-check` of many playbooks.

Runs in Ansible's environment, isolated: `python syntax_check.py FILE...`.

Prints a JSON list, an entry a file: {"file", "status", "output"}. Ansible takes most of a second to
start, so it is imported once and each playbook is checked by a fork. No playbook sees another: all
are read, and gone, before the first is checked.

A syntax check runs no task, but it renders the keywords of plays (`hosts: "{{ lookup('pipe', 'id')
}}"` starts a program). So there are no lookups here. Imports nothing of this project.
"""

import importlib
import json
import os
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NoReturn

from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError
from ansible.plugins.loader import (
    become_loader,
    connection_loader,
    init_plugin_loader,
    lookup_loader,
    module_loader,
    shell_loader,
)

PLAY = re.compile(
    r"^(?:- |  )(?:hosts|tasks|roles|(?:ansible\.builtin\.)?import_playbook)\s*:", re.MULTILINE
)
AROUND_TASKS = "- hosts: localhost\n  tasks:\n    - ansible.builtin.import_tasks: tasks.yml\n"
UNKNOWN_MODULE = re.compile(r"couldn't resolve module/action '([\w.]+)'")
KEPT = 4000
"""Characters of the output."""


def no_lookup(*_: Any, **__: Any) -> NoReturn:
    raise AnsibleError("no lookup is made in a syntax check")


def is_foreign(name: str) -> bool:
    """Tells whether a module is of a collection that may not be installed here."""
    if "." in name:
        return not name.startswith(("ansible.builtin.", "ansible.legacy."))
    return len(module_loader.find_plugin_with_context(name).redirect_list) > 1


def check(text: str) -> NoReturn:
    """Ends the process as `ansible-playbook --syntax-check` would, for the text in this folder."""
    lookup_loader.get = no_lookup
    is_playbook = PLAY.search(text) is not None
    Path("playbook.yml").write_text(text if is_playbook else AROUND_TASKS)
    if not is_playbook:
        Path("tasks.yml").write_text(text)
    PlaybookCLI.cli_executor(
        ["ansible-playbook", "--syntax-check", "-i", "localhost,", "playbook.yml"]
    )
    sys.exit(0)


def checked(name: str, text: str) -> dict[str, Any]:
    """Checks one playbook, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            check(text)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        printed = output.read(KEPT).decode("utf-8", "replace")
    unknown = UNKNOWN_MODULE.search(printed)
    foreign = unknown is not None and is_foreign(unknown.group(1))
    return {
        "file": name,
        "status": os.waitstatus_to_exitcode(status),
        "output": printed,
        "foreign": foreign,
    }


def prepare() -> None:
    """Loads what every check needs: nine tenths of its time."""
    warnings.simplefilter("ignore")  # that the loader is there already
    init_plugin_loader()
    importlib.import_module("ansible_collections.ansible.builtin")
    for loader in (connection_loader, shell_loader, become_loader):
        list(loader.all(class_only=True))


def main(names: list[str]) -> None:
    texts = {name: Path(name).read_text() for name in names}
    for name in names:
        Path(name).unlink()
    prepare()
    json.dump([checked(name, text) for name, text in texts.items()], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
