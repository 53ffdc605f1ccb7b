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
    r"""\s*([A-Za-z_]\w*)="""
    r"""((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{\{.*?\}\}|[^\s"'{]|\{)*)(?=\s|\Z)""",
    re.DOTALL,
)
# Options that ansible.parsing.splitter.parse_kv takes out of a command line.
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
# BOOLEANS_TRUE and BOOLEANS_FALSE of ansible.module_utils.parsing.convert_bool.
TRUE, FALSE = (
    frozenset(("true", "yes", "on", "1", "y", "t")),
    frozenset(("false", "no", "off", "0", "n", "f")),
)
SIZE = re.compile(r"\s*\d+(?:\.\d+)?\s*[A-Za-z]*\s*")


@dataclass(frozen=True)
class Fault:
    """A fault of one argument."""

    rule: Rule
    option: str
    message: str


class ShortFormError(ValueError):
    """The short form cannot be read."""


def is_template(value: Any) -> bool:
    """Tells whether the value is a template, known on the host alone."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def long_form(name: Name, value: Any, args: Any) -> dict[str, Any]:
    """Reads the arguments to a mapping; a free command line is `_raw_params`.

    Raises ShortFormError.
    """
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
    """Reads the options of a short form. Raises ShortFormError."""
    if name.short in catalog.RAW:
        return _command(text)
    if (
        name.collection == catalog.BUILTIN
        and name.short in catalog.ONE_TEXT
        and "=" not in text.split("{{")[0].split(" ")[0]
    ):
        # A template may hold blanks, so a text with one is taken whole.
        first, _, rest = (text, "", "") if "{{" in text else text.partition(" ")
        return {catalog.ONE_TEXT[name.short]: first} | (_pairs(rest) if rest else {})
    if is_template(text) and text.strip().startswith("{{"):
        return {"*": text}
    return _pairs(text)


def _command(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for match in PAIR.finditer(text):
        if match.group(1) in COMMAND_OPTIONS:
            options[match.group(1)] = _unquoted(match.group(2))
            text = text.replace(match.group().strip(), "", 1)
    return options | ({"_raw_params": text.strip()} if text.strip() else {})


def _pairs(text: str) -> dict[str, Any]:
    options, position = {}, 0
    text = text.strip()
    while position < len(text):
        match = PAIR.match(text, position)
        if match is None:
            rest = text[position : position + 60].strip()
            raise ShortFormError(f"{rest!r} is not `key=value`: write the arguments as a mapping")
        options[match.group(1)] = _unquoted(match.group(2))
        position = match.end()
    return options


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def faults(name: Name, args: dict[str, Any]) -> Iterator[Fault]:
    """Checks a known module's arguments: options, combinations, names of variables."""
    spec = catalog.spec(name)
    is_open = name.full in catalog.OPEN
    # meta has no argument spec: its action is in the short form alone.
    if name.short == "meta" and name.collection == catalog.BUILTIN:
        yield from _meta(args)
        return
    raw = {"_raw_params"} if name.short in catalog.RAW else set()
    checked = {key: value for key, value in args.items() if key not in raw}
    yield from option_faults(spec, checked, "", is_open=is_open, extra=args.keys() & raw)
    if name.full == "ansible.builtin.set_fact":
        if not args.keys() - {"cacheable"}:
            yield Fault(rules.REQUIRED, "", "set_fact sets no variable")
        for key in args:
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


def _meta(args: dict[str, Any]) -> Iterator[Fault]:
    action = args.get("free_form")
    if action not in catalog.META and not is_template(action):
        yield Fault(
            rules.CHOICE,
            "",
            f"meta has no action {action!r}; it has {', '.join(sorted(catalog.META))}",
        )


