"""Builds `data/<provider>-constraints.json.gz`: what the provider's own code accepts, asked of
`terraform validate`.

A schema does not say that `engine` is one of nine words or that `cidr_block` is a CIDR block: that
is code in the provider. So one resource of each type is written with values that no such code
accepts, and its messages are read:

    python -m tools.terraform.constraints write aws probes/ 0
    for folder in probes/0-*; do
      (cd $folder && terraform init && terraform validate -json > result.json)
    done
    python -m tools.terraform.constraints read aws probes/

Arguments that exclude one another hide one another's messages: repeat with rounds 1, 2 and 3, which
leave out what is known to be in the way. Round 4 writes the first word of each enumeration in the
other case: some are read in any. Every line of a probe ends in a comment that says what it probes.
Each probe has its file, because Terraform reads the whole file again for each message. Five minutes
of two cores for AWS.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inframind.categories.terraform.provider import (
    OPTIONAL,
    REQUIRED,
    BlockSchema,
    Provider,
    provider,
)
from tools.data import write
from tools.terraform.constraint_messages import ProviderConstraints, path_in, read_message

CHUNK = 1000
CASE_ROUND = 4
DEPTH = 3
DEEP = ("aws_quicksight", "aws_wafv2")
"""Schemas of many thousand blocks: only their upper levels are probed."""
TEXTS: dict[str, tuple[str, str]] = {
    "word": ("zz-bad", "-987654"),
    "empty": ("", "987654321987"),
    "long": ("a" * 1100, "0"),
}
"""Probe -> the text and the number that it writes everywhere."""


@dataclass(frozen=True)
class Probe:
    """One resource to write."""

    mode: str
    kind: str
    value: str
    """Key of TEXTS."""
    about: str = ""
    """The path whose message matters; empty: all."""
    without: frozenset[str] = frozenset()
    """Optional paths to leave out."""
    bare: bool = False
    """Only what is required."""
    text: str = ""
    """What to write at the path that matters, if not the probe's text."""

    def wants(self, path: str) -> bool:
        if self.about and (path == self.about or self.about.startswith(path + ".")):
            return True
        return not self.bare and path not in self.without


def literal(kind: Any, text: str, number: str) -> str | None:
    """A value of the type, or None if none can be wrong."""
    if kind in ("string", "number", "bool"):
        return {"string": json.dumps(text), "number": number, "bool": "true"}[kind]
    if isinstance(kind, list) and kind[0] in ("list", "set") and kind[1] in ("string", "number"):
        return f"[{literal(kind[1], text, number)}]"
    return None


def needed(kind: Any, text: str, number: str) -> str:
    """A value of the type for a required argument."""
    plain = literal(kind, text, number)
    if plain is not None:
        return plain
    # null has every type.
    if kind == "dynamic":
        return "null"
    members: dict[str, Any] = {}
    if kind[0] == "object":
        members = kind[1]
    elif kind[0] == "nested" and kind[1] == "single":
        members = {name: inner for name, (flags, inner) in kind[2].items() if flags & REQUIRED}
    elif kind[0] != "map" and kind[:2] != ["nested", "map"]:
        return "[]"
    return (
        "{ "
        + ", ".join(f"{name} = {needed(inner, text, number)}" for name, inner in members.items())
        + " }"
    )


def lines(
    probe: Probe,
    schema: BlockSchema,
    tag: str,
    path: str = "",
    depth: int = DEPTH,
    texts: tuple[str, str] | None = None,
) -> Iterator[str]:
    """The body of a probe; each line names what it probes.

    `texts`: a text and a number in place of those of TEXTS.
    """
    text, number = texts or TEXTS[probe.value]
    for name, (flags, _) in schema.attributes.items():
        value = None
        if flags & REQUIRED:
            value = needed(schema.type(name), text, number)
        elif flags & OPTIONAL and path + name != "id" and probe.wants(path + name):
            value = literal(schema.type(name), text, number)
        if probe.text and path + name == probe.about:
            value = literal(schema.type(name), probe.text, number)
        if value is not None:
            yield f"{name} = {value} # {tag} {path}{name}"
    for name, (_, low, _, _) in schema.blocks.items():
        # Terraform's SDK reads `timeouts` by itself: no validator of a resource sees it.
        if name != "timeouts" and (low or (depth > 0 and probe.wants(path + name))):
            for _ in range(max(low, 1)):
                yield f"{name} {{ # {tag} {path}{name}"
                yield from lines(probe, schema.below(name), tag, f"{path}{name}.", depth - 1, texts)
                yield "}"


