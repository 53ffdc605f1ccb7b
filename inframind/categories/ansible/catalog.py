"""The keywords and plugins of Ansible, and the modules of the collections that were built in."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from inframind.categories.shared import json_schema

PACKAGE = "inframind.categories.ansible"
BUILTIN = "ansible.builtin"
INTERNAL = ("async_val", "loop_with")
"""Names of ansible-core's own attributes that no playbook may use."""
RAW = frozenset(("command", "shell", "raw", "script", "win_command", "win_shell"))
"""Modules whose whole short form is a command line, but for leading options."""
ONE_TEXT = {
    "include_tasks": "file",
    "import_tasks": "file",
    "include_vars": "file",
    "import_playbook": "file",
    "meta": "free_form",
}
"""Modules whose short form is one text, and the option that it stands for."""
OPEN = frozenset(
    (
        "ansible.builtin.set_fact",
        "ansible.builtin.add_host",
        "ansible.builtin.set_stats",
        "ansible.windows.win_dsc",
    )
)
"""Modules that take any further option as a variable."""
# What the action plugins check beyond the argument specs.
EXTRA: dict[str, dict[str, Any]] = {
    "copy": {"mutually_exclusive": [["src", "content"]], "required_one_of": [["src", "content"]]},
    "debug": {"mutually_exclusive": [["msg", "var"]]},
    "include_tasks": {"required_one_of": [["file"]]},
    "import_tasks": {"required_one_of": [["file"]]},
    "include_role": {"required_one_of": [["name"]]},
    "import_role": {"required_one_of": [["name"]]},
    "command": {"required_one_of": [["_raw_params", "cmd", "argv"]]},
    "shell": {"required_one_of": [["_raw_params", "cmd"]]},
    "lineinfile": {"required_if": [["state", "present", ["line"]]]},
    "add_host": {"required_one_of": [["name"]]},
}
RAW_OPTIONS = {
    "package": ("name", {"type": "raw", "required": True}),
    "debug": ("msg", {"type": "raw"}),
}
"""What the action plugin takes beyond the documented type."""
META = frozenset(
    (
        "flush_handlers",
        "refresh_inventory",
        "noop",
        "clear_facts",
        "clear_host_errors",
        "end_batch",
        "end_host",
        "end_play",
        "end_role",
        "reset_connection",
    )
)


@dataclass(frozen=True)
class Name:
    """A module or plugin name with its collection, and what is known of it."""

    status: Literal["known", "unknown", "removed", "foreign"]
    full: str
    """With its collection."""

    @property
    def collection(self) -> str:
        return self.full.rpartition(".")[0]

    @property
    def short(self) -> str:
        return self.full.rpartition(".")[2]


@cache
def index() -> Any:
    """Keywords, plugins, redirects and removed modules."""
    return json_schema.load(PACKAGE, "index")


@cache
def keywords(kind: str) -> dict[str, str]:
    """Loads the keywords of `play`, `task`, `handler`, `block`, `role`, `import_playbook` or
    `loop_control`, each with its type.
    """
    return {name: isa for name, isa in index()["keywords"][kind].items() if name not in INTERNAL}


def modules(collection: str) -> dict[str, Any]:
    """Loads a known collection: short name -> spec."""
    specs: dict[str, Any] = json_schema.load(PACKAGE, collection)
    return specs


def spec(name: Name) -> dict[str, Any]:
    """Options and combinations of a known module."""
    documented: dict[str, Any] = modules(name.collection)[name.short]
    if name.collection != BUILTIN:
        return documented
    if name.short in RAW_OPTIONS:
        option, entry = RAW_OPTIONS[name.short]
        documented = documented | {"options": documented["options"] | {option: entry}}
    return documented | EXTRA.get(name.short, {})


@cache
def module(written: str, collections: tuple[str, ...] = ()) -> Name:
    """Finds the module that a task's key names, redirects followed; `collections` are searched for
    short names first.
    """
    if "." not in written:
        # `collections` is searched in order, ansible.builtin at last.
        candidates = [f"{collection}.{written}" for collection in (*collections, BUILTIN)]
        matches = [name for name in map(_module, candidates) if name.status == "known"]
        if matches:
            return matches[0]
        foreign = [name for name in map(_module, candidates) if name.status == "foreign"]
        return foreign[0] if foreign else _module(f"{BUILTIN}.{written}")
    # ansible.legacy is ansible.builtin with a project's own plugins before it.
    return _module(written.replace("ansible.legacy.", "ansible.builtin.", 1))


def _module(full: str) -> Name:
    for _ in range(5):
        collection, _, short = full.rpartition(".")
        if collection.count(".") != 1:
            return Name("unknown", full)
        if collection not in index()["plugins"]:
            return Name("foreign", full)
        if short in index()["removed"][collection]:
            return Name("removed", full)
        target = index()["redirects"][collection].get("module", {}).get(short)
        if short in modules(collection) or target is None:
            return Name("known" if short in modules(collection) else "unknown", full)
        full = target
    return Name("unknown", full)


@cache
def plugin(kind: str, written: str) -> Name:
    """Finds the filter, test or lookup of that name."""
    full = written if "." in written else f"{BUILTIN}.{written}"
    for _ in range(5):
        collection, _, short = full.rpartition(".")
        if collection not in index()["plugins"]:
            return Name("foreign" if collection.count(".") == 1 else "unknown", full)
        target = index()["redirects"][collection].get(kind, {}).get(short)
        if short in index()["plugins"][collection][kind] or target is None:
            return Name(
                "known" if short in index()["plugins"][collection][kind] else "unknown", full
            )
        full = target
    return Name("unknown", full)
