"""Go's template syntax (https://pkg.go.dev/text/template): text and actions to a tree."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_ACTIONS = 5_000
MAX_DEPTH = 60


class TemplateError(Exception):
    """A template does not parse; `line` is 1-based in its file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Operand:
    """Hold one operand.

    `kind` is field, variable, function, dot, literal or pipeline; `path` follows it (`.a.b`).
    """

    kind: str
    value: object = None
    path: tuple[str, ...] = ()


Command = tuple[Operand, ...]


@dataclass(frozen=True)
class Pipeline:
    """Hold `$names := command | command`; `assigns` is True for `=`."""

    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    assigns: bool = False
    source: str = ""


@dataclass
class Node:
    """Hold one node: text, print, if, with, range, define, block, template, break or continue."""

    kind: str
    line: int
    text: str = ""
    """The text, or the name of a template."""
    pipeline: Pipeline | None = None
    body: list["Node"] = field(default_factory=list)
    otherwise: list["Node"] = field(default_factory=list)


# The trim mark needs a space behind it: `{{-3}}` prints -3 (text/template, Text and spaces).
ACTION = re.compile(r"\{\{(-(?=\s))?")
TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<char>'(?:[^'\\]|\\.)+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+))(?![\w.])
    |(?P<variable>\$\w*)|(?P<field>\.\w+)|(?P<word>[A-Za-z_]\w*)|(?P<mark>:=|[=|(),.])""",
    re.VERBOSE,
)
WORDS = {"true": True, "false": False, "nil": None}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}


def split(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield (kind, content, line) of text and actions, trimmed as `{{-` and `-}}` say."""
    position, trim, count = 0, False, 0
    while match := ACTION.search(text, position):
        line = text.count("\n", 0, match.start()) + 1
        before = text[position : match.start()]
        before = before.lstrip() if trim else before
        yield (
            "text",
            before.rstrip() if match.group(1) else before,
            text.count("\n", 0, position) + 1,
        )
        start = match.end()
        # A comment fills its action, trim marks apart.
        if text[start:].lstrip(" \t\r\n")[:2] == "/*":
            close = text.find("*/", start)
            end = re.compile(r"\s*(-)?\}\}").match(text, close + 2) if close >= 0 else None
            if end is None:
                raise TemplateError("the comment is not closed with */}}", line)
            trim, position = bool(end.group(1)), end.end()
            continue
        end_at = _closing(text, start, line)
        content = text[start:end_at]
        trim = content.endswith("-") and content[-2:-1].isspace()
        count += 1
        if count > MAX_ACTIONS:
            raise TemplateError(f"over {MAX_ACTIONS} actions", line)
        yield "action", content[:-1] if trim else content, line
        position = end_at + 2
    rest = text[position:]
    yield "text", rest.lstrip() if trim else rest, text.count("\n", 0, position) + 1


def _closing(text: str, start: int, line: int) -> int:
    """Find the `}}` of an action, quoted texts passed over."""
    position = start
    for match in re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}').finditer(text, start):
        position = match.start()
        if match.group() == "}}":
            return position
    raise TemplateError("the action is not closed with }}", line)


def tokens(content: str, line: int) -> list[tuple[str, str, bool]]:
    """Split an action into (kind, text, spaced) tokens; `spaced` if space stands before."""
    read, position, spaced = [], 0, True
    while position < len(content):
        match = TOKEN.match(content, position)
        if match is None:
            raise TemplateError(
                f"unexpected {content[position : position + 12]!r} in the action", line
            )
        if match.lastgroup == "space":
            spaced = True
        else:
            read.append((str(match.lastgroup), match.group(), spaced))
            spaced = False
        position = match.end()
    return read


