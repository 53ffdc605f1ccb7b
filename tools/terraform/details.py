"""Builds `data/<provider>-details.json.gz`: what else the provider's code asks for, found out with
`terraform validate`.

- Characters that a text may not hold. Names are checked against expressions that messages seldom
  show: so every resource is written with a harmless text everywhere, with one of many odd
  characters, and, where only the second is refused, with each of them.
- Members that a list of objects written as blocks must have: the schema does not say it, so an
  empty block is written of each.

    python -m tools.terraform.details write aws probes/ 0
    for folder in probes/0-*; do
      (cd $folder && terraform init && terraform validate -json > result.json)
    done
    python -m tools.terraform.details write aws probes/ 1    # and the same for probes/1-*
    python -m tools.terraform.details read aws probes/

No `.`, `/` and `:` among the characters: texts of a form, such as `queue.fifo`, `alias/name` and
ARNs, are accepted where a plain text with them is not. Arguments that exclude one another hide one
another's messages: of these the first is probed.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inframind.categories.terraform.constraints import constraints
from inframind.categories.terraform.provider import BlockSchema, Provider, provider
from tools.data import write
from tools.terraform.constraint_messages import path_in
from tools.terraform.constraints import CHUNK, DEEP, DEPTH, Probe, lines

CHARACTERS = " !#=,@+_Aé"
CERTAIN = "!"
"""No alphabet of a name has it: what refuses others and takes it was refused for something else."""
PLAIN = "zzzz"
MEMBERS = ""
"""In place of a text: the probe of members."""
MISSING = re.compile(r'The argument "([a-z0-9_.]+)\.\d+\.([a-z0-9_]+)" is required')


@dataclass
class Details:
    """The refusals and members that the results of all probes show, by resource type."""

    refused: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    """type -> path -> probe texts."""
    members: dict[str, dict[str, list[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """type -> path of a list -> members that its blocks must have."""


def holding(characters: str) -> str:
    """A text with characters in its middle."""
    return f"zz{characters}zz"


def hidden(name: str, kind: str) -> frozenset[str]:
    """Choose paths to leave out, so that no two arguments exclude one another."""
    recorded = constraints(name, "resource", kind)
    left: set[str] = set()
    for relation, path, other in recorded.together if recorded else ():
        others = (
            [other]
            if relation == "conflict"
            else [rival for rival in other if rival != path]
            if relation == "at-most-one"
            else []
        )
        left |= {max(path, rival) for rival in others if not {path, rival} & left}
    return frozenset(left)


def body(name: str, kind: str, schema: BlockSchema, text: str, tag: str) -> Iterator[str]:
    """The inside of a probe."""
    probe = Probe("resource", kind, text, without=hidden(name, kind), bare=text == MEMBERS)
    yield from lines(
        probe, schema, tag, depth=1 if kind.startswith(DEEP) else DEPTH, texts=(text or PLAIN, "1")
    )
    if text == MEMBERS:
        for list_ in schema.attributes:
            if schema.members(list_):
                yield f"{list_} {{ # {tag} {list_}"
                yield "}"


def first_round(source: Provider) -> list[tuple[str, str]]:
    """Every resource type with both texts, and those with lists of objects for their members."""
    kinds = list(source.data["resource"])
    schemas = {kind: source.kind("resource", kind) for kind in kinds}
    with_lists = [
        kind
        for kind, schema in schemas.items()
        if schema and any(map(schema.members, schema.attributes))
    ]
    return [(kind, text) for text in (PLAIN, holding(CHARACTERS)) for kind in kinds] + [
        (kind, MEMBERS) for kind in with_lists
    ]


def next_round(details: Details) -> list[tuple[str, str]]:
    """Each character alone, for the types with an argument that refuses them together and takes a
    plain text.
    """
    odd = holding(CHARACTERS)
    kinds = [
        k
        for k, paths in sorted(details.refused.items())
        if any(odd in t and PLAIN not in t for t in paths.values())
    ]
    return [(kind, holding(character)) for kind in kinds for character in CHARACTERS]


def write_probes(
    name: str, source: Provider, probes: list[tuple[str, str]], folder: Path, round_: int
) -> None:
    """One folder per CHUNK of (type, text), with a file for each and all of them as JSON."""
    for start in range(0, len(probes), CHUNK):
        chunk = folder / f"{round_}-{start // CHUNK:04}"
        chunk.mkdir(parents=True, exist_ok=True)
        for index, (kind, text) in enumerate(probes[start : start + CHUNK]):
            schema = source.kind("resource", kind)
            inside = body(name, kind, schema, text, str(index)) if schema else ()
            written = [f'resource "{kind}" "r{index}" {{ # {index} ', *inside, "}"]
            (chunk / f"{index}.tf").write_text("\n".join(written) + "\n")
        (chunk / "probes.json").write_text(json.dumps(probes[start : start + CHUNK]))


def read_probes(folder: Path) -> Details:
    """Read the results under the folder."""
    details = Details()
    for result in sorted(folder.glob("*/result.json")):
        probes = json.loads((result.parent / "probes.json").read_text())
        for diagnostic in json.loads(result.read_text())["diagnostics"]:
            place = diagnostic.get("range")
            if not place or diagnostic["severity"] != "error":
                continue
            line = (
                (result.parent / place["filename"])
                .read_text()
                .split("\n")[place["start"]["line"] - 1]
            )
            tag, _, path = line.rpartition("# ")[2].partition(" ")
            if tag.isdigit():
                kind, sent = probes[int(tag)]
                _read(
                    details,
                    kind,
                    sent,
                    path,
                    f"{diagnostic['summary']} {diagnostic.get('detail', '')}",
                )
    return details


def _read(details: Details, kind: str, text: str, path: str, message: str) -> None:
    missing = MISSING.search(message)
    # `body` writes only lists at the top as blocks.
    if text == MEMBERS and missing and "." not in missing.group(1):
        details.members[kind][missing.group(1)].append(missing.group(2))
    path = path or path_in(message)
    if text != MEMBERS and path:
        details.refused[kind][path].add(text)


def data_of(details: Details) -> dict[str, str]:
    """type -> JSON of [path -> characters, path -> members]."""
    data = {}
    for kind in sorted(details.refused.keys() | details.members.keys()):
        characters = {
            path: "".join(character for character in CHARACTERS if holding(character) in texts)
            for path, texts in sorted(details.refused[kind].items())
            # What refuses the plain text too asks for a form, not for an alphabet.
            if PLAIN not in texts
        }
        own: list[Any] = [
            {path: refused for path, refused in characters.items() if CERTAIN in refused},
            {path: sorted(set(names)) for path, names in sorted(details.members[kind].items())},
        ]
        if any(own):
            data[kind] = json.dumps(own, separators=(",", ":"))
    return data


def main(command: str, name: str, folder: Path, round_: int = 0) -> None:
    """`write`: the probes of a round. `read`: the data file."""
    source = provider(name)
    if source is None:
        raise SystemExit(f"no schema of {name}: build it first")
    if command == "write":
        write_probes(
            name,
            source,
            next_round(read_probes(folder)) if round_ else first_round(source),
            folder,
            round_,
        )
    else:
        about = {
            "source": f"{source.data['source']}, messages of terraform validate",
            "licence": "MPL-2.0",
        }
        write("terraform", f"{name}-details", {**about, "resource": data_of(read_probes(folder))})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 0)
