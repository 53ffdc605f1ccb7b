"""A parsed manifest: its objects with where they stand, and the pods in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inframind.sandbox.yaml import line_of

POD_PATHS: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where a kind keeps the pod that it makes."""
SEPARATOR = re.compile(r"^---", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """One object of the text. `start` is the 0-based line from which its keys are looked for."""

    fields: dict[str, Any]
    start: int

    @property
    def kind(self) -> str:
        return str(self.fields.get("kind"))

    @property
    def name(self) -> str:
        metadata = self.fields.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""

    def at(self, *path: str) -> Any:
        """The value at a path of keys, or None."""
        node: Any = self.fields
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node


@dataclass(frozen=True)
class Manifest:
    """All objects of a text, `List`s expanded."""

    text: str
    items: tuple[Item, ...]

    def line(self, item: Item, *path: str | int) -> int | None:
        """1-based line of a path in an object."""
        return line_of(self.text, path, item.start)


def starts(text: str) -> list[int]:
    """0-based lines where documents with content begin."""
    lines = text.split("\n")
    marks = [0] + [index for index, line in enumerate(lines) if line.startswith("---")]
    found = []
    for mark, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        body = [line for line in lines[mark:end] if line.strip() and not line.lstrip().startswith("#") and line.strip() != "---"]
        if body:
            found.append(mark)
    return found


def expanded(fields: dict[str, Any], start: int) -> Iterator[Item]:
    """The object, or the items of a `List`."""
    if (
        str(fields.get("kind", "")).endswith("List")
        and isinstance(fields.get("items"), list)
        and "metadata" in fields | {"metadata": 0}
    ):
        for item in fields["items"]:
            if isinstance(item, dict):
                yield Item(item, start)
    else:
        yield Item(fields, start)


def pod_of(item: Item) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """Path and content of the pod spec that the object makes, or None."""
    path = POD_PATHS.get(item.kind)
    if path is None:
        return None
    spec = item.at(*path, "spec")
    return ((*path, "spec"), spec) if isinstance(spec, dict) else None


def containers_of(spec: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(list's key, index, container) of all containers of a pod spec."""
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            if isinstance(container, dict):
                yield key, index, container
