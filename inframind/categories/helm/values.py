"""Values while a template is rendered: plain data, what is missing, and what is not known."""

import json
import re
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "\ue000", "\ue001"
"""Marks around what is not known in rendered text: private characters that no file holds."""
HOLE = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")


@dataclass(frozen=True)
class Hole:
    """Stand for a value that only the release knows, held open in the rendered text.

    `block` is the indentation it is printed with, if it is printed as lines.
    """

    source: str
    block: int | None = None

    def text(self) -> str:
        return f"{OPEN}{self.source}{CLOSE}"


@dataclass(frozen=True)
class Missing:
    """Stand for a key that the values do not have."""

    path: str


def truth(value: Any) -> bool | None:
    """Decide a value's truth as Go does; None if it is not known."""
    if isinstance(value, Hole):
        return None
    return not isinstance(value, Missing) and bool(value)


def plain(value: Any) -> Any:
    """Convert a value to data: a hole becomes its text, what is missing null."""
    if isinstance(value, Hole):
        return value.text()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, Missing) else value


def has_unknown(value: Any) -> bool:
    """Tell whether a value is a hole or holds one."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return any(map(has_unknown, value)) if isinstance(value, list) else isinstance(value, Hole)


def text_of(value: Any) -> str:
    """Print a value as Go does."""
    if isinstance(value, Hole):
        return value.text()
    if isinstance(value, Missing) or value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # strconv writes an exponent from 1e21 on.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, dict):
        return (
            # Go prints maps with sorted keys, since Go 1.12.
            "map[" + " ".join(f"{key}:{text_of(item)}" for key, item in sorted(value.items())) + "]"
        )
    if isinstance(value, list):
        return "[" + " ".join(map(text_of, value)) + "]"
    return str(value)


def yaml_of(value: Any, indent: int = 0) -> str:
    """Write plain data as block YAML, as toYaml does."""
    space = " " * indent
    if isinstance(value, dict) and value:
        return "\n".join(
            f"{space}{_scalar(key)}:{_nested(item, indent)}" for key, item in value.items()
        )
    if isinstance(value, list) and value:
        return "\n".join(_item(item, indent) for item in value)
    return space + _scalar(value)


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + yaml_of(value, indent if isinstance(value, list) else indent + 2)
    return " " + _scalar(value)


def _item(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return " " * indent + "- " + yaml_of(value, indent + 2).lstrip(" ")
    return " " * indent + "- " + _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        # YAML 1.1 reads the words below as booleans or null: go-yaml quotes them.
        safe = re.fullmatch(r"[A-Za-z_/][A-Za-z0-9_./-]*", value) and value.lower() not in (
            "true",
            "false",
            "null",
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
        )
        return value if safe or HOLE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, default=str)


def readable(value: Any) -> Any:
    """Write the holes in rendered data as `{{ ... }}` again."""
    if isinstance(value, str):
        return (
            HOLE.sub(lambda match: f"{{{{ {match.group(1)} }}}}", value) if OPEN in value else value
        )
    if isinstance(value, dict):
        return {readable(key): readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value
