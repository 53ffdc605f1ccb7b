"""The stack that a template makes by default: resources that can exist, literals resolved."""

from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.cloudformation import catalog
from inframind.categories.cloudformation.conditions import can_hold, holds
from inframind.categories.cloudformation.properties import INTEGER, NUMBER, Checker
from inframind.categories.cloudformation.references import depends_on, targets
from inframind.categories.cloudformation.template import (
    NO_VALUE,
    VARIABLE,
    Template,
    function,
    substitutions,
)

# The default of an SSM parameter type is the parameter's name, not its value.
LITERAL = ("String", "Number")
KEPT = (
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "Metadata",
)
MAX_DEPTH = 100
MAX_TEXT = 100_000


def configuration(template: Template) -> Configuration:
    """Resources, parameters, outputs and conditions."""
    solver = Solver(template)
    alive = {name for name, entry in template.resources.items() if solver.exists(entry)}
    resources: list[Resource] = []
    links: list[Link] = []
    for name, entry in template.resources.items():
        if name in alive:
            kind = str(entry.get("Type"))
            solved = solver.value(entry.get("Properties") or {})
            properties = typed(template, kind, solved) if isinstance(solved, dict) else {}
            fields = (
                properties
                | {key: solver.value(entry[key]) for key in KEPT if key in entry}
                | {"DependsOn": depends_on(entry)}
            )
            links += _links(template, len(resources), fields, alive)
            resources.append(Resource(kind, name, fields, template.line("Resources", name)))
    for name, entry in template.parameters.items():
        resources.append(Resource("parameter", name, entry, template.line("Parameters", name)))
    for name, entry in template.section("Outputs").items():
        if isinstance(entry, dict) and solver.exists(entry):
            fields = solver.value(entry)
            links += _links(template, len(resources), fields, alive)
            resources.append(Resource("output", name, fields, template.line("Outputs", name)))
    for name, entry in template.conditions.items():
        resources.append(Resource("condition", name, entry, template.line("Conditions", name)))
    return Configuration(tuple(resources), tuple(links))


def _links(template: Template, source: int, fields: Any, alive: set[str]) -> list[Link]:
    """References to resources that exist and to parameters."""
    references = [(path, name) for path, name in targets(template, fields)]
    references += [
        (("DependsOn",), name) for name in fields.get("DependsOn", ()) if isinstance(name, str)
    ]
    links = []
    for path, name in references:
        dotted = ".".join(
            part for part in path if isinstance(part, str) and not part.startswith("Fn::")
        )
        if name in alive:
            links.append(Link(source, dotted, str(template.resources[name].get("Type")), name))
        elif name in template.parameters:
            links.append(Link(source, dotted, "parameter", name))
    return links


class Solver:
    """Replaces functions by their value where it is exact."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.defaults = {
            name: entry["Default"]
            for name, entry in template.parameters.items()
            if entry.get("Type") in LITERAL
            and "Default" in entry
            and not isinstance(entry["Default"], dict | list)
        }
        self.truths = {name: self._truth(name) for name in template.conditions}

    def _truth(self, name: str) -> bool | None:
        """Decides a condition: False only if no choice of parameters makes it true, True only if it
        holds whatever they are; None otherwise.
        """
        if not can_hold(self.template, name):
            return False
        return True if holds(self.template, {"Condition": name}, {}) is True else None

    def exists(self, entry: dict[str, Any]) -> bool:
        """Tells whether the entry's condition can hold."""
        condition = entry.get("Condition")
        return not isinstance(condition, str) or self.truths.get(condition) is not False

    def value(self, node: Any, depth: int = 0) -> Any:
        """Resolves the functions in a value; `AWS::NoValue` takes its key away."""
        if depth > MAX_DEPTH:
            return node
        if isinstance(node, list):
            items = [self.value(item, depth + 1) for item in node]
            return [item for item in items if item != NO_VALUE]
        if not isinstance(node, dict):
            return node
        call = function(node)
        if call is None:
            solved = {key: self.value(item, depth + 1) for key, item in node.items()}
            return {key: item for key, item in solved.items() if item != NO_VALUE}
        name, argument = call
        if name == "Ref":
            return self.defaults.get(argument, node) if isinstance(argument, str) else node
        if name == "Fn::GetAtt":
            return {name: argument}
        if name == "Fn::Sub":
            return self._sub(argument, depth)
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            truth = self.truths.get(argument[0]) if isinstance(argument[0], str) else None
            if truth is not None:
                return self.value(argument[1 if truth else 2], depth + 1)
            # The condition is open: both branches stay, each resolved.
            return {name: [argument[0], *(self.value(item, depth + 1) for item in argument[1:])]}
        solved = self.value(argument, depth + 1)
        return _computed(self.template, name, solved)

    def _sub(self, argument: Any, depth: int) -> Any:
        """Resolves `Fn::Sub`: to a text if every variable is literal, to a plain `Ref` or
        `Fn::GetAtt` if it is nothing else.
        """
        text, variables, _ = substitutions(argument)
        values = {key: self.value(item, depth + 1) for key, item in variables.items()}

        def replaced(match: Any) -> str:
            name = match.group(1).strip()
            value = values[name] if name in values else self.defaults.get(name)
            if value is None or isinstance(value, dict | list):
                inner = _variable(value)
                return f"${{{inner or name}}}"
            return str(value).lower() if isinstance(value, bool) else str(value)

        result = VARIABLE.sub(replaced, text)
        only = VARIABLE.fullmatch(result)
        if only and only.group(1) not in values:
            target, dot, attribute = only.group(1).partition(".")
            return {"Fn::GetAtt": [target, attribute]} if dot else {"Ref": target}
        rest = {key: item for key, item in values.items() if f"${{{key}}}" in result}
        if len(result) > MAX_TEXT or rest:
            return {"Fn::Sub": [result, rest]}
        # `${!Literal}` stands for ${Literal}: intrinsic-function-reference-sub.html.
        return {"Fn::Sub": result} if VARIABLE.search(result) else result.replace("${!", "${")


