"""A parsed template: short tags made long, its sections, and where things stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inframind.categories.cloudformation.loops import LoopError, unrolled
from inframind.categories.shared import json_text
from inframind.categories.shared.values import listed
from inframind.categories.shared.yaml import YamlError, line_of, load_all

Path = tuple[str | int, ...]
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in (
        "AccountId",
        "NotificationARNs",
        "NoValue",
        "Partition",
        "Region",
        "StackId",
        "StackName",
        "URLSuffix",
    )
)
FUNCTIONS = frozenset(
    f"Fn::{name}"
    for name in (
        "Base64",
        "Cidr",
        "FindInMap",
        "GetAtt",
        "GetAZs",
        "If",
        "ImportValue",
        "Join",
        "Select",
        "Split",
        "Sub",
        "Transform",
        "And",
        "Equals",
        "Not",
        "Or",
        "Length",
        "ToJsonString",
        "Contains",
        "EachMemberEquals",
        "EachMemberIn",
        "RefAll",
        "ValueOf",
        "ValueOfAll",
    )
) | {"Ref", "Condition"}
SERVERLESS = "AWS::Serverless-2016-10-31"
EXTENSIONS = "AWS::LanguageExtensions"
NO_VALUE = {"Ref": "AWS::NoValue"}
MAX_DEPTH = 100
# `${!Literal}` is no variable: intrinsic-function-reference-sub.html.
VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")


class TemplateError(ValueError):
    """The text is no template; `line` where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Template:
    """A parsed template, its short tags made long and its loops unrolled."""

    text: str
    fields: dict[str, Any]
    is_json: bool

    def section(self, name: str) -> dict[str, Any]:
        """Returns a section's entries; empty if it is not a mapping."""
        value = self.fields.get(name)
        return value if isinstance(value, dict) else {}

    @cached_property
    def transforms(self) -> list[Any]:
        """Macros that rewrite the template before CloudFormation reads it."""
        return listed(self.fields.get("Transform"))

    @property
    def is_serverless(self) -> bool:
        """True for a template of the Serverless Application Model."""
        return SERVERLESS in self.transforms

    @property
    def is_extended(self) -> bool:
        """True if it may use the functions of AWS::LanguageExtensions. Its loops are unrolled."""
        return EXTENSIONS in self.transforms

    def generates(self, name: str) -> bool:
        """Tells whether SAM makes a resource of that name from one of the template
        (`FunctionRole`, `ServerlessRestApi` ...).
        """
        if not self.is_serverless:
            return False
        parents = (
            key
            for key, entry in self.resources.items()
            if str(entry.get("Type")).startswith("AWS::Serverless::")
        )
        return name.startswith(("ServerlessRestApi", "ServerlessHttpApi", *parents))

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources that are mappings."""
        return {
            name: entry
            for name, entry in self.section("Resources").items()
            if isinstance(entry, dict)
        }

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return {
            name: entry
            for name, entry in self.section("Parameters").items()
            if isinstance(entry, dict)
        }

    @cached_property
    def conditions(self) -> dict[str, Any]:
        return self.section("Conditions")

    def line(self, *path: str | int) -> int | None:
        """Looks up the 1-based line of a path; None if it is not found."""
        return self._json_line(path) if self.is_json else line_of(self.text, path)

    def _json_line(self, path: Path) -> int | None:
        # Python's json gives no places: each key is searched behind its parent's.
        offset = 0
        for key in path:
            if isinstance(key, str):
                position = self.text.find(f'"{key}"', offset)
                if position < 0:
                    break
                offset = position
        return self.text.count("\n", 0, offset) + 1 if offset else None


def load(text: str) -> Template:
    """Reads a template, YAML or JSON. Raises TemplateError."""
    is_json = text.lstrip().startswith("{")
    try:
        document = json_text.load(text) if is_json else _yaml(text)
    except json_text.JsonError as error:
        raise TemplateError(str(error), error.line) from None
    except RecursionError:
        raise TemplateError("nested too deep") from None
    if not isinstance(document, dict):
        raise TemplateError("a template is one mapping with Resources")
    if EXTENSIONS in listed(document.get("Transform")):
        try:
            document = unrolled(document)
        except LoopError as error:
            raise TemplateError(str(error)) from None
    return Template(text, document, is_json)


def _yaml(text: str) -> Any:
    try:
        documents = load_all(text)
    except YamlError as error:
        raise TemplateError(str(error), error.line) from None
    if len(documents) != 1:
        raise TemplateError("a template is one document")
    return long_form(documents[0])


def long_form(node: Any, depth: int = 0) -> Any:
    """Makes short tags long: `!Ref x` -> {"Ref": x}, `!GetAtt a.b` -> {"Fn::GetAtt": [a, b]}."""
    if depth > MAX_DEPTH:
        raise TemplateError("nested too deep")
    if isinstance(node, list):
        return [long_form(item, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        key, value = next(iter(node.items()))
        if key.startswith("!"):
            # These two have no `Fn::` in their long form.
            name = key[1:] if key in ("!Ref", "!Condition") else f"Fn::{key[1:]}"
            value = "" if value is None else value
            return {
                name: attribute(long_form(value, depth + 1))
                if name == "Fn::GetAtt"
                else long_form(value, depth + 1)
            }
    return {key: long_form(value, depth + 1) for key, value in node.items()}


def attribute(value: Any) -> Any:
    """Splits `Resource.Attribute` -> [resource, attribute]; a list stays."""
    # Attributes may have dots themselves, such as Endpoint.Address.
    return value.split(".", 1) if isinstance(value, str) and "." in value else value


def function(value: Any) -> tuple[str, Any] | None:
    """Splits an intrinsic function into (name, argument); None if the value is none."""
    if isinstance(value, dict) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in FUNCTIONS or name.startswith("Fn::"):
            return (name, attribute(argument)) if name == "Fn::GetAtt" else (name, argument)
    return None


def substitutions(argument: Any) -> tuple[str, dict[str, Any], list[str]]:
    """Splits `Fn::Sub` into (text, own variables, names of other variables)."""
    text, variables = (argument, {}) if isinstance(argument, str) else ("", {})
    if isinstance(argument, list) and len(argument) == 2:
        text = argument[0] if isinstance(argument[0], str) else ""
        variables = argument[1] if isinstance(argument[1], dict) else {}
    return (
        text,
        variables,
        [name.strip() for name in VARIABLE.findall(text) if name.strip() not in variables],
    )


def walk(value: Any, path: Path = ()) -> Iterator[tuple[str, Any, Path]]:
    """Yields (name, argument, path) of every function in a value, outer ones first."""
    call = function(value)
    if call:
        yield call[0], call[1], path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))
