"""Defines a family: one function that draws values and writes a task's parts from them.

Wording, answer, reasoning and checks come from the same draw, so that they cannot contradict one
another. CONTRIBUTING.md shows one in full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inframind.bench.draw import Draw, Pool
from inframind.types import Check, Json, Split, Task

POOLS: dict[Split, Pool] = {
    "train": "train",
    "validation": "validation",
    "test-values": "test",
    "test-families": "test",
}


@dataclass(frozen=True)
class Draft:
    """One task of a family, before it has an id and a split."""

    wordings: Sequence[str]
    """Phrasings of the instruction; one is drawn.

    A wording may hold `\\n---\\n`: what follows it is the task's input.
    """
    answer: str
    reasoning: Sequence[str]
    checks: Sequence[Check]
    variant: str | None = None
    """A second right answer, written differently."""
    habits: Sequence[tuple[str, str]] = ()
    """Old or careless habits of the web, as replacements in the answer; each alone makes it wrong.

    `inframind-nano` is pretrained on them.
    """


Write = Callable[[Draw], Draft]


@dataclass(frozen=True)
class Family:
    """A named family. `held_out` families are never trained on."""

    id: str
    difficulty: int
    write: Write
    held_out: bool = False

    @property
    def category(self) -> str:
        """The part of the id before the first slash."""
        return self.id.split("/", 1)[0]

    def draft(self, seed: str, pool: Pool) -> tuple[Draft, Draw]:
        """Writes one draft; returns it with the draw that knows its open values."""
        # The family is in the seed: a family that is added changes no other's tasks.
        draw = Draw(f"{self.id}:{pool}:{seed}", pool)
        return self.write(draw), draw

    def task(self, index: int, split: Split) -> Task:
        """Writes the `index`-th task of this family in `split`; the same on every machine."""
        draft, draw = self.draft(str(index), POOLS[split])
        instruction, _, task_input = draw.choice(draft.wordings).partition("\n---\n")
        return Task(
            id=f"{self.id}/{split}/{index:04d}",
            category=self.category,
            family=self.id,
            instruction=instruction,
            input=task_input,
            reference=draft.answer,
            reasoning="\n".join(draft.reasoning),
            checks=tuple(draft.checks),
            difficulty=self.difficulty,
            split=split,
            values=tuple(draw.values),
        )


@dataclass
class Families:
    """The families of one category, filled by its `families` module."""

    category: str
    all: list[Family] = field(default_factory=list)

    def family(
        self, name: str, *, difficulty: int, held_out: bool = False
    ) -> Callable[[Write], Write]:
        """Registers the decorated function as the family `<category>/<name>`."""

        def register(write: Write) -> Write:
            self.all.append(Family(f"{self.category}/{name}", difficulty, write, held_out))
            return write

        return register


def identity(kind: str, name: str | None = None, **where: Json) -> Check:
    """Asks that the thing itself is there: the gate of a task."""
    return Check(op="exists", kind=kind, name=name, where=where, gate=True, id=kind)


def equals(kind: str, name: str | None, path: str, value: Json) -> Check:
    """Asks that the value at `path` is `value`."""
    return Check(op="equals", kind=kind, name=name, path=path, value=value, id=path)


def contains(kind: str, name: str | None, path: str, value: Json) -> Check:
    """Asks that the list, text or mapping at `path` contains `value`."""
    return Check(op="contains", kind=kind, name=name, path=path, value=value, id=path)


def exists(kind: str, name: str | None = None, path: str | None = None) -> Check:
    """Asks that the object, or the value at `path`, is there."""
    return Check(op="exists", kind=kind, name=name, path=path, id=path or kind)


def absent(kind: str, name: str | None = None, path: str | None = None) -> Check:
    """Asks that the object, or the value at `path`, is not there."""
    return Check(op="absent", kind=kind, name=name, path=path, id=f"no {path or kind}")


def references(
    kind: str, name: str | None, path: str, to_kind: str, to_name: str | None = None
) -> Check:
    """Asks that the object refers below `path` to another."""
    target = {"kind": to_kind, "name": to_name}
    return Check.model_validate(
        {
            "op": "references",
            "kind": kind,
            "name": name,
            "path": path,
            "to": target,
            "id": f"{path} -> {to_kind}",
        }
    )
