"""Jinja templates: parsed to learn what they use, never rendered."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from inframind.categories.ansible.arguments import is_template

MAX_TEMPLATE = 20_000
# https://docs.ansible.com/projects/ansible/latest/reference_appendices/common_return_values.html
RESULT_FIELDS = frozenset(
    (
        "rc",
        "stdout",
        "stderr",
        "stdout_lines",
        "stderr_lines",
        "changed",
        "failed",
        "skipped",
        "stat",
    )
)
"""Fields that only the result of a task has."""
# Ansible's guide to tests, playbook_tests.html, Testing task results.
RESULT_TESTS = frozenset(
    ("changed", "failed", "skipped", "succeeded", "success", "change", "finished")
)
UNDECIDED = object()
# The words that YAML 1.2, which the reader follows, leaves as texts.
YAML_BOOLEANS = {"yes": True, "on": True, "no": False, "off": False}
"""Ansible reads YAML 1.1."""


@dataclass(frozen=True)
class Template:
    """The names and plugins that one template uses; `error` if it does not parse."""

    error: str = ""
    names: frozenset[str] = frozenset()
    """Variables that are read and not set inside the template."""
    results: frozenset[str] = frozenset()
    """Variables that are used as a task's result."""
    guarded: frozenset[str] = frozenset()
    """Variables that may be undefined: tested by `is defined` or given a default."""
    plugins: frozenset[tuple[str, str]] = frozenset()
    """(kind, name) of filters, tests and lookups."""


@cache
# Parsing alone needs no filters: Jinja looks plugins up when it compiles.
def environment() -> Any:
    """Makes a sandboxed Jinja environment with Ansible's extensions, at first use."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], cache_size=0
    )


def parsed(text: str) -> Any:
    """Parses a template to its syntax tree. Raises ValueError with the reason."""
    from jinja2 import TemplateSyntaxError

    if len(text) > MAX_TEMPLATE:
        raise ValueError(f"over {MAX_TEMPLATE:,} characters")
    try:
        return environment().parse(text)
    except TemplateSyntaxError as error:
        raise ValueError(str(error.message)) from None
    except (RecursionError, OverflowError, MemoryError):
        raise ValueError("nested too deep") from None


@lru_cache(maxsize=512)
def template(text: str, *, is_condition: bool = False) -> Template:
    """Collects the names and plugins that a text, or a bare condition, uses."""
    from jinja2 import nodes

    if is_condition and not is_template(text):
        text = "{{ (" + text + "\n) }}"
    try:
        tree = parsed(text)
        return _uses(tree, nodes)
    except ValueError as error:
        return Template(error=str(error))
    except RecursionError:
        return Template(error="nested too deep")


def _uses(tree: Any, nodes: Any) -> Template:
    assigned: set[str] = set()
    names: set[str] = set()
    results: set[str] = set()
    guarded: set[str] = set()
    plugins: set[tuple[str, str]] = set()
    for node in tree.find_all((nodes.Name, nodes.Getattr, nodes.Test, nodes.Filter, nodes.Call)):
        if isinstance(node, nodes.Name):
            (names if node.ctx == "load" else assigned).add(node.name)
        elif isinstance(node, nodes.Getattr):
            if isinstance(node.node, nodes.Name) and node.attr in RESULT_FIELDS:
                results.add(node.node.name)
        elif isinstance(node, nodes.Test):
            plugins.add(("test", node.name))
            if node.name in ("defined", "undefined"):
                guarded |= {name.name for name in _names(node.node, nodes)}
            elif node.name.rpartition(".")[2] in RESULT_TESTS and isinstance(node.node, nodes.Name):
                results.add(node.node.name)
        elif isinstance(node, nodes.Filter):
            plugins.add(("filter", node.name))
            # `default` replaces what is undefined, and `mandatory` asks for it.
            if node.name in ("default", "d", "mandatory") and node.node is not None:
                guarded |= {name.name for name in _names(node.node, nodes)}
        elif (
            isinstance(node.node, nodes.Name)
            and node.node.name in ("lookup", "query", "q")
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, nodes.Const) and isinstance(first.value, str):
                plugins.add(("lookup", first.value))
    return Template(
        "",
        frozenset(names - assigned),
        frozenset(results - assigned),
        frozenset(guarded),
        frozenset(plugins),
    )


def _names(node: Any, nodes: Any) -> Iterator[Any]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def texts(value: Any) -> Iterator[str]:
    """Yields every template in a value; what is `!unsafe` or vaulted is none."""
    if is_template(value):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("!unsafe", "!vault"):
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def constant(condition: Any, variables: dict[str, Any]) -> Any:
    """Evaluates a condition that hangs on literals and literal variables alone, else UNDECIDED."""
    from jinja2 import nodes

    if not isinstance(condition, str):
        return condition
    if condition.strip().lower() in YAML_BOOLEANS:
        return YAML_BOOLEANS[condition.strip().lower()]
    try:
        text = condition if is_template(condition) else "{{ (" + condition + "\n) }}"
        body = parsed(text).body
        inner = body[0].nodes[0] if len(body) == 1 and len(body[0].nodes) == 1 else None
        return _fold(inner, variables, nodes)
    except (ValueError, RecursionError, AttributeError):
        return UNDECIDED


def _fold(node: Any, variables: dict[str, Any], nodes: Any) -> Any:
    """Folds literals, names of literals, `not`, `and`, `or`, `==`, `!=` and the filter bool."""
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.Name):
        value = variables.get(node.name, UNDECIDED)
        return UNDECIDED if isinstance(value, dict | list) or is_template(value) else value
    if isinstance(node, nodes.Filter) and node.name == "bool":
        value = _fold(node.node, variables, nodes)
        return value if value is UNDECIDED else truth(value)
    if isinstance(node, nodes.Not):
        value = _fold(node.node, variables, nodes)
        return value if value is UNDECIDED else not truth(value)
    if isinstance(node, nodes.And | nodes.Or):
        sides = [_fold(node.left, variables, nodes), _fold(node.right, variables, nodes)]
        # One side may decide alone: `x or true` is true, `x and false` false.
        decided = [truth(side) for side in sides if side is not UNDECIDED]
        stops = isinstance(node, nodes.Or)
        if any(value is stops for value in decided):
            return stops
        return (not stops) if len(decided) == 2 else UNDECIDED
    if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in ("eq", "ne"):
        left, right = _fold(node.expr, variables, nodes), _fold(node.ops[0].expr, variables, nodes)
        if left is not UNDECIDED and right is not UNDECIDED:
            return (left == right) is (node.ops[0].op == "eq")
    return UNDECIDED


def truth(value: Any) -> bool:
    """Tells Ansible's truth of a value: the texts `false`, `no`, `off` and `0` are false."""
    if isinstance(value, str):
        return value.lower() not in ("false", "no", "off", "0", "n", "f", "")
    return bool(value)
