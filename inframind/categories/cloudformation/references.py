"""References of a template: resources, parameters, attributes, mappings, conditions; circles."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.cloudformation import catalog, rules
from inframind.categories.cloudformation.template import (
    PSEUDO,
    Path,
    Template,
    substitutions,
    walk,
)
from inframind.categories.shared.values import cycle
from inframind.types import Finding


def findings(template: Template) -> Iterator[Finding]:
    """Findings of the references rung."""
    for name, entry in template.conditions.items():
        yield from use_findings(template, entry, ("Conditions", name), is_condition=True)
    for name, entry in template.resources.items():
        for key in ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy"):
            yield from use_findings(template, entry.get(key), ("Resources", name, key))
        for other in depends_on(entry):
            if other not in template.resources and not template.generates(other):
                yield rules.REF.finding(
                    f"{name}: DependsOn {other!r} is no resource",
                    template.line("Resources", name, "DependsOn"),
                )
        yield from condition_findings(template, entry, ("Resources", name))
    for name, entry in template.section("Outputs").items():
        if isinstance(entry, dict):
            yield from use_findings(
                template, {key: entry.get(key) for key in ("Value", "Export")}, ("Outputs", name)
            )
            yield from condition_findings(template, entry, ("Outputs", name))
    yield from cycle_findings(template)


def depends_on(entry: dict[str, Any]) -> list[str]:
    """Lists the logical ids that a resource waits for."""
    value = entry.get("DependsOn", [])
    return [
        item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)
    ]


def condition_findings(template: Template, entry: dict[str, Any], path: Path) -> Iterator[Finding]:
    condition = entry.get("Condition")
    if isinstance(condition, str) and condition not in template.conditions:
        yield rules.IF.finding(
            f"{path[-1]}: there is no condition {condition!r}", template.line(*path, "Condition")
        )


def use_findings(
    template: Template, value: Any, path: Path, *, is_condition: bool = False
) -> Iterator[Finding]:
    """Reports functions in a value that name what is not in the template."""
    for name, argument, inner in walk(value):
        here = (*path, *inner)
        if name == "Ref" and isinstance(argument, str):
            yield from name_findings(template, argument, here, is_condition=is_condition)
        elif name == "Fn::GetAtt" and isinstance(argument, list):
            yield from attribute_findings(template, argument, here)
        elif name == "Fn::Sub":
            for variable in substitutions(argument)[2]:
                if "." in variable:
                    yield from attribute_findings(template, variable.split(".", 1), here)
                else:
                    yield from name_findings(template, variable, here)
        elif name == "Fn::FindInMap" and isinstance(argument, list) and len(argument) == 3:
            yield from map_findings(template, argument, here)
        elif (
            name == "Fn::If"
            and isinstance(argument, list)
            and argument
            and argument[0] not in template.conditions
        ):
            yield rules.IF.finding(
                f"{path[1]}: there is no condition {argument[0]!r}", template.line(*here)
            )
        elif (
            name == "Condition"
            and is_condition
            and isinstance(argument, str)
            and argument not in template.conditions
        ):
            yield rules.IF.finding(
                f"{path[1]}: there is no condition {argument!r}", template.line(*here)
            )


def name_findings(
    template: Template, name: str, path: Path, *, is_condition: bool = False
) -> Iterator[Finding]:
    """Reports a name that is no parameter, resource or pseudo parameter."""
    if (
        template.generates(name)
        or name in PSEUDO
        or name in template.parameters
        or (name in template.resources and not is_condition)
    ):
        return
    # Conditions are evaluated before any resource exists: conditions-section-structure.html.
    what = "no parameter" if is_condition else "neither a parameter nor a resource"
    yield rules.REF.finding(f"{path[1]}: {name!r} is {what} of this template", template.line(*path))


def attribute_findings(template: Template, argument: list[Any], path: Path) -> Iterator[Finding]:
    """Reports an attribute of a resource that is not there or does not have it."""
    target = argument[0]
    name = (
        ".".join(map(str, argument[1:]))
        if all(isinstance(part, str) for part in argument[1:])
        else None
    )
    entry = template.resources.get(target) if isinstance(target, str) else None
    if entry is None and isinstance(target, str) and template.generates(target):
        return
    if entry is None:
        yield rules.REF.finding(
            f"{path[1]}: {target!r} is no resource of this template", template.line(*path)
        )
        return
    kind = str(entry.get("Type"))
    schema = None if catalog.is_custom(kind) else catalog.resource(kind)
    if schema is not None and name is not None and not has_attribute(schema["attributes"], name):
        attributes = ", ".join(schema["attributes"][:12])
        yield rules.GETATT.finding(
            f"{path[1]}: {kind} has no attribute {name!r}; it has {attributes}",
            template.line(*path),
        )


def has_attribute(attributes: list[str], name: str) -> bool:
    """Tells whether the name is listed, or stands below one of the patterns (`Outputs\\..*`)."""
    # AWS::CloudFormation::Stack has `Outputs.NAME` for each output of the nested stack.
    return name in attributes or any(
        re.escape(a) != a and "*" in a and name.startswith(a.split("\\")[0] + ".")
        for a in attributes
    )


def map_findings(template: Template, argument: list[Any], path: Path) -> Iterator[Finding]:
    """Reports a mapping or a literal key that does not exist."""
    name, first, second = argument
    if not isinstance(name, str):
        return
    mapping = template.section("Mappings").get(name)
    line = template.line(*path)
    if not isinstance(mapping, dict):
        yield rules.IN_MAP.finding(f"{path[1]}: there is no mapping {name!r}", line)
    elif isinstance(first, str | int) and str(first) not in mapping:
        yield rules.IN_MAP.finding(f"{path[1]}: {name} has no key {first!r}", line)
    elif isinstance(second, str | int):
        rows = [mapping[str(first)]] if isinstance(first, str | int) else list(mapping.values())
        if not any(isinstance(row, dict) and str(second) in row for row in rows):
            yield rules.IN_MAP.finding(f"{path[1]}: {name} has no second key {second!r}", line)


def targets(template: Template, value: Any) -> Iterator[tuple[Path, str]]:
    """Yields (path, name) of every resource or parameter that a value refers to."""
    for name, argument, path in walk(value):
        if name == "Ref" and isinstance(argument, str):
            yield path, argument
        elif name == "Fn::GetAtt" and isinstance(argument, list) and isinstance(argument[0], str):
            yield path, argument[0]
        elif name == "Fn::Sub":
            for variable in substitutions(argument)[2]:
                yield path, variable.split(".", 1)[0]


def cycle_findings(template: Template) -> Iterator[Finding]:
    """Reports a circle among the resources, and one among the conditions."""
    waits = {
        name: {
            other
            for _, other in targets(template, entry.get("Properties"))
            if other in template.resources
        }
        | set(depends_on(entry))
        for name, entry in template.resources.items()
    }
    asks = {
        name: {
            argument
            for call, argument, _ in walk(entry)
            if call == "Condition" and isinstance(argument, str)
        }
        for name, entry in template.conditions.items()
    }
    for graph, section in ((waits, "Resources"), (asks, "Conditions")):
        if circle := cycle(graph):
            yield rules.CYCLE.finding(
                f"a circle: {' -> '.join(circle)}", template.line(section, circle[0])
            )
