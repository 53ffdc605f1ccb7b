"""Compose's short forms, read into the long form.

Raises ValueError with the reason where a form is wrong.
"""

import re
from typing import Any

PORT_PART = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
IP = re.compile(r"\[[0-9a-fA-F:.]+\]|\d{1,3}(?:\.\d{1,3}){3}")
ACCESS = frozenset(
    "ro rw z Z cached delegated consistent nocopy shared rshared slave rslave private rprivate "
    "volume-nocopy".split()
)


def has_variable(value: Any) -> bool:
    """Tell whether a text is interpolated, so that only the host knows its final form."""
    # `$$` is a dollar (compose-spec, 12-interpolation.md).
    return isinstance(value, str) and "$" in value.replace("$$", "")


def port(value: Any) -> dict[str, Any]:
    """Read `8080:80/tcp`, `80` or a mapping into {target, published, protocol, host_ip}.

    Raises ValueError if it is no port (compose-spec, 05-services.md, ports).
    """
    if isinstance(value, dict):
        published = {"published": str(value["published"])} if "published" in value else {}
        return {"protocol": "tcp", "mode": "ingress"} | value | published
    text = str(value)
    if has_variable(text):
        return {"target": text, "protocol": "tcp"}
    text, _, protocol = text.partition("/")
    if protocol not in ("", "tcp", "udp", "sctp"):
        raise ValueError(f"{value!r}: the protocol is tcp, udp or sctp")
    host, _, rest = (
        (match.group(), "", text[match.end() + 1 :])
        if (match := IP.match(text))
        else ("", "", text)
    )
    parts = rest.split(":")
    if len(parts) > 2 or not all(_is_range(part) for part in parts if part) or not parts[-1]:
        raise ValueError(
            f"{value!r} is not a port: [HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL], each 1 to 65535"
        )
    target = int(parts[-1]) if parts[-1].isdigit() else parts[-1]
    long: dict[str, Any] = {"target": target, "protocol": protocol or "tcp", "mode": "ingress"}
    if len(parts) == 2 and parts[0]:
        long["published"] = parts[0]
    return long | ({"host_ip": host} if host else {})


def _is_range(part: str) -> bool:
    match = PORT_PART.fullmatch(part)
    if match is None:
        return False
    low, high = int(match.group(1)), int(match.group(2) or match.group(1))
    return 1 <= low <= high <= 65535


def volume(value: Any) -> dict[str, Any]:
    """Read `data:/var/lib:ro` or a mapping into {type, source, target, read_only}.

    Raises ValueError if it is no volume (compose-spec, 05-services.md, volumes).
    """
    if isinstance(value, dict):
        return {"read_only": False} | value
    text = str(value)
    if has_variable(text):
        return _interpolated(text)
    parts = text.split(":")
    if (
        len(parts) > 1
        and len(parts[0]) == 1
        and parts[0].isalpha()
        and parts[1].startswith(("\\", "/"))
    ):
        # The colon of a Windows drive separates nothing.
        parts = [f"{parts[0]}:{parts[1]}", *parts[2:]]
    if len(parts) > 3 or not all(parts):
        raise ValueError(f"{value!r} is not a volume: [SOURCE:]TARGET[:MODE]")
    modes = parts[2].split(",") if len(parts) == 3 else []
    if any(mode not in ACCESS for mode in modes):
        raise ValueError(f"{value!r}: the access mode {parts[2]!r} is unknown; ro or rw")
    target = parts[1] if len(parts) > 1 else parts[0]
    if not target.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", target):
        raise ValueError(f"{value!r}: the path in the container is absolute")
    long: dict[str, Any] = {"type": "volume", "target": target, "read_only": "ro" in modes}
    if len(parts) > 1:
        long["source"] = parts[0]
        # A source that looks like a path is a bind, any other a named volume (05-services.md).
        long["type"] = (
            "bind"
            if parts[0].startswith((".", "/", "~")) or re.match(r"[A-Za-z]:", parts[0])
            else "volume"
        )
    return long


def _interpolated(text: str) -> dict[str, Any]:
    source, _, rest = re.sub(
        r"\$\{[^}]*\}", lambda match: match.group().replace(":", "\0"), text
    ).partition(":")
    target, _, mode = rest.partition(":")
    named = not source.startswith((".", "/", "~", "$"))
    return {
        "type": "volume" if named else "bind",
        "source": source.replace("\0", ":"),
        "target": (target or source).replace("\0", ":"),
        "read_only": mode == "ro",
    }


def mapping(value: Any) -> dict[str, Any]:
    """Read a list of `KEY=value` or a mapping; numbers and booleans become the text they mean."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    pairs = (str(item).partition("=") for item in value or ())
    return {key: text if equals else None for key, equals, text in pairs}


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def depends_on(value: Any) -> dict[str, Any]:
    """Read a list of services or a mapping into {service: {condition}}."""
    if isinstance(value, dict):
        return {
            name: {"condition": "service_started"} | (entry or {}) for name, entry in value.items()
        }
    # The short form waits for the start alone (05-services.md, depends_on).
    return {str(name): {"condition": "service_started"} for name in value or ()}


def named(value: Any) -> dict[str, Any]:
    """Read a list of names or a mapping of names into a mapping."""
    if isinstance(value, dict):
        return {name: entry or {} for name, entry in value.items()}
    return {str(name): {} for name in value or ()}


def sources(value: Any) -> list[dict[str, Any]]:
    """Read the secrets or configs of a service into [{source, ...}]."""
    return [item if isinstance(item, dict) else {"source": str(item)} for item in value or ()]
