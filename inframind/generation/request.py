"""The engine's requests and completions. Loads no torch."""

from dataclasses import dataclass, field
from math import inf

from inframind.errors import ConfigError


@dataclass(frozen=True)
class Request:
    """One text to continue."""

    prompt: str | tuple[int, ...]
    """Text or tokens."""
    model: str | None = None
    """Name of a loaded adapter; None or the base model's name: the base model."""
    max_tokens: int = 256
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this probability."""
    seed: int | None = None
    """The k-th of equal requests in one call uses seed + k. None: another answer every time."""
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these."""
    logprobs: int | None = None
    """Log-probabilities of each token and of so many of the likeliest."""

    def __post_init__(self) -> None:
        # Of a value that is no number, or out of its range, a batch would notice in the middle,
        # with other callers' rows beside it. NaN is in no range.
        for name, is_valid, allowed in (
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
            ("temperature", 0 <= self.temperature < inf, "0 or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("logprobs", self.logprobs is None or self.logprobs >= 0, "0 or more"),
        ):
            if not is_valid:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}: it must be {allowed}", param=name
                )


@dataclass(frozen=True)
class TokenLogprob:
    """A token's log-probability before temperature and top_p, and those of the likeliest tokens."""

    token: int
    logprob: float
    top: dict[int, float]


@dataclass
class Completion:
    """An answer of the engine: the text without the closing token or stop text."""

    text: str
    finish_reason: str
    """`stop`: the model or a stop text ended it; `length`: its limit did, or the caller."""
    prompt_tokens: int
    completion_tokens: int
    """With the closing token."""
    tokens: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] | None = None
