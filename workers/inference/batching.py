"""Makes batches of requests: those that come within milliseconds and sample alike, adapters mixed.

Seeded sampling runs alone, for its answer must not depend on who else asks at the moment.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from inframind.errors import EngineError, InfraMindError
from inframind.generation.engine import Completion, Engine, Request

COLLECT_SECONDS, COLLECT_AT_MOST_SECONDS = 0.005, 0.05
"""A batch waits until nobody has come for the first, at most for the second.

Clients that ask at the same time do not arrive at the same time.
"""
MAX_ROWS = 64
MAX_WAITING_ROWS = 256
UNFINISHED = "\ufffd"
"""Stands in a decoded text for a character whose last bytes are still to come."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Piece:
    """Text that a row has grown by."""

    row: int
    text: str
    tokens: int
    """Tokens of the row so far."""
    finish_reason: str | None = None
    """Set in the row's last piece."""


OnText = Callable[[Piece], None]


class BusyError(EngineError):
    """Too many requests wait; try again in a moment."""


class GenerationFailedError(EngineError):
    """Generation failed; try again in a moment."""


@dataclass
class Work:
    """One client's rows; `on_text` is called in the event loop as their texts grow."""

    rows: Sequence[Request]
    answer: "asyncio.Future[list[Completion]]"
    on_text: "OnText | None" = None

    @property
    def kind(self) -> tuple[object, ...] | None:
        """Tells which works may share a batch: those of one kind. None runs alone."""
        first = self.rows[0]
        if first.temperature == 0:
            return (0.0, first.stop)
        # Another batch pads and rounds otherwise: what is seeded must not depend on who else asks.
        return None if first.seed is not None else (first.temperature, first.top_p, first.stop)


class GrowingText:
    """Gives out, of a text that is being generated, what cannot change any more."""

    def __init__(
        self, index: int, row: Request, tokenizer: Any, closing_tokens: Collection[int]
    ) -> None:
        self._index, self._row, self._tokenizer, self._closing = (
            index,
            row,
            tokenizer,
            closing_tokens,
        )
        self._tokens: list[int] = []
        self._given = 0
        self.ended = False
        # A stop text may begin in what is the end now.
        self._held = max((len(stop) for stop in row.stop), default=1) - 1

    def add(self, token: int) -> Piece | None:
        """Takes a further token, and gives the piece that it makes certain."""
        closed = token in self._closing
        if not closed:
            self._tokens.append(token)
        # All tokens again: a character's bytes may be spread over several of them.
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=False)
        cut = min((text.index(stop) for stop in self._row.stop if stop in text), default=None)
        if closed or cut is not None:
            return self._piece(text[:cut], len(text), len(self._tokens) + closed, "stop")
        if len(self._tokens) >= self._row.max_tokens:
            return self._piece(text, len(text), len(self._tokens), "length")
        end = self._given if text.endswith(UNFINISHED) else len(text) - self._held
        return self._piece(text, end, len(self._tokens)) if end > self._given else None

    def _piece(self, text: str, end: int, tokens: int, finish_reason: str | None = None) -> Piece:
        piece = text[self._given : max(end, self._given)]
        self._given += len(piece)
        self.ended = finish_reason is not None
        return Piece(self._index, piece, tokens, finish_reason)


class Streamer:
    """Gives out the texts of a whole batch: a streamer as transformers calls it.

    `put` gets the prompts first, then one token per row at each step.
    """

    def __init__(self, rows: Sequence[Request], engine: Engine, on_text: OnText) -> None:
        self._texts = [
            GrowingText(index, row, engine.tokenizer, engine.closing_tokens)
            for index, row in enumerate(rows)
        ]
        self._on_text = on_text
        self._prompts_came = False

    def put(self, value: Any) -> None:
        """Takes the prompts, or a step's tokens."""
        if not self._prompts_came:
            self._prompts_came = True
            return
        for text, token in zip(self._texts, value.tolist(), strict=True):
            if not text.ended and (piece := text.add(token)):
                self._on_text(piece)

    def end(self) -> None:
        """Does nothing: each row has its own end."""


class Batcher:
    """Calls the engine, alone. Start `serve` as a task; use the rest from the same event loop."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # One thread, for the engine takes one caller at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._waiting: deque[Work] = deque()
        self._came = asyncio.Event()

    async def on_engine(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """Runs a function where nothing else touches the engine."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def submit(self, rows: Sequence[Request], on_text: OnText | None = None) -> Work:
        """Puts rows in line; cancel `answer` to give them up. Raises BusyError."""
        waiting = sum(len(work.rows) for work in self._waiting)
        if waiting + len(rows) > MAX_WAITING_ROWS:
            raise BusyError()
        work = Work(rows, asyncio.get_running_loop().create_future(), on_text)
        self._waiting.append(work)
        self._came.set()
        return work

    async def serve(self) -> None:
        """Runs batches for ever."""
        while True:
            await self._came.wait()
            await self._collect()
            if batch := self._next_batch():
                await self._run(batch)
            if not self._waiting:
                self._came.clear()

    async def _collect(self) -> None:
        deadline = time.monotonic() + COLLECT_AT_MOST_SECONDS
        before = -1
        while before != len(self._waiting) and time.monotonic() < deadline:
            before = len(self._waiting)
            await asyncio.sleep(COLLECT_SECONDS)

    def _next_batch(self) -> list[Work]:
        """Takes the oldest work and those of its kind that fit beside it."""
        batch: list[Work] = []
        others: deque[Work] = deque()
        rows = 0
        for work in self._waiting:
            if work.answer.done():
                continue
            alike = not batch or (work.kind is not None and work.kind == batch[0].kind)
            if alike and (not batch or rows + len(work.rows) <= MAX_ROWS):
                batch.append(work)
                rows += len(work.rows)
            else:
                others.append(work)
        self._waiting = others
        return batch

    async def _run(self, batch: list[Work]) -> None:
        rows = [row for work in batch for row in work.rows]
        streamer = self._streamer(batch, rows) if any(work.on_text for work in batch) else None

        def everybody_left() -> bool:
            # A batch runs as long as one client of it still waits: its rows cannot be taken out.
            return all(work.answer.cancelled() for work in batch)

        try:
            completions = await self.on_engine(self.engine.generate, rows, everybody_left, streamer)
        except (RuntimeError, ValueError, InfraMindError) as error:
            failure = (
                error
                if isinstance(error, InfraMindError)
                else GenerationFailedError(f"generation failed: {type(error).__name__}")
            )
            for work in batch:
                if not work.answer.done():
                    work.answer.set_exception(failure)
            return
        start = 0
        for work in batch:
            if not work.answer.done():
                work.answer.set_result(completions[start : start + len(work.rows)])
            start += len(work.rows)

    def _streamer(self, batch: list[Work], rows: Sequence[Request]) -> Streamer:
        loop = asyncio.get_running_loop()
        owners = [(work, index) for work in batch for index in range(len(work.rows))]

        def on_text(piece: Piece) -> None:
            work, index = owners[piece.row]
            if work.on_text:
                # Called in the engine's thread, and nothing else of asyncio may be called from
                # there.
                loop.call_soon_threadsafe(work.on_text, replace(piece, row=index))

        return Streamer(rows, self.engine, on_text)
