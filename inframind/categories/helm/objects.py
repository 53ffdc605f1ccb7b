"""The objects that a chart renders to, with Kubernetes' checks of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.helm import rules
from inframind.categories.helm.chart import Chart, File
from inframind.categories.helm.render import Renderer, RenderError
from inframind.categories.helm.values import HOLE, OPEN, Hole, readable
from inframind.categories.kubernetes import document, schema
from inframind.categories.kubernetes import policy as kubernetes_policy
from inframind.categories.kubernetes import references as kubernetes_references
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.shared.yaml import YamlError, load_all
from inframind.types import Finding

# What `helm template` without flags gives the release.
RELEASE = {
    "Name": "release-name",
    "Namespace": "default",
    "Service": "Helm",
    "IsInstall": True,
    "IsUpgrade": False,
    "Revision": 1,
}
# Names of chart.Metadata's fields in Go; the others are the capitalized keys.
HIDDEN = {"apiVersion": "APIVersion", "appVersion": "AppVersion", "kubeVersion": "KubeVersion"}


@dataclass
class Rendered:
    """Hold a chart's objects, each with its file, and the findings that rendering made."""

    items: list[tuple[str, Item]] = field(default_factory=list)
    schema: list[Finding] = field(default_factory=list)
    references: list[Finding] = field(default_factory=list)


def render(chart: Chart) -> Rendered:
    """Render every template with the chart's default values."""
    rendered = Rendered()
    root = root_of(chart)
    named = chart.named()
    for path, nodes in chart.templates.items():
        file = chart.files[path]
        # Partials are rendered where they are included, never for themselves.
        if path.rpartition("/")[2].startswith("_"):
            continue
        renderer = Renderer(
            named, root | {"Template": {"Name": path, "BasePath": "templates"}}, chart.whole
        )
        try:
            text = renderer.render(nodes, renderer.root, [{}])
        except (RenderError, RecursionError) as error:
            line = error.line if isinstance(error, RenderError) else 1
            rendered.references.append(rules.RENDER.finding(f"{path}: {error}", line + file.start))
            continue
        for name, line in renderer.undefined.items():
            rendered.references.append(
                rules.VALUE.finding(
                    f"{path}: {name} is printed and not given: add it to values.yaml, or a default",
                    line + file.start,
                )
            )
        if not file.is_partial:
            _objects(rendered, file, text)
    return rendered


def root_of(chart: Chart) -> dict[str, Any]:
    """Build the root value, `$`, that a chart's templates start with."""
    metadata = {
        HIDDEN.get(key, key[:1].upper() + key[1:]): value
        for key, value in (chart.metadata or {}).items()
    }
    return {
        "Values": chart.values
        if chart.values is not None
        else {}
        if chart.whole
        else Hole(".Values"),
        "Chart": metadata if chart.metadata is not None else Hole(".Chart"),
        "Release": RELEASE,
        "Capabilities": Hole(".Capabilities"),
        "Files": Hole(".Files"),
        "Subcharts": Hole(".Subcharts"),
    }


def _objects(rendered: Rendered, file: File, text: str) -> None:
    try:
        documents = load_all(text)
    except YamlError as error:
        excerpt = (
            readable(text.split("\n")[error.line - 1]).strip()[:60]
            if error.line and error.line <= text.count("\n") + 1
            else ""
        )
        message = (
            f"{file.path} renders to no YAML: "
            f"{readable(str(error))}{f' near {excerpt!r}' if excerpt else ''}"
        )
        rendered.schema.append(rules.RENDERED.finding(message, file.start + 1))
        return
    for content in documents:
        if not isinstance(content, dict):
            if not (isinstance(content, str) and HOLE.search(content)):
                rendered.schema.append(
                    rules.RENDERED.finding(
                        f"{file.path} renders to something that is no object", file.start + 1
                    )
                )
            continue
        rendered.items += [(file.path, item) for item in document.expanded(content, 0)]


def holes(node: Any) -> bool:
    """Tell whether a value is a text with a hole, or a mapping that a hole may add to."""
    if isinstance(node, str):
        # Nearly every text is without: the plain search is many times faster than the expression.
        return OPEN in node and HOLE.search(node) is not None
    if isinstance(node, dict):
        return any(map(holes, node)) or any(map(holes, node.values()))
    return any(map(holes, node)) if isinstance(node, list) else False


