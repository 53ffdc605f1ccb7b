"""A module's arguments: short forms made long, checked against the module's spec, and brought to
one form.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inframind.categories.ansible import catalog, rules
from inframind.categories.ansible.catalog import Name
from inframind.categories.ansible.playbook import untagged
from inframind.categories.base import Rule
from inframind.categories.shared.values import listed

PAIR = re.compile(
    r"""\s*([A-Za-z_]\w*)=((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{\{.*?\}\}|[^\s"'{]|\{)*)(?=\s|\Z)""",
    re.DOTALL,
)
COMMAND_OPTIONS = frozenset(
    (
        "chdir",
        "creates",
        "removes",
        "executable",
        "warn",
        "stdin",
        "stdin_add_newline",
        "strip_empty_ends",
    )
)
TRUE, FALSE = (
    frozenset(("true", "yes", "on", "1", "y", "t")),
    frozenset(("false", "no", "off", "0", "n", "f")),
)
SIZE = re.compile(r"\s*\d+(?:\.\d+)?\s*[A-Za-z]*\s*")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one argument."""

    rule: Rule
    option: str
    message: str


class ShortFormError(ValueError):
    """The short form cannot be read."""


def is_template(value: Any) -> bool:
    """Whether the value is known on the host alone."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def long_form(name: Name, value: Any, args: Any) -> dict[str, Any]:
    """The arguments as a mapping; a free command line is `_raw_params`. Raises ShortFormError."""
    extra = args if isinstance(args, dict) else {}
    if isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith("!")):
        return {key: untagged(item) for key, item in (extra | value).items()}
    value = untagged(value)
    if value is None or value == "":
        return dict(extra)
    if not isinstance(value, str | int | float):
        raise ShortFormError("the arguments are a mapping, or `key=value` pairs in a text")
    return extra | _read(name, str(value))


def _read(name: Name, text: str) -> dict[str, Any]:
    """The options of a text."""
    if name.short in catalog.RAW:
        return _command(text)
    if (
        name.collection == catalog.BUILTIN
        and name.short in catalog.ONE_TEXT
        and "=" not in text.split("{{")[0].split(" ")[0]
    ):
        found, rest = (
            text.partition(" ")[0] if "{{" not in text else text,
            text.partition(" ")[2] if "{{" not in text else "",
        )
        return {catalog.ONE_TEXT[name.short]: found} | (_pairs(rest) if rest else {})
    if is_template(text) and text.strip().startswith("{{"):
        return {"*": text}
    return _pairs(text)


def _command(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for match in PAIR.finditer(text):
        if match.group(1) in COMMAND_OPTIONS:
            found[match.group(1)] = _unquoted(match.group(2))
            text = text.replace(match.group().strip(), "", 1)
    return found | ({"_raw_params": text.strip()} if text.strip() else {})


def _pairs(text: str) -> dict[str, Any]:
    found, at = {}, 0
    text = text.strip()
    while at < len(text):
        match = PAIR.match(text, at)
        if match is None:
            raise ShortFormError(
                f"{text[at : at + 60].strip()!r} is not `key=value`: write the arguments as a "
                "mapping"
            )
        found[match.group(1)] = _unquoted(match.group(2))
        at = match.end()
    return found


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def faults(name: Name, given: dict[str, Any]) -> Iterator[Fault]:
    """Everything that is wrong with a known module's arguments."""
    spec = catalog.spec(name)
    is_open = name.full in catalog.OPEN
    if name.short == "meta" and name.collection == catalog.BUILTIN:
        yield from _meta(given)
        return
    raw = {"_raw_params"} if name.short in catalog.RAW else set()
    known = {key: value for key, value in given.items() if key not in raw}
    yield from option_faults(spec, known, "", is_open=is_open, extra=given.keys() & raw)
    if name.full == "ansible.builtin.set_fact":
        if not given.keys() - {"cacheable"}:
            yield Fault(rules.REQUIRED, "", "set_fact sets no variable")
        for key in given:
            if (
                not re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII)
                and not is_template(key)
                and key != "*"
            ):
                yield Fault(
                    rules.VARIABLE,
                    key,
                    f"{key!r} is no variable name: letters, digits and underscores",
                )


def _meta(given: dict[str, Any]) -> Iterator[Fault]:
    action = given.get("free_form")
    if action not in catalog.META and not is_template(action):
        yield Fault(
            rules.CHOICE,
            "",
            f"meta has no action {action!r}; it has {', '.join(sorted(catalog.META))}",
        )


def canonical(spec: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments under their first names; those that stand for nothing (null) are left out."""
    names = first_names(spec)
    return {names.get(key, key): value for key, value in given.items() if value is not None}


def option_faults(
    spec: dict[str, Any],
    given: dict[str, Any],
    where: str,
    *,
    is_open: bool = False,
    extra: Any = (),
) -> Iterator[Fault]:
    """Faults of one mapping of options, nested ones too. `where` is the dotted prefix."""
    args = canonical(spec, given)
    options = spec["options"]
    for key, value in args.items():
        if key in options:
            yield from value_faults(options[key], value, where + key)
        elif not is_open and key != "*" and not key.startswith("_ansible"):
            yield Fault(
                rules.OPTION, where + key, f"there is no option {where + key!r}{_hint(options)}"
            )
    if "*" in args:
        return
    missing = [key for key, entry in options.items() if entry.get("required") and key not in args]
    if missing:
        yield Fault(
            rules.REQUIRED, "", f"{', '.join(where + key for key in missing)} must be given"
        )
    yield from combination_faults(spec, args.keys() | set(extra), args, where)


def first_names(spec: dict[str, Any]) -> dict[str, str]:
    """Alias -> the option's first name."""
    return {
        alias: option
        for option, entry in spec["options"].items()
        for alias in entry.get("aliases", ())
    }


def _hint(options: dict[str, Any]) -> str:
    return (
        f"; there are {', '.join(sorted(options)[:12])}{' ...' if len(options) > 12 else ''}"
        if options
        else ""
    )


def combination_faults(
    spec: dict[str, Any], given: set[str], args: dict[str, Any], where: str
) -> Iterator[Fault]:
    """`mutually_exclusive`, `required_one_of`, `required_together` and `required_if` of a spec."""
    names = first_names(spec)
    for group in _groups(spec.get("mutually_exclusive"), names):
        both = [key for key in group if key in given]
        if len(both) > 1:
            yield Fault(
                rules.COMBINATION, where + both[0], f"{' and '.join(both)} exclude one another"
            )
    # Defaults are there for what is needed, not for what is excluded
    # (ansible.module_utils.common.arg_spec).
    defaults = {
        key: entry["default"] for key, entry in spec["options"].items() if "default" in entry
    }
    args, given = defaults | args, given | defaults.keys()
    for group in _groups(spec.get("required_one_of"), names):
        if not given & set(group):
            yield Fault(rules.COMBINATION, where, f"one of {', '.join(group)} must be given")
    for group in _groups(spec.get("required_together"), names):
        if given & set(group) and not set(group) <= given:
            yield Fault(rules.COMBINATION, where, f"{', '.join(group)} must be given together")
    for condition in spec.get("required_if", ()):
        key, value, needed = condition[:3]
        any_is_enough = len(condition) > 3 and condition[3]
        key = names.get(key, key)
        if key in args and _same(args[key], value):
            absent = [other for other in needed if names.get(other, other) not in given]
            if absent and (not any_is_enough or len(absent) == len(needed)):
                yield Fault(
                    rules.COMBINATION,
                    where + key,
                    f"with {key}: {value}, {', '.join(absent)} must be given",
                )


def _groups(value: Any, names: dict[str, str]) -> list[list[str]]:
    groups = list(value or ())
    groups = [groups] if groups and isinstance(groups[0], str) else groups
    return [[names.get(key, key) for key in group] for group in groups]


def _same(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return boolean(given) is wanted
    return str(given) == str(wanted)


def boolean(value: Any) -> bool | None:
    """Ansible's booleans
    (https://docs.ansible.com/projects/ansible/latest/reference_appendices/YAMLSyntax.html), else
    None.
    """
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    return True if text in TRUE else False if text in FALSE else None


def value_faults(option: dict[str, Any], value: Any, where: str) -> Iterator[Fault]:
    """Type, choices and nested options of one value."""
    value = untagged(value)
    if is_template(value):
        return
    if not fits(option.get("type", "str"), value):
        yield Fault(
            rules.OPTION_TYPE,
            where,
            f"{where}: {str(value)[:60]!r} is not of type {option.get('type', 'str')}",
        )
        return
    items = elements(value) if option.get("type") == "list" else [value]
    kind = option.get("elements") if option.get("type") == "list" else None
    for item in items:
        if kind and not is_template(item) and not fits(kind, untagged(item)):
            yield Fault(
                rules.OPTION_TYPE, where, f"{where}: {str(item)[:60]!r} is not of type {kind}"
            )
        elif (
            not is_template(item) and "choices" in option and not is_choice(option["choices"], item)
        ):
            yield Fault(
                rules.CHOICE,
                where,
                f"{where}: {str(item)[:60]!r} is not one of "
                f"{', '.join(map(str, option['choices']))[:200]}",
            )
        elif isinstance(item, dict) and "options" in option:
            yield from option_faults(option, item, f"{where}.")


def is_choice(choices: list[Any], value: Any) -> bool:
    """Whether the value is one of the choices; `yes` and true are the same."""
    if isinstance(value, dict | list):
        return True
    texts = {str(choice) for choice in choices}
    flag = (
        boolean(value)
        if isinstance(value, bool)
        or str(value).lower() in ("true", "false", "yes", "no", "on", "off")
        else None
    )
    # Modules for Windows take several choices in one text.
    several = isinstance(value, str) and all(part.strip() in texts for part in value.split(","))
    return (
        str(value) in texts
        or several
        or (flag is not None and any(boolean(choice) is flag for choice in choices))
    )


def elements(value: Any) -> list[Any]:
    """A list option's items; a text is split at its commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return listed(value)


def fits(kind: str, value: Any) -> bool:
    """Whether ansible-core would take the value for an option of that type."""
    match kind:
        case "bool":
            return not isinstance(value, dict | list) and boolean(value) is not None
        case "int":
            return (
                isinstance(value, int)
                or (isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*", value) is not None)
                or (
                    isinstance(value, float) and value == int(value)
                    if isinstance(value, float) and abs(value) < 1e300
                    else False
                )
            )
        case "float":
            return isinstance(value, int | float) or (
                isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d*\.?\d+\s*", value) is not None
            )
        case "list":
            return isinstance(value, list | str | int | float)
        case "dict":
            return isinstance(value, dict) or (
                isinstance(value, str) and (value.lstrip().startswith("{") or "=" in value)
            )
        case "bytes" | "bits":
            return isinstance(value, int | float) or (
                isinstance(value, str) and SIZE.fullmatch(value) is not None
            )
        case "str" | "path" | "sid":
            return not isinstance(value, dict | list)
        case _:
            return True


def normal(option: dict[str, Any], value: Any) -> Any:
    """The value as the module sees it: numbers for int options, lists for list options, texts for
    str options.
    """
    value = untagged(value)
    kind = option.get("type", "str")
    if kind == "list" and not is_template(value):
        inner = {"type": option.get("elements", "raw"), "options": option.get("options", {})}
        return [normal(inner, item) for item in elements(value)]
    if is_template(value) or value is None:
        return value
    if kind == "bool":
        return boolean(value)
    if kind == "int" and isinstance(value, str) and len(value) < 20 and fits("int", value):
        return int(value)
    if kind == "dict" and isinstance(value, dict) and option.get("options"):
        return normalised(option, value)
    if kind in ("str", "path") and not isinstance(value, dict | list):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def normalised(spec: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """All arguments under their first names and in their types."""
    return {
        key: normal(spec["options"].get(key, {"type": "raw"}), value)
        for key, value in canonical(spec, given).items()
    }
