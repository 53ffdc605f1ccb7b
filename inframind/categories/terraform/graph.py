"""Dependencies among declarations: cycles, and outputs that reveal sensitive variables."""

from collections.abc import Iterable, Iterator

from inframind.categories.terraform import rules
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.syntax import Attribute, Block, Body, Node, text_of
from inframind.types import Finding

Name = tuple[str, ...]
"""("local", name), ("var", name), or the key of an object."""
# The results of both are not sensitive, whatever their argument is.
UNMARKED = frozenset({"nonsensitive", "issensitive"})
# Read as keywords and names, never evaluated: they make no edges.
NO_REFERENCES = frozenset({"ignore_changes", "provider", "iterator"})


def mentions(node: Node, module: Module) -> Iterator[Name]:
    """Lists the names that an expression refers to, but for those inside `nonsensitive`."""
    if node.type == "function_call" and text_of(node.children[0]) in UNMARKED:
        return
    if node.type == "variable_expr":
        yield from _target(node, module)
    for child in node.named_children:
        yield from mentions(child, module)


def _target(node: Node, module: Module) -> Iterator[Name]:
    words: list[str] = []
    sibling = node.next_sibling
    while sibling is not None and sibling.type == "get_attr" and len(words) < 2:
        words.append(text_of(sibling.children[1]))
        sibling = sibling.next_sibling
    root = text_of(node)
    if root in ("var", "local") and words:
        yield (root, words[0])
    elif root == "data" and len(words) == 2:
        yield ("data", *words)
    elif words and ("resource", root, words[0]) in module.objects:
        yield ("resource", root, words[0])


def _attributes(body: Body) -> Iterator[Attribute]:
    for name, attribute in body.attributes.items():
        if name not in NO_REFERENCES:
            yield attribute
    for block in body.blocks:
        yield from _attributes(block.body)


def _edges(attributes: Iterable[Attribute], module: Module) -> set[Name]:
    return {
        name
        for a in attributes
        if a.expression is not None
        for name in mentions(a.expression, module)
    }


class Graph:
    """Edges between locals and objects."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.edges: dict[Name, set[Name]] = {
            ("local", n): _edges([a], module) for n, a in module.locals.items()
        }
        for key, block in module.objects.items():
            # A block that names itself is reported where it does.
            self.edges[key] = _edges(_attributes(block.body), module) - {key}

    def findings(self) -> Iterator[Finding]:
        """Cycles, and outputs of sensitive values."""
        cycle = self._cycle()
        if cycle:
            words = " -> ".join(".".join(name).removeprefix("resource.") for name in cycle)
            yield rules.CYCLE.finding(f"these depend on one another: {words}", self._line(cycle[0]))
        for block in self.module.outputs.values():
            attribute = block.body.attributes.get("value")
            # "Any root module output containing sensitive data" has to "be explicitly marked as
            # sensitive": the error `Output refers to sensitive values`.
            hidden = block.body.attributes.get("sensitive")
            if (
                attribute
                and attribute.expression
                and not (hidden and hidden.expression and "true" in text_of(hidden.expression))
            ):
                variable = self._sensitive(mentions(attribute.expression, self.module))
                if variable:
                    message = (
                        f"output {block.labels[0]} reveals var.{variable}: write sensitive = true"
                    )
                    yield rules.SENSITIVE.finding(message, block.line)

    def _line(self, name: Name) -> int | None:
        if name[0] == "local":
            return self.module.locals[name[1]].line
        return self.module.objects[name[0], name[1], name[2]].line

    def _cycle(self) -> list[Name]:
        """Finds one cycle, or nothing. Iterative: a file may chain a thousand locals."""
        done: set[Name] = set()
        for start in self.edges:
            path: list[Name] = []
            todo: list[tuple[Name, bool]] = [(start, True)]
            while todo:
                name, enter = todo.pop()
                if not enter:
                    done.add(path.pop())
                    continue
                if name in done:
                    continue
                if name in path:
                    return [*path[path.index(name) :], name]
                path.append(name)
                todo.append((name, False))
                todo += [(other, True) for other in sorted(self.edges.get(name, ()))]
        return []

    def _sensitive(self, names: Iterable[Name]) -> str | None:
        """Finds a sensitive variable among the names, or in the locals that they lead to."""
        todo, seen = list(names), set[Name]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            if name[0] == "local":
                todo += self.edges.get(name, ())
            elif name[0] == "var" and _is_sensitive(self.module.variables.get(name[1])):
                return name[1]
        return None


def _is_sensitive(block: Block | None) -> bool:
    attribute = block.body.attributes.get("sensitive") if block else None
    return bool(
        attribute and attribute.expression and text_of(attribute.expression).strip('"') == "true"
    )