class Expression:
    """Read one pipeline from an action's tokens."""

    def __init__(self, content: str, line: int) -> None:
        self.content, self.line = content, line
        self.tokens = tokens(content, line)
        self.at = 0
        self.depth = 0

    def peek(self, offset: int = 0) -> tuple[str, str, bool]:
        return (
            self.tokens[self.at + offset]
            if self.at + offset < len(self.tokens)
            else ("end", "", True)
        )

    def fail(self, message: str) -> TemplateError:
        return TemplateError(f"{message} in {{{{ {self.content.strip()[:60]} }}}}", self.line)

    def pipeline(self) -> Pipeline:
        """Read a whole pipeline, with its declaration."""
        names, assigns = self.declaration()
        commands = [self.command()]
        while self.peek()[1] == "|":
            self.at += 1
            commands.append(self.command())
        return Pipeline(tuple(commands), names, assigns, " ".join(self.content.split()))

    def declaration(self) -> tuple[tuple[str, ...], bool]:
        names: list[str] = []
        before = self.at
        while self.peek()[0] == "variable":
            names.append(self.peek()[1])
            self.at += 1
            if self.peek()[1] == ",":
                self.at += 1
                continue
            if self.peek()[1] in (":=", "="):
                self.at += 1
                return tuple(names), self.tokens[self.at - 1][1] == "="
            break
        self.at = before
        return (), False

    def command(self) -> Command:
        operands = []
        while self.peek()[1] not in ("|", ")", "") or self.peek()[0] == "string":
            operands.append(self.operand())
        if not operands:
            raise self.fail("a command is missing")
        return tuple(operands)

    def number(self, text: str) -> int | float:
        """Read a number as text/template does: whole in its base, or a float that ends."""
        try:
            # Go reads a leading 0 as octal; Python's base 0 refuses it.
            return int(text, 8 if re.fullmatch(r"[+-]?0\d+", text) else 0)
        except ValueError:
            value = float(text)
        if not math.isfinite(value):
            raise self.fail(f"illegal number syntax: {text[:40]}")
        return value

    def operand(self) -> Operand:
        kind, text, _ = self.peek()
        self.at += 1
        if kind == "string":
            return Operand("literal", self.unquoted(text))
        if kind == "char":
            return Operand("literal", ord(text[1:-1][-1]))
        if kind == "number":
            return Operand("literal", self.number(text.replace("_", "")))
        if kind == "field":
            return Operand("field", None, (text[1:], *self.path()))
        if kind == "variable":
            return Operand("variable", text, self.path())
        if text == ".":
            return Operand("dot")
        if kind == "word":
            return (
                Operand("literal", WORDS[text])
                if text in WORDS
                else Operand("function", text, self.path())
            )
        if text == "(":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.fail("parentheses are nested too deep")
            inner = self.pipeline()
            if self.peek()[1] != ")":
                raise self.fail("a ) is missing")
            self.at += 1
            return Operand("pipeline", inner, self.path())
        raise self.fail(f"unexpected {text!r}")

    def unquoted(self, text: str) -> str:
        if text[0] == "`":
            return text[1:-1]
        return re.sub(
            r"\\(.)", lambda match: ESCAPES.get(match.group(1), match.group(0)), text[1:-1]
        )

    def path(self) -> tuple[str, ...]:
        names = []
        while self.peek()[0] == "field" and not self.peek()[2]:
            names.append(self.peek()[1][1:])
            self.at += 1
        return tuple(names)

    def finish(self) -> None:
        if self.at < len(self.tokens):
            raise self.fail(f"unexpected {self.peek()[1]!r}")


