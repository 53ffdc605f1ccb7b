"""Sections of a template but the properties: parameters, mappings, conditions, outputs, attributes
of resources.
"""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.cloudformation import catalog, functions, properties, rules
from inframind.categories.cloudformation.template import (
    EXTENSIONS,
    SERVERLESS,
    Template,
    function,
    walk,
)
from inframind.types import Finding

SECTIONS = frozenset(
    (
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Transform",
        "Hooks",
        "Resources",
        "Outputs",
    )
)
ATTRIBUTES = frozenset(
    (
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "CreationPolicy",
        "UpdatePolicy",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "Version",
    )
)
PARAMETER_KEYS = frozenset(
    (
        "Type",
        "Default",
        "Description",
        "AllowedValues",
        "AllowedPattern",
        "ConstraintDescription",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
        "NoEcho",
    )
)
# AWS CloudFormation User Guide, cloudformation-supplied-parameter-types.html.
AWS_TYPE = (
    r"AWS::(?:EC2::(?:AvailabilityZone::Name|Image::Id|Instance::Id|KeyPair::KeyName"
    r"|SecurityGroup::(?:GroupName|Id)|Subnet::Id|Volume::Id|VPC::Id)|Route53::HostedZone::Id)"
)
PARAMETER_TYPE = re.compile(
    rf"String|Number|CommaDelimitedList|List<(?:Number|String|{AWS_TYPE})>|{AWS_TYPE}"
    r"|AWS::SSM::Parameter::Name"
    rf"|AWS::SSM::Parameter::Value<(?:String|CommaDelimitedList|{AWS_TYPE}"
    rf"|List<(?:String|{AWS_TYPE})>)>"
)
# At most 255 characters: cloudformation-limits.html.
NAME = re.compile(r"[A-Za-z0-9]{1,255}")
KIND = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]+(?:::[A-Za-z0-9]+)+")
# Letters, digits and _@-, at most 60: aws-resource-cloudformation-customresource.html.
CUSTOM = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}")
POLICIES = {
    # RetainExceptOnCreate is no option of UpdateReplacePolicy.
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}


def findings(template: Template) -> Iterator[Finding]:
    """Findings of the schema rung."""
    fields = template.fields
    if unknown_transforms(template):
        yield rules.TRANSFORM.finding(
            "what a transform makes of the template is not known here", template.line("Transform")
        )
        return
    for key in fields:
        if key not in SECTIONS and not (key == "Globals" and template.is_serverless):
            yield rules.SECTION.finding(f"a template has no section {key!r}", template.line(key))
    # The one version there is: format-version-structure.html.
    if fields.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
        yield rules.VALUE.finding(
            "AWSTemplateFormatVersion is '2010-09-09'", template.line("AWSTemplateFormatVersion")
        )
    if not isinstance(fields.get("Description", ""), str):
        yield rules.TYPE.finding("Description is a text", template.line("Description"))
    for key in ("Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Outputs"):
        if not isinstance(fields.get(key, {}), dict):
            yield rules.TYPE.finding(f"{key} is a mapping", template.line(key))
    for name, entry in template.section("Parameters").items():
        yield from parameter_findings(template, name, entry)
    yield from mapping_findings(template)
    yield from condition_findings(template)
    yield from resource_findings(template)
    yield from output_findings(template)


def unknown_transforms(template: Template) -> bool:
    """Tells whether something other than SAM and AWS's language extensions rewrites the template,
    or a part of it.
    """
    uses = (name for section in template.fields.values() for name, _, _ in walk(section))
    return (
        not all(name in (SERVERLESS, EXTENSIONS) for name in template.transforms)
        or "Fn::Transform" in uses
    )


def parameter_findings(template: Template, name: str, entry: Any) -> Iterator[Finding]:
    """Checks one parameter: name, keys, type and default."""
    line = template.line("Parameters", name)
    if not NAME.fullmatch(name):
        yield rules.LOGICAL.finding(f"the parameter {name!r}: a name has letters and digits", line)
    if not isinstance(entry, dict):
        yield rules.PARAMETER.finding(f"{name} is a mapping with Type", line)
        return
    kind = entry.get("Type")
    for key in entry.keys() - PARAMETER_KEYS:
        yield rules.PARAMETER.finding(
            f"{name} has no key {key!r}", template.line("Parameters", name, key)
        )
    if not isinstance(kind, str) or not PARAMETER_TYPE.fullmatch(kind):
        yield rules.PARAMETER.finding(
            f"{name}: Type {str(kind)[:60]!r} does not exist; String, Number, List<Number> ...",
            line,
        )
        return
    if any(
        isinstance(entry.get(key), dict | list) for key in ("Default", "AllowedPattern", "NoEcho")
    ):
        yield rules.PARAMETER.finding(f"{name}: a parameter's values are literals", line)
    elif "Default" in entry:
        yield from (
            rules.PARAMETER.finding(f"{name}: {error}", line)
            for error in default_errors(kind, entry)
        )


