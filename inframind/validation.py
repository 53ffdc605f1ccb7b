"""Says what is wrong with an input in the words of whoever sent it.

Pydantic's errors name the branches of a union that it tried, such as `constrained-str`, and list
the complaint of every branch. Here the field is the place in the input, and the complaint is that
of the branch that was meant. Source: https://docs.pydantic.dev/latest/errors/errors/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OF_ANOTHER_KIND = ("_type", "_parsing", "literal_error", "enum", "none_required")
"""The ends of the types of errors which say that a branch was not meant at all."""
KINDS = {
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
}
"""Types of errors whose own words are Python's, not JSON's -> what is needed."""
PREFIXES = ("Value error, ", "Assertion failed, ")


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong with an input."""

    field: str
    """Dotted, as it was sent: `messages.1.content`; empty: the input as a whole."""
    reason: str
    is_unknown: bool = False
    """Whether there is no such field."""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True)
class _Complaint:
    """One error, with its place in the input."""

    kind: str
    message: str
    location: tuple[Any, ...]
    place: tuple[str, ...]
    branch: int | None
    """Where the location leaves the input for the name of a union's branch."""


def first_fault(errors: Sequence[Mapping[str, Any]], sent: Any) -> Fault:
    """Gives the first fault of an input from the errors of its validation; `sent` is the input."""
    complaints = [_complaint(error, sent) for error in errors]
    first = complaints[0]
    if first.branch is None:
        return _fault(first, first.message)
    # Each branch that was tried has its errors in the list, in the order of the union.
    union = first.location[: first.branch]
    same_union = [other for other in complaints if other.location[: first.branch] == union]
    meant = [
        other
        for other in same_union
        if other.place != first.place or not other.kind.endswith(OF_ANOTHER_KIND)
    ]
    if meant:
        return _fault(meant[0], meant[0].message)
    wanted = dict.fromkeys(
        other.message.removeprefix("Input should be ").partition(",")[0] for other in same_union
    )
    return _fault(first, f"Input should be {' or '.join(wanted)}")


def _fault(complaint: _Complaint, reason: str) -> Fault:
    return Fault(".".join(complaint.place), reason, complaint.kind == "extra_forbidden")


def _complaint(error: Mapping[str, Any], sent: Any) -> _Complaint:
    location, kind = tuple(error["loc"]), str(error["type"])
    place: list[str] = []
    branch, here = None, sent
    for index, part in enumerate(location):
        if (isinstance(here, Mapping) and part in here) or (
            isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)
        ):
            here = here[part]
        elif kind == "missing" and index == len(location) - 1:
            # The one field that an error names and the input has not.
            pass
        else:
            # `[key]` stands behind a key that is at fault itself, and is no branch.
            branch = index if branch is None and part != "[key]" else branch
            continue
        place.append(str(part))
    return _Complaint(kind, _message(error, kind), location, tuple(place), branch)


def _message(error: Mapping[str, Any], kind: str) -> str:
    if kind in KINDS:
        return f"Input should be {KINDS[kind]}"
    message = str(error["msg"])
    for prefix in PREFIXES:
        message = message.removeprefix(prefix)
    return message.replace(" after validation", "")
