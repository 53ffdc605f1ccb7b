"""Type constraints of variables
(https://developer.hashicorp.com/terraform/language/expressions/type-constraints).
"""

from typing import Any

from inframind.categories.terraform.syntax import Body, Node, label_of, text_of

PRIMITIVE = frozenset({"string", "number", "bool"})
COLLECTION = frozenset({"list", "set", "map"})


class TypeConstraintError(Exception):
    """The text is no type; the message says what to write."""


def declared_type(body: Body) -> Any:
    """Reads a variable's type in Terraform's JSON form; `dynamic` if none is declared, or none that
    can be read.
    """
    attribute = body.attributes.get("type")
    if attribute is None or attribute.expression is None:
        return "dynamic"
    try:
        return type_constraint(attribute.expression)
    except TypeConstraintError:
        return "dynamic"


def type_constraint(node: Node) -> Any:
    """Reads the type that an expression spells. Raises TypeConstraintError."""
    inner = node.children[0] if node.type == "expression" and len(node.children) == 1 else node
    if inner.type == "variable_expr":
        return _word(text_of(inner))
    if inner.type == "function_call":
        return _call(inner)
    text = text_of(node)
    # "Terraform 0.11 and earlier required type constraints to be given in quotes".
    if text.startswith('"'):
        raise TypeConstraintError(f"write the type without quotes: type = {text.strip(chr(34))}")
    raise TypeConstraintError(f"{text[:60]!r} is not a type")


def _word(word: str) -> Any:
    if word in PRIMITIVE:
        return word
    if word == "any":
        return "dynamic"
    # Short for list(any) and map(any), for configurations of Terraform 0.11.
    if word in ("list", "map"):
        return [word, "dynamic"]
    if word in ("set", "object", "tuple"):
        raise TypeConstraintError(f"{word} needs an argument: {word}(...)")
    raise TypeConstraintError(
        f"{word!r} is not a type: string, number, bool, list(...), set(...), map(...), "
        f"object({{...}}) or any"
    )


def _call(node: Node) -> Any:
    word = text_of(node.children[0])
    arguments = _arguments(node)
    if word not in (*COLLECTION, "object", "tuple"):
        raise TypeConstraintError(f"{word}(...) is not a type")
    if len(arguments) != 1:
        raise TypeConstraintError(f"{word}(...) has one argument")
    if word in COLLECTION:
        return [word, type_constraint(arguments[0])]
    value = arguments[0].children[0] if arguments[0].children else arguments[0]
    content = value.children[0] if value.type == "collection_value" else value
    if word == "tuple":
        if content.type != "tuple":
            raise TypeConstraintError("tuple(...) has a list of types: tuple([string, number])")
        return [
            "tuple",
            [type_constraint(child) for child in content.children if child.type == "expression"],
        ]
    if content.type != "object":
        raise TypeConstraintError("object(...) has an object of types: object({ name = string })")
    return _object(content)


def _arguments(call: Node) -> list[Node]:
    """Lists the expressions between a call's parentheses."""
    lists = (child for child in call.children if child.type == "function_arguments")
    return [child for child in next(lists, call).children if child.type == "expression"]


def _object(node: Node) -> Any:
    members: dict[str, Any] = {}
    optional: list[str] = []
    for element in (child for child in node.children if child.type == "object_elem"):
        key, value = (child for child in element.children if child.type == "expression")
        name = text_of(key).strip('"')
        call = value.children[0] if value.children else value
        # Optional attributes came with Terraform 1.3.
        if call.type == "function_call" and label_of(call.children[0]) == "optional":
            optional.append(name)
            members[name] = _optional(call)
        else:
            members[name] = type_constraint(value)
    return ["object", members, optional] if optional else ["object", members]


def _optional(node: Node) -> Any:
    arguments = _arguments(node)
    if not 1 <= len(arguments) <= 2:
        raise TypeConstraintError("optional(...) has a type and perhaps a default")
    return type_constraint(arguments[0])
