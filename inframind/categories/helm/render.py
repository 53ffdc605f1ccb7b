"""Renders a chart's templates with its default values, as `helm template` does; what only a release
knows stays open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.helm.functions import CallError, call
from inframind.categories.helm.syntax import Node, Operand, Pipeline
from inframind.categories.helm.values import Hole, Missing, text_of, truth

# A range within a range multiplies: a few lines can ask for any amount of text.
MAX_STEPS = 30_000
MAX_TEXT = 400_000
MAX_CALLS = 40
SECTIONS = ("Values", "Release", "Chart", "Capabilities", "Template", "Files", "Subcharts")


class RenderError(Exception):
    """Rendering fails, as Helm's would; `line` is 1-based in the template's file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _Break(Exception):  # noqa: N818 - control flow of range
    pass


class _Continue(Exception):  # noqa: N818 - control flow of range
    pass


@dataclass
class Renderer:
    """Render one file; `root` is the value of `$`, `named` the templates it can include."""

    named: Mapping[str, list[Node]]
    root: dict[str, Any]
    complete: bool
    """Whether every named template must be in the text."""
    undefined: dict[str, int] = field(default_factory=dict)
    """Values that are printed and not given -> line."""
    steps: int = 0
    written: int = 0
    depth: int = 0

    def render(self, nodes: list[Node], dot: Any, scope: list[dict[str, Any]]) -> str:
        """Render nodes to text.

        Raises RenderError if Helm would fail, or the text outgrows the limits.
        """
        parts: list[str] = []
        for node in nodes:
            self.steps += 1
            text = self.node(node, dot, scope, parts)
            self.written += len(text)
            if self.steps > MAX_STEPS or self.written > MAX_TEXT:
                raise RenderError("the template renders too much", node.line)
            parts.append(text)
        return "".join(parts)

    def node(self, node: Node, dot: Any, scope: list[dict[str, Any]], before: list[str]) -> str:
        """Render one node to text."""
        if node.kind == "text":
            return node.text
        if node.kind == "print":
            return self.printed(node, dot, scope, before)
        if node.kind == "if":
            return self._if(node, dot, scope)
        if node.kind == "with":
            return self._with(node, dot, scope)
        if node.kind == "range":
            return self._range(node, dot, scope)
        if node.kind == "template":
            argument = self.value(node.pipeline, dot, scope, node.line) if node.pipeline else None
            return text_of(self.include(node.text, argument, node.line))
        if node.kind == "block":
            return text_of(
                self.include(node.text, self.value(node.pipeline, dot, scope, node.line), node.line)
            )
        if node.kind == "break":
            raise _Break
        if node.kind == "continue":
            raise _Continue
        return ""

    def printed(self, node: Node, dot: Any, scope: list[dict[str, Any]], before: list[str]) -> str:
        """Evaluate an action and return the text that it prints."""
        assert node.pipeline
        value = self.value(node.pipeline, dot, scope, node.line)
        # A declaration prints nothing (https://pkg.go.dev/text/template#hdr-Variables).
        if node.pipeline.names:
            return ""
        if isinstance(value, Missing):
            self.undefined.setdefault(value.path, node.line)
        if isinstance(value, Hole) and value.block is not None:
            return _lines(value, before)
        return text_of(value)

    def _if(self, node: Node, dot: Any, scope: list[dict[str, Any]]) -> str:
        inner = [*scope, {}]
        test = truth(self.value(node.pipeline, dot, inner, node.line))
        return self.render(node.otherwise if test is False else node.body, dot, inner)

    def _with(self, node: Node, dot: Any, scope: list[dict[str, Any]]) -> str:
        inner = [*scope, {}]
        value = self.value(node.pipeline, dot, inner, node.line)
        if truth(value) is False:
            return self.render(node.otherwise, dot, inner)
        return self.render(node.body, value, inner)

    def _range(self, node: Node, dot: Any, scope: list[dict[str, Any]]) -> str:
        assert node.pipeline
        bare = Pipeline(node.pipeline.commands, (), False, node.pipeline.source)
        value = self.value(bare, dot, scope, node.line)
        if truth(value) is False:
            return self.render(node.otherwise, dot, [*scope, {}])
        names, parts = node.pipeline.names, []
        for key, item in _entries(value, node.line):
            variables = dict(zip(names, (key, item) if len(names) == 2 else (item,), strict=False))
            try:
                parts.append(self.render(node.body, item, [*scope, variables]))
            except _Break:
                break
            except _Continue:
                continue
        return "".join(parts)

    def value(
        self, pipeline: Pipeline | None, dot: Any, scope: list[dict[str, Any]], line: int
    ) -> Any:
        """Evaluate a pipeline and declare its variables in the innermost scope."""
        assert pipeline
        value: Any = None
        for index, command in enumerate(pipeline.commands):
            extra = [value] if index else []
            value = self.command(command, extra, dot, scope, line, pipeline.source)
        if pipeline.names:
            target = scope[-1]
            if pipeline.assigns:
                # `=` writes to the scope that declared the variable, `:=` to the innermost.
                target = next(
                    (level for level in reversed(scope) if pipeline.names[0] in level), target
                )
            target[pipeline.names[0]] = value
        return value

    def command(
        self,
        command: tuple[Operand, ...],
        extra: list[Any],
        dot: Any,
        scope: list[dict[str, Any]],
        line: int,
        source: str,
    ) -> Any:
        """Evaluate a command: a call, or one operand."""
        first = command[0]
        self.steps += 1
        if first.kind != "function":
            value = self.operand(first, dot, scope, line, source)
            if (len(command) > 1 or extra) and not isinstance(value, Hole):
                return Hole(source)
            return value
        if first.value in ("and", "or"):
            return self._logic(str(first.value), command[1:], extra, dot, scope, line, source)
        arguments = [
            self.operand(operand, dot, scope, line, source) for operand in command[1:]
        ] + extra
        return self._called(str(first.value), arguments, line, source)

    def _called(self, name: str, arguments: list[Any], line: int, source: str) -> Any:
        if name == "include":
            return self.include(
                text_of(arguments[0]), arguments[1] if len(arguments) > 1 else None, line, source
            )
        if name == "tpl" and isinstance(arguments[0], str) and "{{" not in arguments[0]:
            return arguments[0]
        try:
            return call(name, arguments, source)
        except CallError as error:
            raise RenderError(f"{{{{ {source[:60]} }}}}: {error}", line) from None

    def _logic(
        self,
        name: str,
        rest: tuple[Operand, ...],
        extra: list[Any],
        dot: Any,
        scope: list[dict[str, Any]],
        line: int,
        source: str,
    ) -> Any:
        value: Any = None
        for index in range(len(rest) + len(extra)):
            value = (
                self.operand(rest[index], dot, scope, line, source)
                if index < len(rest)
                else extra[index - len(rest)]
            )
            # `and` and `or` stop at the operand that decides, since Go 1.18.
            if truth(value) is None:
                return Hole(source)
            if truth(value) == (name == "or"):
                return value
        return value

    def operand(
        self, operand: Operand, dot: Any, scope: list[dict[str, Any]], line: int, source: str
    ) -> Any:
        """Evaluate one operand."""
        if operand.kind == "literal":
            return operand.value
        if operand.kind == "dot":
            return dot
        if operand.kind == "variable":
            value = (
                self.root
                if operand.value == "$"
                else next(
                    (level[operand.value] for level in reversed(scope) if operand.value in level),
                    Hole(str(operand.value)),
                )
            )
            return self.field(value, operand.path, line, str(operand.value))
        if operand.kind == "field":
            return self.field(dot, operand.path, line, "")
        if operand.kind == "pipeline":
            assert isinstance(operand.value, Pipeline)
            return self.field(
                self.value(operand.value, dot, scope, line),
                operand.path,
                line,
                f"({operand.value.source})",
            )
        return self.field(
            self._called(str(operand.value), [], line, source),
            operand.path,
            line,
            str(operand.value),
        )

    def field(self, value: Any, path: tuple[str, ...], line: int, start: str) -> Any:
        """Follow a path `.a.b` from a value.

        Raises RenderError where Go meets nil on the way.
        """
        said = start
        for name in path:
            said += f".{name}"
            if isinstance(value, Hole):
                source = f"({value.source})" if " " in value.source else value.source.rstrip(".")
                value = Hole(f"{source}.{name}")
                continue
            if isinstance(value, Missing) or value is None:
                raise RenderError(
                    f"nil pointer: {said} is asked for, and what stands before .{name} is not "
                    "given",
                    line,
                )
            if not isinstance(value, dict):
                raise RenderError(f"{said}: {text_of(value)[:40]!r} has no fields", line)
            value = value.get(name, Missing(said))
        return value

    def include(self, name: str, dot: Any, line: int, source: str = "") -> Any:
        """Render a named template; a Hole if the text does not hold it."""
        body = self.named.get(name)
        if body is None:
            return Hole(source or f'template "{name}"')
        if self.depth >= MAX_CALLS:
            raise RenderError(f"template {name!r} calls itself without end", line)
        self.depth += 1
        text = self.render(body, dot, [{}])
        self.depth -= 1
        return text


def _entries(value: Any, line: int) -> Iterator[tuple[Any, Any]]:
    """Yield the (key, item) pairs that a range runs over."""
    if isinstance(value, Hole):
        yield Hole("key"), Hole(".")
    elif isinstance(value, dict):
        # Go visits the keys of a map in sorted order.
        yield from sorted(value.items())
    elif isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ((number, number) for number in range(min(value, 1000)))
    else:
        raise RenderError(f"range cannot run over {text_of(value)[:40]!r}", line)


def _lines(value: Hole, before: list[str]) -> str:
    """Write a hole as lines that fit what stands before: a list's item, or a mapping's entry."""
    space = " " * (value.block or 0)
    last = next(
        (
            line
            for line in reversed("".join(before).split("\n"))
            if line.strip() and len(line) - len(line.lstrip()) <= len(space)
        ),
        "",
    )
    mark = "- " if last.startswith(f"{space}- ") else ""
    return (
        f"\n{space}{mark}{value.text()}: {value.text()}"
        if not mark
        else f"\n{space}- {value.text()}"
    )