def default_errors(kind: str, entry: dict[str, Any]) -> Iterator[str]:
    """Says how the default breaks the parameter's own constraints."""
    default = entry["Default"]
    items = [part.strip() for part in str(default).split(",")] if "List" in kind else [str(default)]
    if isinstance(default, bool):
        items = [str(default).lower()]
    if kind in ("Number", "List<Number>") and not all(
        properties.NUMBER.fullmatch(item) for item in items
    ):
        yield f"the default {default!r} is no number"
        return
    # The default names a parameter; what it holds is known to the account alone.
    if kind.startswith("AWS::SSM::"):
        return
    allowed = entry.get("AllowedValues")
    if isinstance(allowed, list):
        texts = {str(item).lower() if isinstance(item, bool) else str(item) for item in allowed}
        if any(item not in texts for item in items):
            yield f"the default {default!r} is not one of the AllowedValues"
    pattern = entry.get("AllowedPattern")
    if isinstance(pattern, str) and len(pattern) < 500 and len(str(default)) < 500:
        compiled = properties.matcher(f"^(?:{pattern})$")
        if compiled is not None and not all(compiled.is_valid(item) for item in items):
            yield f"the default {default!r} does not match the AllowedPattern"
    yield from _limit_errors(kind, entry, items)


def _limit_errors(kind: str, entry: dict[str, Any], items: list[str]) -> Iterator[str]:
    for low, high, size in (("MinLength", "MaxLength", len), ("MinValue", "MaxValue", float)):
        if size is float and kind != "Number":
            continue
        bounds = [
            float(entry[key]) if properties.NUMBER.fullmatch(str(entry.get(key))) else None
            for key in (low, high)
        ]
        for item in items:
            value = float(size(item))
            if (bounds[0] is not None and value < bounds[0]) or (
                bounds[1] is not None and value > bounds[1]
            ):
                yield f"the default {item!r} is outside {low} and {high}"


def mapping_findings(template: Template) -> Iterator[Finding]:
    """Checks the mappings: two levels of keys, literal values."""
    for name, entry in template.section("Mappings").items():
        line = template.line("Mappings", name)
        if name.startswith("Fn::"):
            yield rules.TRANSFORM.finding(f"{name} needs a transform", line)
        elif not isinstance(entry, dict) or not all(
            isinstance(inner, dict) for inner in entry.values()
        ):
            yield rules.MAPPING.finding(f"{name} is a mapping of mappings", line)
        elif any(isinstance(value, dict) for inner in entry.values() for value in inner.values()):
            yield rules.MAPPING.finding(
                f"{name}: values are texts, numbers or lists, no functions", line
            )


def condition_findings(template: Template) -> Iterator[Finding]:
    """Reports conditions that are no condition function."""
    for name, entry in template.conditions.items():
        call = function(entry)
        if call is None or call[0] not in functions.CONDITIONS:
            yield rules.CONDITION.finding(
                f"{name} is one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition",
                template.line("Conditions", name),
            )
        yield from functions.form_findings(template, entry, ("Conditions", name))


def resource_findings(template: Template) -> Iterator[Finding]:
    """Checks the resources: logical id, attributes, type and properties."""
    section = template.fields.get("Resources")
    if not isinstance(section, dict) or not section:
        yield rules.RESOURCES.finding(
            "a template needs at least one entry in Resources", template.line("Resources")
        )
        return
    for name, entry in section.items():
        line = template.line("Resources", name)
        if name.startswith("Fn::"):
            yield rules.TRANSFORM.finding(f"{name} needs a transform", line)
            continue
        if not NAME.fullmatch(name):
            yield rules.LOGICAL.finding(
                f"the resource {name!r}: a logical id has letters and digits", line
            )
        if not isinstance(entry, dict):
            yield rules.TYPE.finding(f"{name} is a mapping with Type", line)
            continue
        yield from attribute_findings(template, name, entry)
        yield from type_findings(template, name, entry)


