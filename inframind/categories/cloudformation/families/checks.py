"""How checks of CloudFormation families are written."""

from inframind.types import Check, Json


def asked(
    kind: str, key: dict[str, Json], given: dict[str, Json] | None = None, *, gate: bool = False
) -> tuple[Check, ...]:
    """There is a resource of the kind with the `key` values, and the same one has each of `given` at its path."""
    short = kind.rpartition("::")[2]
    there = Check(op="exists", kind=kind, where=key, gate=gate, id=short)
    more = (
        Check(op="equals", kind=kind, where=key, path=path, value=value, id=f"{short} {path}")
        for path, value in (given or {}).items()
    )
    return (there, *more)


def holds(kind: str, path: str, value: Json) -> Check:
    """The list at `path` of one of these resources has the element."""
    return Check(
        op="contains", kind=kind, path=path, value=value, id=f"{kind.rpartition('::')[2]} {path}"
    )


def refers(kind: str, path: str, to: str) -> Check:
    """A resource of the kind refers below `path` to one of the kind `to`."""
    return Check.model_validate(
        {
            "op": "references",
            "kind": kind,
            "path": path,
            "to": {"kind": to},
            "id": f"{path} -> {to}",
        }
    )