def canonical(spec: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """Renames aliases to first names; arguments that stand for nothing (null) are left out."""
    names = first_names(spec)
    return {names.get(key, key): value for key, value in args.items() if value is not None}


def option_faults(
    spec: dict[str, Any],
    written: dict[str, Any],
    where: str,
    *,
    is_open: bool = False,
    extra: Any = (),
) -> Iterator[Fault]:
    """Faults of one mapping of options, nested ones too. `where` is the dotted prefix."""
    args = canonical(spec, written)
    options = spec["options"]
    for key, value in args.items():
        if key in options:
            yield from value_faults(options[key], value, where + key)
        # ansible-core hands a module its own settings as `_ansible_check_mode` and the like.
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
    spec: dict[str, Any], present: set[str], args: dict[str, Any], where: str
) -> Iterator[Fault]:
    """Checks `mutually_exclusive`, `required_one_of`, `required_together`, `required_if`."""
    names = first_names(spec)
    for group in _groups(spec.get("mutually_exclusive"), names):
        both = [key for key in group if key in present]
        if len(both) > 1:
            yield Fault(
                rules.COMBINATION, where + both[0], f"{' and '.join(both)} exclude one another"
            )
    # Defaults are there for what is needed, not for what is excluded
    # (ansible.module_utils.common.arg_spec).
    defaults = {
        key: entry["default"] for key, entry in spec["options"].items() if "default" in entry
    }
    args, present = defaults | args, present | defaults.keys()
    for group in _groups(spec.get("required_one_of"), names):
        if not present & set(group):
            yield Fault(rules.COMBINATION, where, f"one of {', '.join(group)} must be given")
    for group in _groups(spec.get("required_together"), names):
        if present & set(group) and not set(group) <= present:
            yield Fault(rules.COMBINATION, where, f"{', '.join(group)} must be given together")
    for condition in spec.get("required_if", ()):
        key, value, needed = condition[:3]
        # (option, value, needed options, whether one is enough): AnsibleModule's required_if.
        any_is_enough = len(condition) > 3 and condition[3]
        key = names.get(key, key)
        if key in args and _same(args[key], value):
            absent = [other for other in needed if names.get(other, other) not in present]
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


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return boolean(value) is wanted
    return str(value) == str(wanted)


def boolean(value: Any) -> bool | None:
    """Reads one of Ansible's booleans; None if the value is none.

    https://docs.ansible.com/projects/ansible/latest/reference_appendices/YAMLSyntax.html
    """
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    return True if text in TRUE else False if text in FALSE else None


def value_faults(option: dict[str, Any], value: Any, where: str) -> Iterator[Fault]:
    """Checks one value: type, choices and nested options."""
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
    """Tells whether the value is one of the choices; `yes` and true are the same."""
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
    """Lists a list option's items; a text is split at its commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return listed(value)


def fits(kind: str, value: Any) -> bool:
    """Tells whether ansible-core would take the value for an option of that type."""
    match kind:
        case "bool":
            return not isinstance(value, dict | list) and boolean(value) is not None
        case "int":
            return (
                isinstance(value, int)
                or (isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*", value) is not None)
                or (isinstance(value, float) and value.is_integer() and abs(value) < 1e300)
            )
        case "float":
            return isinstance(value, int | float) or (
                isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d*\.?\d+\s*", value) is not None
            )
        # check_type_list splits texts at commas and takes a number as a list of one.
        case "list":
            return isinstance(value, list | str | int | float)
        # check_type_dict reads JSON and `key=value` pairs.
        case "dict":
            return isinstance(value, dict) or (
                isinstance(value, str) and (value.lstrip().startswith("{") or "=" in value)
            )
        # human_to_bytes of ansible.module_utils.common.text.formatters: `10`, `1.5G`, `2 MB`.
        case "bytes" | "bits":
            return isinstance(value, int | float) or (
                isinstance(value, str) and SIZE.fullmatch(value) is not None
            )
        case "str" | "path" | "sid":
            return not isinstance(value, dict | list)
        case _:
            return True


def normal(option: dict[str, Any], value: Any) -> Any:
    """Converts a value to what the module sees: numbers for int options, lists for list options,
    texts for str options.
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


def normalised(spec: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """Converts all arguments to their first names and types."""
    return {
        key: normal(spec["options"].get(key, {"type": "raw"}), value)
        for key, value in canonical(spec, args).items()
    }