def _variable(value: Any) -> str | None:
    """Writes `Ref` and `Fn::GetAtt` as they stand in a `Fn::Sub`."""
    call = function(value)
    if call and call[0] == "Ref" and isinstance(call[1], str):
        return call[1]
    if (
        call
        and call[0] == "Fn::GetAtt"
        and isinstance(call[1], list)
        and all(isinstance(part, str) for part in call[1])
    ):
        return ".".join(call[1])
    return None


def _computed(template: Template, name: str, argument: Any) -> Any:
    """Computes Join, Select, Split and FindInMap of literals."""
    if (
        name == "Fn::Join"
        and isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
    ):
        parts = argument[1] if isinstance(argument[1], list) else [{}]
        literal = not any(isinstance(item, dict | list) for item in parts)
        return argument[0].join(map(str, parts)) if literal else {name: argument}
    if (
        name == "Fn::Split"
        and isinstance(argument, list)
        and all(isinstance(part, str) and part for part in argument)
    ):
        return argument[1].split(argument[0])
    if (
        name == "Fn::Select"
        and isinstance(argument, list)
        and isinstance(argument[1], list)
        and str(argument[0]).isdigit()
    ):
        # int() refuses texts of over 4,300 digits; nine are more than any list has.
        index = int(str(argument[0])[:9])
        return argument[1][index] if index < len(argument[1]) else {name: argument}
    if (
        name == "Fn::FindInMap"
        and isinstance(argument, list)
        and not any(isinstance(part, dict | list) for part in argument)
    ):
        node: Any = template.section("Mappings")
        for part in argument:
            node = node.get(str(part)) if isinstance(node, dict) else None
        return {name: argument} if node is None else node
    return {name: argument}


def typed(template: Template, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Literals in the type of their property: "80" is 80 where a number is wanted, 80 is "80" where
    a text is.
    """
    schema = None if catalog.is_custom(kind) else catalog.resource(kind)
    if schema is None:
        return properties
    converted: dict[str, Any] = _typed(Checker(template, kind, schema), schema, properties)
    return converted


def _typed(checker: Checker, schema: Any, value: Any) -> Any:
    schema = checker.resolved(schema)
    if isinstance(value, dict) and function(value) is None:
        properties = schema.get("properties", {})
        return {key: _typed(checker, properties.get(key, {}), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(checker, schema.get("items", {}), item) for item in value]
    if isinstance(value, dict) or value is None:
        return value
    kind, text = schema.get("type"), str(value)
    if kind == "boolean" and not isinstance(value, bool):
        # CloudFormation reads YAML 1.1, where yes and on are true.
        return text.lower() in ("true", "yes", "on")
    if kind == "integer" and INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and NUMBER.fullmatch(text) and not isinstance(value, int | float):
        return float(text)
    if kind == "string":
        return text.lower() if isinstance(value, bool) else text
    return value
