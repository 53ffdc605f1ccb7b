"""The parsed manifest: its objects with their places in the text, and the pods in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inframind.categories.base import ParseError
from inframind.categories.kubernetes import rules
from inframind.categories.shared.values import value_at
from inframind.categories.shared.yaml import line_of, yaml_documents

Pod = tuple[tuple[str | int, ...], dict[str, Any]]
"""Path and content of a pod spec."""
MERGED = frozenset({"LLMInferenceService", "LLMInferenceServiceConfig", "TrainJob"})
"""Kinds whose pods are merged over a base: image and volumes may stand there."""


@dataclass(frozen=True)
class Item:
    """Hold one object of the text. Its keys are looked for from the 0-based line `start` on."""

    fields: dict[str, Any]
    start: int

    @property
    def kind(self) -> str:
        return str(self.fields.get("kind"))

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """List every pod spec in the object: each mapping that has a list of containers."""
        return tuple(_pods(self.fields, ()))

    @property
    def name(self) -> str:
        metadata = self.fields.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""

    def at(self, *path: str) -> Any:
        """Read the value at a path of keys; None where a key is missing."""
        return value_at(self.fields, *path)


@dataclass(frozen=True)
class Manifest:
    """Hold all objects of a text, the items of `List`s among them."""

    text: str
    items: tuple[Item, ...]

    def line(self, item: Item, *path: str | int) -> int | None:
        """Find the 1-based line of a path in an object; None if the text does not show it."""
        return line_of(self.text, path, item.start)


def starts(text: str) -> list[int]:
    """List the 0-based lines where documents with content begin."""
    lines = text.split("\n")
    # A line of `---` begins a document (https://yaml.org/spec/1.2.2/, 9.1.2).
    marks = [0] + [index for index, line in enumerate(lines) if line.startswith("---")]
    first_lines = []
    for mark, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        body = [
            line
            for line in lines[mark:end]
            if line.strip() and not line.lstrip().startswith("#") and line.strip() != "---"
        ]
        if body:
            first_lines.append(mark)
    return first_lines


def parsed(text: str) -> Manifest:
    """Parse a text into its objects.

    Raises ParseError if it is no YAML or holds no object.
    """
    documents = yaml_documents(text, rules.YAML)
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise ParseError(
            rules.NO_OBJECT.finding("a manifest is one or more mappings with apiVersion and kind")
        )
    lines = starts(text)
    lines += [0] * (len(documents) - len(lines))
    items = tuple(
        item
        for document, line in zip(documents, lines, strict=False)
        for item in expanded(document, line)
    )
    if not items:
        raise ParseError(rules.NO_OBJECT.finding("the list has no items"))
    return Manifest(text, items)


def expanded(fields: dict[str, Any], start: int) -> Iterator[Item]:
    """Yield the object itself, or the items of a `List`."""
    # `kubectl get -o yaml` prints several objects as the items of one `List`.
    if str(fields.get("kind", "")).endswith("List") and isinstance(fields.get("items"), list):
        for item in fields["items"]:
            if isinstance(item, dict):
                yield Item(item, start)
    else:
        yield Item(fields, start)


def _pods(node: Any, path: tuple[str | int, ...]) -> Iterator[Pod]:
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _pods(child, (*path, index))
    elif isinstance(node, dict):
        # Kinds keep their pod specs at different depths: a list of containers marks them.
        if isinstance(node.get("containers"), list):
            yield path, node
        for key, child in node.items():
            if isinstance(child, dict | list):
                yield from _pods(child, (*path, key))


def containers_of(spec: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (list's key, index, container) for all containers of a pod spec."""
    # In the order in which the kubelet starts them; ephemeral ones join a running pod.
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            if isinstance(container, dict):
                yield key, index, container