def without_holes(node: Any) -> Any:
    """Copy a value without the entries and items of which nothing is known."""
    if isinstance(node, dict):
        return {key: without_holes(value) for key, value in node.items() if not HOLE.search(key)}
    if isinstance(node, list):
        return [
            without_holes(item)
            for item in node
            if not (isinstance(item, str) and HOLE.fullmatch(item))
        ]
    return node


def node_at(node: Any, path: list[Any]) -> Any:
    """Read the value at a path of keys and indices, or None."""
    for part in path:
        inside = (isinstance(node, dict) and part in node) or (
            isinstance(node, list) and isinstance(part, int) and part < len(node)
        )
        node = node[part] if inside else None
    return node


def object_findings(path: str, item: Item) -> Iterator[Finding]:
    """Check one rendered object against its schema, and leave open what is not known."""
    api, kind = item.fields.get("apiVersion"), item.fields.get("kind")
    if holes(api) or holes(kind) or any(HOLE.search(key) for key in item.fields):
        return
    manifest = Manifest("", (item,))
    if not holes(item.fields):
        yield from (_said(path, finding) for finding in schema.findings(manifest, item))
        return
    if (
        not isinstance(api, str)
        or not isinstance(kind, str)
        or kind not in schema.versions()
        or api not in schema.versions()[kind]
    ):
        yield from (_said(path, finding) for finding in schema.findings(manifest, item))
        return
    # List items of which nothing is known are left out, and so their places move: only mappings
    # tell whether they are whole.
    shown = without_holes(item.fields)
    for error in schema.validator(f"{api}/{kind}").iter_errors(shown):
        place = list(error.instance_path)
        is_known = not holes(node_at(shown, place))
        whole = (
            not holes_above(item.fields, place)
            if "required" in error.message or not is_known
            else True
        )
        if is_known and whole and not _opened(item.fields, place):
            where = ".".join(map(str, place)) or "the object"
            yield kubernetes_rules.FIELDS.of_error(error).finding(
                f"{path} renders {kind} {readable(item.name)}: {where}: {error.message[:250]}"
            )


def holes_above(fields: Any, place: list[Any]) -> bool:
    """Tell whether a hole may add entries to the mapping at a place."""
    node = node_at(fields, place)
    return isinstance(node, dict) and any(HOLE.search(key) for key in node)


def _opened(fields: Any, place: list[Any]) -> bool:
    """Tell whether something unknown fills, or may fill, the value at a place."""
    node = node_at(fields, place)
    direct = isinstance(node, dict) and any(HOLE.search(key) for key in node)
    through = any(
        isinstance(node_at(fields, place[:index]), list) and holes(node_at(fields, place[:index]))
        for index in range(1, len(place))
    )
    return direct or (isinstance(node, list) and holes(node)) or (through and holes(node))


def _said(path: str, finding: Finding) -> Finding:
    return finding.model_copy(update={"line": None, "message": f"{path}: {finding.message}"[:500]})


def known_items(rendered: Rendered) -> list[Item]:
    """List the objects that are known to the last value."""
    return [item for _, item in rendered.items if not holes(item.fields)]


def reference_findings(rendered: Rendered) -> Iterator[Finding]:
    """Check Kubernetes' references among the objects that are wholly known."""
    manifest = Manifest("", tuple(known_items(rendered)))
    for finding in kubernetes_references.findings(manifest):
        yield finding.model_copy(update={"line": None})


def policy_findings(rendered: Rendered) -> Iterator[Finding]:
    """Judge the rendered objects by Kubernetes' policy, their namespace and their labels."""
    for path, item in rendered.items:
        if not holes(item.fields):
            yield from (
                _said(path, finding)
                for finding in kubernetes_policy.findings(Manifest("", (item,)), item)
            )
        namespace = item.at("metadata", "namespace")
        if (
            isinstance(namespace, str)
            and not holes(namespace)
            and namespace != RELEASE["Namespace"]
        ):
            yield rules.NAMESPACE.finding(
                f"{path}: {item.kind} {readable(item.name)} is put into {namespace}"
            )
        labels = item.at("metadata", "labels")
        if not holes(labels) and "app.kubernetes.io/name" not in (
            labels if isinstance(labels, dict) else {}
        ):
            yield rules.LABELS.finding(
                f"{path}: {item.kind} {readable(item.name)} has no label app.kubernetes.io/name"
            )
