"""A chart's files, taken from one text.

Several files stand behind one another, each below a line `# Source: PATH` as `helm template` prints
it: `Chart.yaml`, `values.yaml`, `templates/deployment.yaml`, `templates/_helpers.tpl` ... with or
without the chart's folder before them. A text without such lines is one file: a Chart.yaml if it
has a version and no kind, values if nothing in it is a template or an object, else a template.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.base import ParseError
from inframind.categories.helm import rules
from inframind.categories.helm.syntax import Node, TemplateError, operands, parse, walk
from inframind.categories.shared.yaml import YamlError, load_all
from inframind.types import Finding

# `helm template` prints this line behind the `---` of every file.
MARK = re.compile(r"^(?:---[ \t]*\n)?# Source: (\S+)[ \t]*$", re.MULTILINE)
MAX_FILES = 60


@dataclass(frozen=True)
class File:
    """Hold one file of a chart.

    `path` is relative to the chart's folder, `start` the number of lines before it in the text.
    """

    path: str
    text: str
    start: int = 0

    @property
    def is_partial(self) -> bool:
        """Tell whether the file renders no objects: helpers and notes."""
        # https://helm.sh/docs/chart_template_guide/named_templates/#partials-and-_-files
        name = self.path.rpartition("/")[2]
        return (
            name.startswith("_")
            or not name.endswith((".yaml", ".yml", ".json", ".tpl"))
            or name.endswith(".tpl")
        )


@dataclass
class Chart:
    """Hold the parts of a chart that a text has."""

    metadata: dict[str, Any] | None = None
    values: dict[str, Any] | None = None
    templates: dict[str, list[Node]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    whole: bool = False
    """Whether the text has a Chart.yaml without dependencies beside its templates: every name must
    then be in it.
    """

    def named(self) -> dict[str, list[Node]]:
        """Map the named templates, made by `define` and `block`, to their bodies."""
        return {
            node.text: node.body
            for nodes in self.templates.values()
            for node in walk(nodes)
            if node.kind in ("define", "block")
        }

    def includes(self, path: str) -> set[str]:
        """Collect the names of the templates that a file uses."""
        names = {node.text for node in walk(self.templates[path]) if node.kind == "template"}
        for node in walk(self.templates[path]):
            for command in node.pipeline.commands if node.pipeline else ():
                if (
                    len(command) > 1
                    and command[0].value == "include"
                    and isinstance(command[1].value, str)
                ):
                    names.add(command[1].value)
        return names

    def used_values(self, path: str) -> list[str]:
        """List the dotted paths of `.Values` that a file reads."""
        fields = (
            operand for node in walk(self.templates[path]) for operand, _ in operands(node.pipeline)
        )
        return sorted(
            {
                ".".join(operand.path[1:])
                for operand in fields
                if operand.path[:1] == ("Values",) and len(operand.path) > 1
            }
        )


def split(text: str) -> Iterator[File]:
    """Split a text into the files of a chart.

    Raises ParseError if text stands before the first mark, or there are too many files.
    """
    marks = list(MARK.finditer(text))
    if not marks:
        yield File(_guess(text), text)
        return
    if len(marks) > MAX_FILES or text[: marks[0].start()].strip(" \t\n-"):
        raise ParseError(
            rules.EMPTY.finding(f"begin with `# Source: PATH`; at most {MAX_FILES} files", 1)
        )
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        end = following.start() if following else len(text)
        path = mark.group(1)
        # `helm template` puts the chart's name before the path.
        below = re.search(r"(?:^|/)((?:templates|charts|crds)/.*|Chart\.yaml|values\.yaml)\Z", path)
        yield File(
            below.group(1) if below else path,
            text[mark.end() + 1 : end],
            text.count("\n", 0, mark.end()) + 1,
        )


def _guess(text: str) -> str:
    if "{{" in text or re.search(r"^kind:", text, re.MULTILINE):
        return (
            "templates/_helpers.tpl"
            if re.match(r"\s*\{\{-?\s*(?:/\*|define)", text)
            and not re.search(r"^(?:kind|apiVersion):", text, re.MULTILINE)
            else "templates/template.yaml"
        )
    is_chart = re.search(r"^apiVersion:", text, re.MULTILINE) and re.search(
        r"^(?:version|name):", text, re.MULTILINE
    )
    return "Chart.yaml" if is_chart else "values.yaml"


def parsed(text: str) -> Chart:
    """Parse a text into a chart.

    Raises ParseError if a file cannot be read or stands there twice.
    """
    chart = Chart()
    for file in split(text):
        if file.path in chart.files:
            raise ParseError(rules.EMPTY.finding(f"{file.path} stands there twice", file.start))
        chart.files[file.path] = file
        if file.path == "Chart.yaml":
            chart.metadata = _mapping(file)
        elif file.path == "values.yaml":
            chart.values = _mapping(file)
        elif file.path.startswith("templates/"):
            try:
                chart.templates[file.path] = parse(file.text)
            except TemplateError as error:
                raise ParseError(
                    rules.SYNTAX.finding(f"{file.path}: {error}", error.line + file.start)
                ) from None
    if not chart.templates and chart.metadata is None and chart.values is None:
        raise ParseError(
            rules.EMPTY.finding("no template, Chart.yaml or values.yaml is in the text", 1)
        )
    chart.whole = (
        chart.metadata is not None
        and bool(chart.templates)
        and not chart.metadata.get("dependencies")
    )
    return chart


def _mapping(file: File) -> dict[str, Any]:
    try:
        documents = load_all(file.text)
    except YamlError as error:
        raise ParseError(
            rules.YAML.finding(f"{file.path}: {error}", (error.line or 1) + file.start)
        ) from None
    # Helm takes an empty values.yaml for a chart without values.
    if not documents and file.path == "values.yaml":
        return {}
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ParseError(rules.YAML.finding(f"{file.path} is one mapping", file.start + 1))
    return dict(documents[0])


def variable_findings(file: File, nodes: list[Node]) -> Iterator[Finding]:
    """Report variables that are used outside the blocks that declare them."""
    yield from _scoped(file, nodes, {"$"})


def _scoped(file: File, nodes: list[Node], declared: set[str]) -> Iterator[Finding]:
    declared = set(declared)
    for node in nodes:
        inner = set(declared)
        pipeline = node.pipeline
        if pipeline:
            for operand, _ in operands(pipeline):
                if operand.kind == "variable" and operand.value not in declared:
                    message = f"{file.path}: {operand.value} is not declared here"
                    yield rules.VARIABLE.finding(message, node.line + file.start)
            if pipeline.assigns and not declared.issuperset(pipeline.names):
                message = f"{file.path}: {pipeline.names[0]} is assigned before := declares it"
                yield rules.VARIABLE.finding(message, node.line + file.start)
            # A variable ends with its control structure (text/template, Variables).
            (inner if node.kind in ("if", "with", "range") else declared).update(pipeline.names)
        # A named template sees no variable of the text around it: `$` is what it is called with.
        yield from _scoped(file, node.body, {"$"} if node.kind in ("define", "block") else inner)
        yield from _scoped(file, node.otherwise, inner)
