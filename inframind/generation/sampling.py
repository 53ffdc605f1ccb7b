"""Samples and stops row by row, so that one batch may mix requests of every kind.

transformers knows both per batch only.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria

from inframind.generation.request import Request, TokenLogprob

MAX_SEED = 2**63
MIN_TEMPERATURE = 0.01
"""vLLM's too. Under it scores overflow, and what is above nothing may be zero in 32 bits."""
LEAST_LOGPROB = -9999.0
"""Stands for minus infinity, which JSON has not; vLLM's too."""
FAILED_TOKEN = -1
"""Stands in the stream of a batch for the token of a row that has failed."""
TAIL_TOKENS = 8
"""Tokens beyond a stop text's length that are looked at: it may begin and end within tokens."""


class FailedRows(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Ends the rows whose scores are no numbers, so that no row beside them notices.

    It comes first: NaN in one row would make a sampler raise for the whole batch. `failed` [B]
    marks the rows.
    """

    def __init__(self, rows: int, closing_token: int, device: str) -> None:
        self.failed = torch.zeros(rows, dtype=torch.bool, device=device)
        self._closing_token = closing_token

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leaves a failed row's scores [B, V] the closing token alone."""
        # NaN and infinity stay what they are in a maximum, and minus infinity, which forbids a
        # token, is one only where every token is forbidden.
        self.failed |= ~torch.isfinite(scores.amax(dim=-1))
        if self.failed.any():
            closed = torch.full_like(scores[0], -torch.inf)
            closed[self._closing_token] = 0.0
            scores = torch.where(self.failed[:, None], closed, scores)
        return scores


class Shown:
    """Hands a batch's tokens to a streamer of transformers, FAILED_TOKEN for failed rows."""

    def __init__(self, streamer: Any, failed_rows: FailedRows) -> None:
        self._streamer, self._failed_rows = streamer, failed_rows

    def put(self, value: torch.Tensor) -> None:
        """Takes the prompts [B, T], or a step's tokens [B]."""
        if value.dim() == 1:
            value = value.masked_fill(self._failed_rows.failed.cpu(), FAILED_TOKEN)
        self._streamer.put(value)

    def end(self) -> None:
        """Passes the end on."""
        self._streamer.end()


class LogprobRecorder(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Notes the log-probabilities of the rows that want them.

    It comes before whatever changes the scores.
    """

    def __init__(self, rows: Sequence[Request]) -> None:
        self._rows = [index for index, row in enumerate(rows) if row.logprobs is not None]
        self._top = [row.logprobs or 0 for row in rows if row.logprobs is not None]
        self._pending: torch.Tensor | None = None
        self._found: list[list[TokenLogprob]] = [[] for _ in self._rows]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores [B, V] as they are."""
        if self._rows:
            self.close(input_ids)
            logprobs = torch.log_softmax(scores[self._rows].float(), dim=-1)
            self._pending = logprobs.clamp(min=LEAST_LOGPROB)
        return scores

    def close(self, ids: torch.Tensor) -> None:
        """Notes what was drawn from the last scores: the last column of `ids` [B, T]."""
        if self._pending is None:
            return
        values, tokens = self._pending.topk(max(1, *self._top), dim=-1)
        for place, row in enumerate(self._rows):
            drawn = int(ids[row, -1])
            likeliest = zip(tokens[place].tolist(), values[place].tolist(), strict=True)
            top = dict(list(likeliest)[: self._top[place]])
            self._found[place].append(TokenLogprob(drawn, float(self._pending[place, drawn]), top))
        self._pending = None

    def of(self, row: int) -> list[TokenLogprob] | None:
        """Returns the log-probabilities of a row's tokens; None for a row that wants none."""
        return self._found[self._rows.index(row)] if row in self._rows else None


class Sampler(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Leaves one token per sampled row, drawn by inverting the cumulative distribution.

    Greedy rows stay as they are. A seeded row draws the same numbers whoever else is in the batch.
    The k-th answer to the same request uses seed + k, as in vLLM.
    """

    def __init__(self, rows: Sequence[Request], device: str) -> None:
        self._rows = [index for index, row in enumerate(rows) if row.temperature > 0]
        sampled = [rows[index] for index in self._rows]
        self._temperature = torch.tensor(
            [max(row.temperature, MIN_TEMPERATURE) for row in sampled], device=device
        )[:, None]
        self._top_p = torch.tensor([row.top_p for row in sampled], device=device)[:, None]
        self._nucleus = any(row.top_p < 1 for row in sampled)
        self._uniform = _uniform(sampled).to(device)
        self._step = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Puts all of a sampled row's scores [B, V] but the drawn token's at minus infinity."""
        if self._rows:
            probabilities = torch.softmax(scores[self._rows] / self._temperature, dim=-1)
            if self._nucleus:
                probabilities = nucleus(probabilities, self._top_p)
            cumulative = probabilities.cumsum(dim=-1)
            total = cumulative[:, -1:]
            # Rounding must not reach the total: beyond it there is no token.
            point = torch.minimum(
                self._uniform[:, self._step, None] * total,
                torch.nextafter(total, torch.zeros_like(total)),
            )
            drawn = torch.searchsorted(cumulative, point, right=True)
            only = torch.full_like(probabilities, -torch.inf).scatter(1, drawn, 0.0)
            scores = scores.index_copy(0, torch.tensor(self._rows, device=scores.device), only)
        self._step += 1
        return scores


def nucleus(probabilities: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Zeroes probabilities [N, V] outside the likeliest tokens that hold `top_p` [N, 1].

    The set is the smallest one (arXiv:1904.09751), of one token at least.
    """
    ordered, order = probabilities.sort(dim=-1, descending=True)
    outside = ordered.cumsum(dim=-1) - ordered >= top_p
    outside[:, 0] = False
    return torch.zeros_like(probabilities).scatter(1, order, ordered.masked_fill(outside, 0.0))


def _uniform(rows: Sequence[Request]) -> torch.Tensor:
    """Draws numbers in [0, 1) [N, longest answer] from the rows' seeds."""
    longest = max((row.max_tokens for row in rows), default=1)
    seen: Counter[Hashable] = Counter()
    drawn = []
    for row in rows:
        generator = torch.Generator()
        if row.seed is None:
            generator.seed()
        else:
            same = (row.prompt, row.model, row.seed)
            generator.manual_seed((row.seed + seen[same]) % MAX_SEED)
            seen[same] += 1
        drawn.append(torch.rand(longest, generator=generator))
    return torch.stack(drawn) if drawn else torch.zeros(0, longest)


class Stopper(StoppingCriteria):  # type: ignore[misc]  # transformers has no types
    """Ends each row at its own limit or stop text, and all when the caller has gone.

    `lengths` [B] are the tokens that each row has.
    """

    def __init__(
        self,
        rows: Sequence[Request],
        prompt_width: int,
        tokenizer: Any,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        # A stop text may lie across tokens, so texts are compared and not ids.
        self.lengths = [row.max_tokens for row in rows]
        self._stops = {index: row.stop for index, row in enumerate(rows) if row.stop}
        self._width, self._tokenizer, self._should_stop = prompt_width, tokenizer, should_stop

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Tells which rows have ended: bool [B]."""
        length_so_far = input_ids.shape[1] - self._width
        for index, stops in list(self._stops.items()):
            tail = max(len(stop) for stop in stops) + TAIL_TOKENS
            text = self._tokenizer.decode(
                input_ids[index, self._width :][-tail:].tolist(), skip_special_tokens=False
            )
            if any(stop in text for stop in stops):
                self.lengths[index] = min(self.lengths[index], length_so_far)
                del self._stops[index]
        if self._should_stop is not None and self._should_stop():
            self.lengths = [min(length, length_so_far) for length in self.lengths]
        return torch.tensor(
            [length_so_far >= length for length in self.lengths], device=input_ids.device
        )