def first_round(source: Provider) -> list[Probe]:
    """Every resource and data source with every probe text, and with nothing but what is
    required.
    """
    kinds = [(mode, kind) for mode in ("resource", "data") for kind in source.data[mode]]
    full = [Probe(mode, kind, text) for text in TEXTS for mode, kind in kinds]
    return full + [Probe(mode, kind, "word", bare=True) for mode, kind in kinds]


def next_round(constraints: ProviderConstraints) -> list[Probe]:
    """One probe for each argument that others exclude, without those that are known to."""
    return [
        Probe(mode, kind, text, path, frozenset(others))
        for (mode, kind), conflicts in sorted(constraints.conflicts.items())
        for path, others in sorted(conflicts.items())
        for text in ("word", "empty")
    ]


def case_round(recorded: ProviderConstraints) -> list[Probe]:
    """One probe for each enumeration, with its first word in the other case."""
    probes = []
    for (mode, kind), values in sorted(recorded.values.items()):
        for path, constraints in sorted(values.items()):
            words: list[Any] = next(
                (constraint[1] for constraint in constraints if constraint[0] == "in"), []
            )
            text = words[0].swapcase() if words and isinstance(words[0], str) else ""
            if text not in ("", *words):
                probes.append(Probe(mode, kind, "word", path, bare=True, text=text))
    return probes


def write_probes(source: Provider, probes: list[Probe], folder: Path, round_: int) -> None:
    """One folder per CHUNK of probes, with a file for each and all of them as JSON."""
    for start in range(0, len(probes), CHUNK):
        chunk = folder / f"{round_}-{start // CHUNK:04}"
        chunk.mkdir(parents=True, exist_ok=True)
        for index, probe in enumerate(probes[start : start + CHUNK]):
            schema = source.kind(probe.mode, probe.kind)
            depth = 1 if probe.kind.startswith(DEEP) else DEPTH
            body = lines(probe, schema, str(index), depth=depth) if schema else ()
            written = [f'{probe.mode} "{probe.kind}" "r{index}" {{ # {index} ', *body, "}"]
            (chunk / f"{index}.tf").write_text("\n".join(written) + "\n")
        fields = [[p.mode, p.kind, p.value, p.about, p.text] for p in probes[start : start + CHUNK]]
        (chunk / "probes.json").write_text(json.dumps(fields))


def read_probes(folder: Path) -> ProviderConstraints:
    """Everything that the results under the folder say."""
    recorded = ProviderConstraints()
    for result in sorted(folder.glob("*/result.json")):
        probes = json.loads((result.parent / "probes.json").read_text())
        accepted = {index for index, probe in enumerate(probes) if probe[4:] and probe[4]}
        for diagnostic in json.loads(result.read_text())["diagnostics"]:
            place = diagnostic.get("range")
            text = (result.parent / place["filename"]).read_text().split("\n") if place else [""]
            line = place["start"]["line"] if place else 1
            tag, _, path = text[line - 1].rpartition("# ")[2].partition(" ")
            if diagnostic["severity"] == "error" and tag.isdigit():
                mode, kind, value, about = probes[int(tag)][:4]
                message = f"{diagnostic['summary']} {diagnostic.get('detail', '')}"
                if int(tag) in accepted:
                    # It said no of what is written here, or said too little to know.
                    where = path or path_in(message)
                    accepted -= (
                        {int(tag)}
                        if where in ("", about) or about.startswith(f"{where}.")
                        else set()
                    )
                    continue
                read_message(recorded, (mode, kind), path, message, about=about, sent=TEXTS[value])
        for mode, kind, _, about, *_ in (probes[index] for index in sorted(accepted)):
            recorded.ignore_case((mode, kind), about)
    return recorded


def main(command: str, name: str, folder: Path, round_: int = 0) -> None:
    """`write`: the probes of a round. `read`: the data file."""
    source = provider(name)
    if source is None:
        raise SystemExit(f"no schema of {name}: build it first")

    def probes() -> list[Probe]:
        if round_ == 0:
            return first_round(source)
        recorded = read_probes(folder)
        return case_round(recorded) if round_ == CASE_ROUND else next_round(recorded)

    actions: dict[str, Callable[[], None]] = {
        "write": lambda: write_probes(source, probes(), folder, round_),
        "read": lambda: write(
            "terraform", f"{name}-constraints", read_probes(folder).compact(source.data["source"])
        ),
    }
    actions[command]()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 0)
