"""Expressions that Terraform reads without evaluating: traversals, addresses, keywords.

https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle,
.../modules/develop/refactoring, .../import
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from inframind.categories.terraform.syntax import Node, label_of, structure, text_of

Step = tuple[str, Any]
"""("attr", name) or ("index", key); a key of None is computed."""
# Roots that internal/addrs/parse_ref.go of Terraform takes for itself: no resource types.
RESERVED = frozenset({"var", "local", "module", "each", "self", "count", "path", "terraform"})
# "Plain values such as local values or input variables do not have planned actions of their own":
# meta-arguments/lifecycle, replace_triggered_by.
UNEVALUATED = frozenset({"var", "local", "module", "self", "path", "terraform"})
"""Roots that may not decide about a replacement."""
# Terraform: "Destroy-time provisioners ... may only reference attributes of the related resource,
# via 'self', 'count.index', or 'each.key'."
OF_ITSELF = frozenset({"self", "count", "each", "path", "terraform"})
"""Roots that a provisioner may name when its object is gone."""
KEYWORDS = {"when": ("create", "destroy"), "on_failure": ("continue", "fail")}
QUOTED = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[(?:\d+|\"[^\"$%]*\")\])*")


def traversal(node: Node | None, *, quoted: bool = False) -> list[Step] | None:
    """Reads the steps of `a.b["c"].d`, the root first; None for anything that is more.

    `quoted`: in a text too, as old files have it.
    """
    if node is None or not node.children:
        return None
    if quoted and node.children[0].type == "literal_value" and len(node.children) == 1:
        text = str(_literal(node)).replace('\\"', '"')
        inner = structure(f"x = {text}\n").attributes.get("x") if QUOTED.fullmatch(text) else None
        return traversal(inner.expression) if inner else None
    if node.children[0].type != "variable_expr":
        return None
    steps: list[Step] = [("attr", text_of(node.children[0]))]
    for child in node.children[1:]:
        step = _step(child)
        if step is None:
            return None
        steps.append(step)
    return steps


def _step(node: Node) -> Step | None:
    if node.type == "get_attr":
        return ("attr", text_of(node.children[1]))
    if node.type != "index":
        return None
    inner = node.children[0]
    key = next((child for child in inner.named_children if child.type == "expression"), None)
    if inner.type == "legacy_index":
        # Terraform 0.11 wrote list.0 for list[0], and HCL still reads it.
        return ("index", int(text_of(inner).strip(". ") or 0))
    return ("index", _literal(key)) if key is not None else None


def _literal(node: Node) -> str | int | None:
    """Reads a text or a whole number; None for what has to be computed."""
    child = node.children[0] if len(node.children) == 1 else None
    value = child.children[0] if child is not None and child.type == "literal_value" else None
    if value is None or value.type not in ("string_lit", "numeric_lit"):
        return None
    text = text_of(value)
    if value.type == "string_lit":
        return label_of(value)
    return int(text) if text.isdigit() else None


def elements(node: Node | None) -> list[Node] | None:
    """Lists the expressions of `[ ... ]`; None for anything else."""
    value = node.children[0] if node is not None and len(node.children) == 1 else None
    content = value.children[0] if value is not None and value.type == "collection_value" else None
    if content is None or content.type != "tuple":
        return None
    return [child for child in content.children if child.type == "expression"]


def roots(node: Node | None, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Yields (root, first attribute or nothing) of every reference in an expression.

    Not of those to `bound`, the names that loops bind.
    """
    if node is None:
        return
    if node.type == "variable_expr" and text_of(node) not in {"true", "false", "null"} | bound:
        behind = node.next_sibling
        yield (
            text_of(node),
            text_of(behind.children[1]) if behind is not None and behind.type == "get_attr" else "",
        )
    children = node.named_children
    for intro in (child for child in children if child.type == "for_intro"):
        bound |= {text_of(child) for child in intro.children if child.type == "identifier"}
    # A bare word before `=` is a key, not a reference: HCL's spec, Object Values.
    if node.type == "object_elem" and children[0].children[0].type == "variable_expr":
        children = children[1:]
    for child in children:
        yield from roots(child, bound)


def ignored(node: Node | None) -> list[list[Step]] | str:
    """Reads the paths that `ignore_changes` lists, of `all` none; a text says what is wrong."""
    if node is not None and text_of(node) == "all":
        return []
    items = elements(node)
    if items is None:
        return "write all, or a list of this resource's arguments"
    paths = []
    for item in items:
        path = traversal(item, quoted=True)
        if path is None or any(key is None for step, key in path if step == "index"):
            return f"{text_of(item)[:60]} is no argument: write its name, such as tags"
        paths.append(path)
    return paths


def trigger_fault(node: Node | None) -> str | None:
    """Says why a value is none for `replace_triggered_by`; None if it is sound.

    An attribute need not exist: Terraform does not ask.
    """
    items = elements(node)
    if items is None:
        return "a list of references is required"
    for item in items:
        # `count.index` and `each.key` may choose the instance of another object.
        named = [root for root, _ in roots(item) if root not in ("each", "count")]
        if len(named) != 1 or named[0] in UNEVALUATED:
            return f"{text_of(item)[:60]}: one resource, or one of its attributes, is required"
    return None


def address_fault(
    steps: Sequence[Step] | None, *, keys: bool = True, data: bool = True, computed: bool = False
) -> str | None:
    """Says why these steps are no address of a module or a resource; None if they are one.

    `keys`: instances have addresses too.
    """
    if steps is None:
        return "write an address such as aws_vpc.main, without quotes"
    rest = list(steps)
    while rest and rest[0] == ("attr", "module"):
        if len(rest) < 2 or rest[1][0] != "attr":
            return "module.NAME is required"
        rest = _without_key(rest[2:])
    wanted = 3 if rest[:1] == [("attr", "data")] else 2
    if rest and (len(rest) < wanted or any(step != "attr" for step, _ in rest[:wanted])):
        return "TYPE.NAME is required"
    if wanted == 3 and not data:
        return "a data source has no such address"
    if len(_without_key(rest[wanted:])) > 0:
        return "an object is named, not one of its attributes"
    instance_keys = [key for step, key in steps if step == "index"]
    if instance_keys and not keys:
        return "a single instance cannot be named here"
    if None in instance_keys and not computed:
        return "keys are plain numbers and texts"
    # Terraform itself asks this of no block that names no instance.
    return "that is no object" if keys and rest and rest[0][1] in RESERVED else None


def _without_key(steps: Sequence[Step]) -> list[Step]:
    return list(steps[1:] if steps and steps[0][0] == "index" else steps)


def is_module(steps: Sequence[Step]) -> bool:
    """Tells a module's sound address from a resource's."""
    rest = list(steps)
    while rest and rest[0] == ("attr", "module"):
        rest = _without_key(rest[2:])
    return not rest


def keyword_fault(name: str, node: Node | None) -> str | None:
    """Says why an expression is no keyword for `when` or `on_failure`; None if it is one.

    Quotes around it are taken away: Terraform 0.11 asked for them.
    """
    word = text_of(node).strip('"') if node is not None else ""
    return (
        None
        if word in KEYWORDS[name]
        else f"{word[:40]!r} is not one of {', '.join(KEYWORDS[name])}"
    )
