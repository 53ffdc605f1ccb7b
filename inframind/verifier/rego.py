"""Evaluates users' own policies as checks, in Rego, by regopy in the worker.

The language: https://www.openpolicyagent.org/docs/policy-language. A policy's input is the
effective configuration: `{"resources": [{"kind", "name", "fields", "line"}], "links": [{"source",
"path", "kind", "name"}]}`, where `source` is an index into `resources`. It holds when `deny` is
empty and, if the policy defines `allow`, `allow` is true. A policy is one module: there is nothing
under `data` but itself.
"""

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from inframind.categories.base import Configuration
from inframind.errors import DataError
from inframind.types import Json

if TYPE_CHECKING:
    import regopy

MAX_POLICY = 50_000
PACKAGE = re.compile(
    r"^[ \t]*package[ \t]+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*(?:#.*)?$", re.MULTILINE
)
# Comments and texts, but not template strings (`$"..."`), whose braces hold expressions.
SILENT = re.compile(r'#[^\n]*|(\$"(?:\\.|[^"\\\n])*"|\$`[^`]*`)|"(?:\\.|[^"\\\n])*"|`[^`]*`')
CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)[ \t]*\(")
DOCUMENT = re.compile(r"(?<![\w.])data(?:\.[A-Za-z_]\w*|\[[^\]]*\])*")
RULES = re.compile(r"^[ \t]*(?:default[ \t]+)?(deny|allow)\b", re.MULTILINE)


def validate(policy: Json, param: str) -> None:
    """Refuses with DataError what can be seen to be no policy without the interpreter.

    A policy is a text with a package and a rule that decides.
    """
    if not isinstance(policy, str) or len(policy) > MAX_POLICY:
        raise DataError(
            f"{param}: rego needs the policy as a text of at most {MAX_POLICY:,} characters",
            param=param,
        )
    if not PACKAGE.search(policy):
        raise DataError(
            f"{param}: the policy names no package: start it with `package main`", param=param
        )
    if not RULES.search(policy):
        raise DataError(f"{param}: the policy defines neither `deny` nor `allow`", param=param)


def denials(policy: str, configuration: Configuration, param: str) -> list[str]:
    """Lists why the configuration does not meet the policy; nothing if it does.

    Raises DataError naming `param` for a policy that does not compile or asks what has no answer
    here, ImportError where regopy is not installed.
    """
    import regopy

    # A new one for each text: rules and input of another must not be in it.
    interpreter = regopy.Interpreter()
    package = PACKAGE.search(policy)
    assert package is not None
    try:
        interpreter.add_module("policy", policy)
    except regopy.RegoError as error:
        raise DataError(
            f"{param}: the policy does not compile: {_first(str(error))}", param=param
        ) from None
    _refuse_unanswerable(policy, package.group(1), interpreter, param)
    rules = set(RULES.findall(policy))
    try:
        resources, links = map(asdict, configuration.resources), map(asdict, configuration.links)
        interpreter.set_input({"resources": list(resources), "links": list(links)})
        denied = _value(interpreter, f"data.{package.group(1)}.deny") if "deny" in rules else []
        allowed = (
            _value(interpreter, f"data.{package.group(1)}.allow") if "allow" in rules else True
        )
    except json.JSONDecodeError as error:
        # regopy 1.5 reads an error of the interpreter as if it were a result.
        return [f"the policy could not be evaluated: {_first(error.doc)}"]
    except (regopy.RegoError, ValueError) as error:
        return [f"the policy could not be evaluated: {_first(str(error))}"]
    return _reasons(denied) or ([] if allowed is True else ["allow is not true"])


def _refuse_unanswerable(
    policy: str, package: str, interpreter: "regopy.Interpreter", param: str
) -> None:
    """Raises DataError for calls and documents that would be undefined for every text.

    In Rego a rule with an undefined part does not fire: such a `deny` would pass everything.
    """
    spoken = SILENT.sub(lambda part: part.group(1) or '""', policy)
    own = f"data.{package}"
    for name in CALL.findall(spoken):
        # rego-cpp knows `http.send` and the like by name, but has no function behind them.
        if not (interpreter.is_builtin(name) or name.startswith(f"{own}.")):
            raise DataError(
                f"{param}: the policy calls {name[:64]}, which does nothing here: "
                "a policy sees the configuration in `input` alone",
                param=param,
            )
    for document in DOCUMENT.findall(spoken):
        if document != own and not document.startswith((f"{own}.", f"{own}[")):
            raise DataError(
                f"{param}: the policy reads {document[:64]}, and there are no documents here: "
                "write the values into the policy",
                param=param,
            )


def _value(interpreter: "regopy.Interpreter", query: str) -> Json:
    """Evaluates a query; None if it is undefined. Raises ValueError."""
    output = interpreter.query(query)
    if not output.ok():
        raise ValueError(str(output))
    return (
        output.results[0].expressions[0]
        if output.results and output.results[0].expressions
        else None
    )


def _reasons(denied: Json) -> list[str]:
    """Lists what `deny` holds.

    It is a set of reasons; before Rego v1, whose syntax was `deny[reason]`, a mapping of reason to
    true.
    """
    if isinstance(denied, dict):
        denied = [reason for reason, holds in denied.items() if holds]
    if isinstance(denied, list):
        return [str(reason) for reason in denied]
    return [str(denied)] if denied else []


def _first(message: str) -> str:
    """Takes the first reason out of regopy's error."""
    reason = re.search(r"\(errormsg \d+:(.*?)\)\s*$", message, re.MULTILINE)
    return (reason.group(1) if reason else message.strip().partition("\n")[0])[:200]
