"""Drawing the values of a task. Open values come from pools that the splits share nothing of."""

import hashlib
import random
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Literal, TypeVar

T = TypeVar("T")
Pool = Literal["train", "validation", "test"]

WORDS = files("inframind.bench") / "words"
NOUNS = tuple((WORDS / "nouns.txt").read_text().split())
SUFFIXES = tuple((WORDS / "suffixes.txt").read_text().split())
VOCABULARY = frozenset(
    "60 65 70 75 80 85 90 100 128 256 365 512 1024 take cuda base code core data date demo done "
    "file home java kube like line live make meta mode mute name nano node none note page pipe "
    "repo role rule safe same save size solo time todo tune used wire zero zone".split()
) | frozenset(str(minute) for minute in range(60))
"""Numbers and words that wordings and answers hold anyway: never drawn as open values."""
CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"


def stem(value: str) -> str:
    """Takes a path's last part, a host's first label, a name in whatever spelling."""
    if value.startswith("/"):
        value = value.rpartition("/")[2]
    return value.partition(".example.")[0].lower().replace("_", "-")


def pool_of(value: str) -> Pool:
    """Puts an open value into a split: about 3/5, 1/10 and 3/10 of them.

    It is a fixed function of the value's stem, so that no other split knows a part of it.
    """
    # Of 256: 60.2, 9.8 and 30.1 %. `hash` would differ from process to process.
    number = hashlib.sha256(stem(value).encode()).digest()[0]
    return "train" if number < 154 else "validation" if number < 179 else "test"


class Draw:
    """Draws one task's values. `values` records the open ones in the form that the answer uses."""

    def __init__(self, seed: str, pool: Pool) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a reproducible bench, not a secret
        self._pool: Pool = pool
        self.values: list[str] = []

    def choice(self, options: Sequence[T]) -> T:
        """One of a closed set: vocabulary that all splits share."""
        return self._random.choice(options)

    def integer(self, low: int, high: int) -> int:
        """A small closed number such as a count of replicas."""
        return self._random.randint(low, high)

    def name(self) -> str:
        """A DNS-safe name such as `invoice-api`, `parcel-7f3` or `zuvami`."""
        return self._open(self._make_name)

    def identifier(self) -> str:
        """A name with underscores, for Terraform labels and variables."""
        return self._open(lambda: self._make_name().replace("-", "_"))

    def constant(self) -> str:
        """An identifier in capitals, for build arguments and variables."""
        return self._open(lambda: self._make_name().replace("-", "_").upper())

    def word(self) -> str:
        """A word without separators: made up, or a noun with a number.

        So no common word becomes a held-out value.
        """
        return self._open(
            lambda: (
                self._syllables()
                if self._random.random() < 0.6
                else f"{self._random.choice(NOUNS)}{self._random.randint(2, 9)}"
            )
        )

    def port(self) -> int:
        """Draws an unprivileged port."""
        # System ports end at 1023 (RFC 6335).
        return int(self._open(lambda: str(self._random.randint(1024, 9999))))

    def number(self, low: int, high: int, step: int = 1) -> int:
        """An open number, for sizes and limits with many possible values."""
        return int(self._open(lambda: str(self._random.randrange(low, high + 1, step))))

    def cidr(self, prefix: int = 16) -> str:
        """A private network such as `10.42.0.0/16`."""
        # 10.0.0.0/8 is private (RFC 1918): no answer names a stranger's network.
        tail = "0.0" if prefix == 16 else f"{self._random.randint(1, 250)}.0"
        return self._open(lambda: f"10.{self._random.randint(1, 254)}.{tail}/{prefix}")

    def hexadecimal(self, length: int) -> str:
        """Hexadecimal digits, as in machine image ids."""
        return self._open(
            lambda: "".join(self._random.choice("0123456789abcdef") for _ in range(length))
        )

    def domain(self) -> str:
        """A host name below a reserved example domain."""
        # Nobody can own a name below them (RFC 2606).
        return self._open(
            lambda: f"{self._make_name()}.example.{self._random.choice(('com', 'org', 'net'))}"
        )

    def path(self) -> str:
        """An absolute directory of two parts."""
        roots = ("opt", "srv", "var", "data", "home")
        return self._open(lambda: f"/{self._random.choice(roots)}/{self._make_name()}")

    def _open(self, make: Callable[[], str]) -> str:
        for _ in range(1000):
            value = make()
            if (
                pool_of(value) == self._pool
                and value not in self.values
                and value not in VOCABULARY
            ):
                self.values.append(value)
                return value
        raise AssertionError(f"no {self._pool} value in a thousand draws")

    def _make_name(self) -> str:
        form = self._random.random()
        first = self._random.choice(NOUNS) if form < 0.75 else self._syllables()
        if form < 0.12 or form >= 0.90:
            return (
                f"{first}-{self._random.choice('bcdfhjkmnpqrtvwxz')}{self._random.randint(1, 99)}"
            )
        if form < 0.45:
            return f"{first}-{self._random.choice(SUFFIXES)}"
        if form < 0.75:
            return f"{first}-{self._random.choice(NOUNS)}"
        return first

    def _syllables(self) -> str:
        count = self._random.randint(2, 4)
        return "".join(
            self._random.choice(CONSONANTS) + self._random.choice(VOWELS) for _ in range(count)
        )
