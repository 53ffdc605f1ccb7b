"""A parsed playbook or task file: its plays, and every task with what surrounds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inframind.categories.ansible import catalog
from inframind.categories.ansible.catalog import Name
from inframind.categories.shared.values import listed
from inframind.categories.shared.yaml import line_of

SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")
# playbook_blocks.html: `rescue` runs where `block` fails, `always` after both.
BRANCHES = ("block", "rescue", "always")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Play:
    """One play; `fields` is empty for a task file, whose tasks have no play."""

    fields: dict[str, Any]
    path: Path

    @property
    def collections(self) -> tuple[str, ...]:
        return tuple(
            name for name in listed(self.fields.get("collections")) if isinstance(name, str)
        )

    @property
    def name(self) -> str:
        """As a person calls it: its `name`, or its hosts."""
        return str(self.fields.get("name") or ",".join(map(str, listed(self.fields.get("hosts")))))


@dataclass(frozen=True)
class Task:
    """One task or handler that is a mapping, with the blocks around it, the outermost first."""

    fields: dict[str, Any]
    path: Path
    play: Play
    section: str
    blocks: tuple[dict[str, Any], ...] = ()
    branch: str | None = None
    """The part of the innermost block: block, rescue or always."""

    @property
    def is_handler(self) -> bool:
        return self.section == "handlers"

    @cached_property
    def module_keys(self) -> list[str]:
        """Keys that are no keyword: the module, if all is well."""
        keywords = catalog.keywords("handler" if self.is_handler else "task")
        return [
            key
            for key in self.fields
            if (key not in keywords or key == "action") and not key.startswith("with_")
        ]

    @cached_property
    def call(self) -> tuple[Name, Any] | None:
        """(module, its arguments as written); None unless exactly one is called."""
        keys = self.module_keys
        if len(keys) != 1:
            return None
        key, value = keys[0], self.fields[keys[0]]
        # The old forms, in which the module is a value and no key.
        if key in ("action", "local_action"):
            if isinstance(value, dict):
                written, value = (
                    value.get("module"),
                    {name: item for name, item in value.items() if name != "module"},
                )
            else:
                # `action: copy src=a dest=b`: the module stands before its arguments.
                written, _, value = str(value).strip().partition(" ")
            key = written if isinstance(written, str) else ""
        return catalog.module(
            key,
            tuple(n for n in listed(self.fields.get("collections")) if isinstance(n, str))
            + self.play.collections,
        ), value

    @property
    def scopes(self) -> list[dict[str, Any]]:
        """Fields of the play, the blocks and the task itself, the outermost first."""
        return [self.play.fields, *self.blocks, self.fields]

    @property
    def label(self) -> str:
        """The words that messages use for the task."""
        name = self.fields.get("name")
        return (
            f"task {name!r}" if isinstance(name, str) else f"task {'.'.join(map(str, self.path))}"
        )


@dataclass(frozen=True)
class Playbook:
    """A list of plays, or of tasks."""

    text: str
    entries: list[Any]

    @cached_property
    def is_task_file(self) -> bool:
        """True if no entry is a play."""
        return not any(
            isinstance(entry, dict)
            and (
                "hosts" in entry
                or any("import_playbook" in key for key in entry)
                or "tasks" in entry
                or "roles" in entry
            )
            for entry in self.entries
        )

    @cached_property
    def plays(self) -> list[Play]:
        """The plays; for a task file one without fields."""
        if self.is_task_file:
            return [Play({}, ())]
        return [
            Play(entry, (index,))
            for index, entry in enumerate(self.entries)
            if isinstance(entry, dict) and not is_import(entry)
        ]

    @cached_property
    def tasks(self) -> list[Task]:
        """Every task and handler in the order of the text, those in blocks too."""
        return [task for play in self.plays for task in self.tasks_of(play)]

    def tasks_of(self, play: Play) -> Iterator[Task]:
        if self.is_task_file:
            yield from walk(self.entries, (), play, "tasks", ())
            return
        for section in SECTIONS:
            yield from walk(play.fields.get(section), (*play.path, section), play, section, ())

    @cached_property
    def blocks(self) -> list[tuple[dict[str, Any], Path]]:
        """Every block with its path."""
        roots = (
            [(self.entries, ())]
            if self.is_task_file
            else [(p.fields.get(s), (*p.path, s)) for p in self.plays for s in SECTIONS]
        )
        return [block for entries, path in roots for block in walk_blocks(entries, path)]

    def line(self, path: Path) -> int | None:
        return line_of(self.text, path)


def is_import(entry: dict[str, Any]) -> bool:
    """Tells whether an entry of a playbook imports another."""
    return any(key in entry for key in ("import_playbook", "ansible.builtin.import_playbook"))


def is_block(entry: Any) -> bool:
    return isinstance(entry, dict) and any(key in entry for key in BRANCHES)


def walk(
    entries: Any,
    path: Path,
    play: Play,
    section: str,
    blocks: tuple[dict[str, Any], ...],
    branch: str | None = None,
) -> Iterator[Task]:
    """Tasks of a list, blocks expanded. The guards bound the depth."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        here = (*path, index)
        if is_block(entry):
            for inner in BRANCHES:
                yield from walk(
                    entry.get(inner), (*here, inner), play, section, (*blocks, entry), inner
                )
        elif isinstance(entry, dict):
            yield Task(entry, here, play, section, blocks, branch)


def walk_blocks(entries: Any, path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Yields (block, its path) of a list, nested ones too."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if is_block(entry):
            yield entry, (*path, index)
            for branch in BRANCHES:
                yield from walk_blocks(entry.get(branch), (*path, index, branch))


def untagged(value: Any) -> Any:
    """Returns the value behind `!unsafe`; a vaulted text is an opaque text."""
    if isinstance(value, dict) and len(value) == 1:
        # playbook_advanced_syntax.html: the text of `!unsafe` is never rendered.
        if "!unsafe" in value:
            return value["!unsafe"]
        if "!vault" in value:
            return "{{ vaulted }}"
    return value