def parse(text: str) -> list[Node]:
    """Parse a template into its tree.

    Raises TemplateError.
    """
    root = Node("root", 1)
    stack: list[tuple[Node, list[Node], int]] = [(root, root.body, 0)]
    for kind, content, line in split(text):
        if kind == "text":
            if content:
                stack[-1][1].append(Node("text", line, content))
            continue
        word = (re.match(r"\s*([A-Za-z]+)\b", content) or [""])[0].strip()
        rest = content.split(word, 1)[1] if word else content
        if word == "end":
            _close(stack, rest, line)
        elif word == "else":
            _otherwise(stack, rest, line)
        elif word in ("if", "with", "range"):
            _open(stack, Node(word, line, pipeline=_whole(rest, line)), 0)
        elif word in ("define", "block"):
            _open(stack, _named(word, rest, line), 0)
        elif word == "template":
            stack[-1][1].append(_named(word, rest, line))
        # Words of Go 1.18.
        elif word in ("break", "continue") and not rest.strip():
            if not any(node.kind == "range" for node, _, _ in stack):
                raise TemplateError(f"{word} outside of range", line)
            stack[-1][1].append(Node(word, line))
        else:
            stack[-1][1].append(Node("print", line, pipeline=_whole(content, line)))
    if len(stack) > 1:
        node = stack[-1][0]
        raise TemplateError(f"{{{{ {node.kind} }}}} is not closed by {{{{ end }}}}", node.line)
    return root.body


def _open(stack: list[tuple[Node, list[Node], int]], node: Node, chained: int) -> None:
    if len(stack) > MAX_DEPTH:
        raise TemplateError("blocks are nested too deep", node.line)
    stack[-1][1].append(node)
    stack.append((node, node.body, chained))


def _close(stack: list[tuple[Node, list[Node], int]], rest: str, line: int) -> None:
    if rest.strip() or len(stack) == 1:
        raise TemplateError(
            "{{ end }} closes nothing" if len(stack) == 1 else "nothing stands behind end", line
        )
    for _ in range(stack[-1][2] + 1):
        stack.pop()


def _otherwise(stack: list[tuple[Node, list[Node], int]], rest: str, line: int) -> None:
    node, body, chained = stack[-1]
    if node.kind not in ("if", "with", "range") or body is not node.body:
        raise TemplateError("{{ else }} belongs to an if, with or range, once", line)
    stack[-1] = (node, node.otherwise, chained)
    words = rest.split(None, 1)
    if words:
        # `else with` is of Go 1.23; a range has no `else range`.
        if words[0] != node.kind or node.kind == "range" or len(words) < 2:
            raise TemplateError(f"else {words[0]} does not belong to {node.kind}", line)
        # `else if` is an if inside the else, closed by the same end.
        stack[-1] = (node, node.otherwise, chained)
        inner = Node(node.kind, line, pipeline=_whole(words[1], line))
        _open(stack, inner, chained + 1)


def _whole(content: str, line: int) -> Pipeline:
    expression = Expression(content, line)
    if not expression.tokens:
        raise TemplateError("the action is empty", line)
    pipeline = expression.pipeline()
    expression.finish()
    return pipeline


def _named(word: str, rest: str, line: int) -> Node:
    match = re.match(r'\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)(.*)\Z', rest, re.DOTALL)
    if match is None:
        raise TemplateError(f"{word} needs a name in quotes", line)
    argument = match.group(2)
    if word == "define" and argument.strip():
        raise TemplateError("nothing stands behind the name of define", line)
    pipeline = _whole(argument, line) if argument.strip() else None
    if word == "block" and pipeline is None:
        raise TemplateError("block needs a value", line)
    return Node(word, line, match.group(1)[1:-1], pipeline)


def walk(nodes: list[Node]) -> Iterator[Node]:
    """Yield every node of a tree, in the order of the text."""
    todo = nodes[::-1]
    while todo:
        node = todo.pop()
        yield node
        if node.otherwise:
            todo += node.otherwise[::-1]
        if node.body:
            todo += node.body[::-1]


def operands(pipeline: Pipeline | None) -> Iterator[tuple[Operand, int]]:
    """Yield each operand below a pipeline with its number of arguments, -1 if it is no function."""
    for index, command in enumerate(pipeline.commands if pipeline else ()):
        for place, operand in enumerate(command):
            # What is piped in is the last argument (text/template, Pipelines).
            count = len(command) - 1 + (index > 0) if place == 0 else 0
            yield operand, count if operand.kind == "function" else -1
            if operand.kind == "pipeline":
                assert isinstance(operand.value, Pipeline)
                yield from operands(operand.value)
