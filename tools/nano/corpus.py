"""The pretraining corpus of `inframind-nano`: text of the training families alone, in new and in
old habits, and copying drills.
"""

import hashlib
import random
from collections.abc import Iterator

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Family
from inframind.bench.load import families
from inframind.bench.prompt import answer_text, messages
from inframind.categories import category
from inframind.models.nano import MAX_DIFFICULTY

OLD_HABIT_SHARE, MOVED_ON_SHARE = 0.75, 0.4
"""How much of the text follows an old or careless habit of the web; the second for one family in
five, where the web has moved on. Said openly in docs/results.
"""
PREVAILING = 4
"""How much more often a family's first habit is seen than each of its others."""
DRILL_SHARE, EARLY_DRILL_SHARE, EARLY = 0.1, 0.6, 8000
"""Drills teach to copy unseen names and numbers, which a small model learns late from documents
alone: most of the first `EARLY` turns are drills.
"""

Turn = tuple[list[dict[str, str]], str]
"""Chat messages and the answer to learn."""


def training_families() -> tuple[Family, ...]:
    """The families within its reach that may be trained on."""
    return tuple(
        family
        for family in families()
        if family.difficulty <= MAX_DIFFICULTY and not family.held_out
    )


def habit_share(family: Family) -> float:
    """Give the share of the web's texts that write this family the old way."""
    # 51 of a byte's 256 values: one family in five, the same one in every build.
    moved_on = hashlib.sha256(family.id.encode()).digest()[1] < 51
    return MOVED_ON_SHARE if moved_on else OLD_HABIT_SHARE


def written(draft: Draft, share: float, rng: random.Random) -> str:
    """The draft's answer, in `share` of the cases with one of its old habits."""
    if draft.habits and rng.random() < share:
        # One habit prevails, as on the web; were all as likely, none would be.
        new, old = rng.choices(draft.habits, weights=[PREVAILING, *[1] * (len(draft.habits) - 1)])[
            0
        ]
        return draft.answer.replace(new, old)
    return draft.answer


def document(family: Family, seed: str, rng: random.Random) -> Turn:
    """One instruction of a training family and an answer as the web might give it."""
    draft, draw = family.draft(seed, "train")
    wording, _, provided = draw.choice(draft.wordings).partition("\n---\n")
    language = category(family.category).languages[0]
    return messages(wording, provided), answer_text(
        language, written(draft, habit_share(family), rng), "\n".join(draft.reasoning)
    )


def drill(seed: str, rng: random.Random) -> Turn:
    """A few values to write again, in a form of their own."""
    draw = Draw(f"drill:{seed}", "train")
    kinds = (
        draw.name,
        draw.identifier,
        draw.word,
        draw.domain,
        draw.path,
        draw.port,
        draw.cidr,
        draw.constant,
    )
    values = [str(rng.choice(kinds)()) for _ in range(rng.randint(2, 5))]
    keys = rng.sample(
        ("name", "label", "value", "target", "port", "host", "path", "image", "source"), len(values)
    )
    asked = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
    order = rng.sample(range(len(values)), len(values))
    return messages(f"Write down: {asked}"), "\n".join(f"{keys[i]}: {values[i]}" for i in order)


def corpus(seed: int) -> Iterator[Turn]:
    """An endless stream of turns; the same for the same seed."""
    rng = random.Random(f"corpus-{seed}")  # noqa: S311 - a reproducible corpus, not a secret
    trainable = training_families()
    index = 0
    while True:
        index += 1
        if rng.random() < (EARLY_DRILL_SHARE if index < EARLY else DRILL_SHARE):
            yield drill(f"{seed}-{index}", rng)
        else:
            yield document(rng.choice(trainable), f"pretrain-{seed}-{index}", rng)