def attribute_findings(template: Template, name: str, entry: dict[str, Any]) -> Iterator[Finding]:
    """Checks a resource's attributes beside its properties."""
    serverless = {"Connectors", "IgnoreGlobals"} if template.is_serverless else set()
    for key in entry.keys() - ATTRIBUTES - serverless:
        yield rules.ATTRIBUTE.finding(
            f"{name} has no attribute {key!r}: properties stand below Properties",
            template.line("Resources", name, key),
        )
    depends = entry.get("DependsOn", [])
    texts = depends if isinstance(depends, list) else [depends]
    if not all(isinstance(item, str) for item in texts):
        yield rules.TYPE.finding(
            f"{name}: DependsOn is a logical id or a list of them",
            template.line("Resources", name, "DependsOn"),
        )
    if not isinstance(entry.get("Condition", ""), str):
        yield rules.TYPE.finding(
            f"{name}: Condition is the name of a condition",
            template.line("Resources", name, "Condition"),
        )
    for key, values in POLICIES.items():
        value = entry.get(key)
        if key in entry and function(value) is None and value not in values:
            yield rules.VALUE.finding(
                f"{name}: {key} is {', '.join(values)}", template.line("Resources", name, key)
            )
    for key in ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy"):
        yield from functions.form_findings(template, entry.get(key), ("Resources", name, key))


def type_findings(template: Template, name: str, entry: dict[str, Any]) -> Iterator[Finding]:
    """Checks that a resource's type exists and that the properties are its own."""
    kind = entry.get("Type")
    line = template.line("Resources", name, "Type") or template.line("Resources", name)
    written = entry.get("Properties")
    if not isinstance(kind, str):
        yield rules.REQUIRED.finding(f"{name} needs a Type", line)
    elif catalog.is_custom(kind):
        if kind.startswith("Custom::") and not CUSTOM.fullmatch(kind):
            yield rules.UNKNOWN.finding(
                f"{kind}: a custom type has letters, digits, _, @ and -", line
            )
        if not isinstance(written, dict) or "ServiceToken" not in written:
            yield rules.REQUIRED.finding(f"{name}: a custom resource needs ServiceToken", line)
    # Modules of the registry have types that end in ::MODULE: modules.html.
    elif kind.startswith("AWS::") and not kind.endswith("::MODULE"):
        schema = catalog.resource(kind)
        if schema is None:
            yield rules.UNKNOWN.finding(f"{name}: there is no resource type {kind}", line)
        elif kind.startswith("AWS::Serverless::") and not template.is_serverless:
            yield rules.UNKNOWN.finding(f"{name}: {kind} needs Transform: {SERVERLESS}", line)
        elif "shutDown" in schema:
            yield rules.UNKNOWN.finding(
                f"{name}: the service of {kind} was shut down on {schema['shutDown']}", line
            )
        elif "Properties" in entry and not isinstance(written, dict):
            yield rules.TYPE.finding(f"{name}: Properties is a mapping", line)
        else:
            yield from properties.findings(template, name, kind, written)
    elif KIND.fullmatch(kind):
        yield rules.FOREIGN.finding(f"{name}: {kind} is not of AWS, so it is not verified", line)
    else:
        yield rules.UNKNOWN.finding(f"{name}: {kind[:80]!r} is no resource type", line)


def output_findings(template: Template) -> Iterator[Finding]:
    """Checks the outputs: a value that is a text, and known keys."""
    for name, entry in template.section("Outputs").items():
        line = template.line("Outputs", name)
        if name.startswith("Fn::"):
            yield rules.TRANSFORM.finding(f"{name} needs a transform", line)
            continue
        if not NAME.fullmatch(name):
            yield rules.LOGICAL.finding(f"the output {name!r}: a name has letters and digits", line)
        if not isinstance(entry, dict) or "Value" not in entry:
            yield rules.REQUIRED.finding(f"{name} needs a Value", line)
            continue
        for key in entry.keys() - {"Value", "Description", "Export", "Condition"}:
            yield rules.ATTRIBUTE.finding(
                f"{name} has no key {key!r}", template.line("Outputs", name, key)
            )
        yield from functions.form_findings(
            template, {key: entry.get(key) for key in ("Value", "Export")}, ("Outputs", name)
        )
        value, export = entry["Value"], entry.get("Export", {"Name": ""})
        call = function(value)
        if (
            value is None
            or (isinstance(value, dict | list) and call is None)
            or (call and call[0] in functions.LISTS)
        ):
            yield rules.TYPE.finding(
                f"{name}: the value of an output is a text", template.line("Outputs", name, "Value")
            )
        if not isinstance(export, dict) or set(export) != {"Name"}:
            yield rules.TYPE.finding(
                f"{name}: Export is a mapping with Name", template.line("Outputs", name, "Export")
            )
