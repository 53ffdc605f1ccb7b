"""Makes batches of requests: those that come within milliseconds and sample alike, adapters mixed.

Seeded sampling runs alone, for its answer must not depend on who else asks at the moment.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from inframind.errors import EngineError, InfraMindError, ModelNotFoundError
from inframind.generation.engine import Completion, Engine, Request
from inframind.generation.sampling import FAILED_TOKEN

log = logging.getLogger(__name__)

COLLECT_SECONDS, COLLECT_AT_MOST_SECONDS = 0.005, 0.05
"""A batch waits until nobody has come for the first, at most for the second.

Clients that ask at the same time do not arrive at the same time.
"""
MAX_ROWS = 64
MAX_WAITING_ROWS = 256
UNFINISHED = "\ufffd"
"""Stands in a decoded text for a character whose last bytes are still to come."""

Answer = TypeVar("Answer")
Outcome = list[Completion] | InfraMindError
"""What becomes of one client's rows."""


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
    has_sent: bool = False
    """Its client has some of the text: it cannot be generated anew."""

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
            # A failed row must not look as if it had ended well.
            if token != FAILED_TOKEN and not text.ended and (piece := text.add(token)):
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
        loop = asyncio.get_running_loop()
        outcomes = await self.on_engine(self._outcomes, batch, loop)
        for work, outcome in zip(batch, outcomes, strict=True):
            if work.answer.done():
                continue
            if isinstance(outcome, InfraMindError):
                work.answer.set_exception(outcome)
            else:
                work.answer.set_result(outcome)

    def _outcomes(self, batch: Sequence[Work], loop: asyncio.AbstractEventLoop) -> list[Outcome]:
        """Answers each work, whatever becomes of those beside it. Runs in the engine's thread."""
        # Looked at here, where nothing unloads an adapter between the look and the batch.
        missing = {
            id(work): _not_loaded(work)
            for work in batch
            if not all(self.engine.has(row.model) for row in work.rows)
        }
        runnable = [work for work in batch if id(work) not in missing]
        answered = zip(map(id, runnable), self._answers(runnable, loop), strict=True)
        outcomes: dict[int, Outcome] = {**missing, **dict(answered)}
        return [outcomes[id(work)] for work in batch]

    def _answers(self, batch: Sequence[Work], loop: asyncio.AbstractEventLoop) -> list[Outcome]:
        """Answers works together, or, where that fails, each alone."""
        if not batch:
            return []
        try:
            return self._together(batch, loop)
        # The boundary to the engine and the libraries below it. What passed here would end `serve`,
        # and everybody would wait for ever.
        except Exception as error:
            log.exception("a batch of %d requests failed", len(batch))
            failure = _failure(error)
        # Here and not above: a traceback at hand keeps the failed batch's tensors in the memory.
        if len(batch) == 1:
            return [failure]
        # Nobody knows whose row it was, or whether they were only too many together.
        return [failure if work.has_sent else self._answers([work], loop)[0] for work in batch]

    def _together(self, batch: Sequence[Work], loop: asyncio.AbstractEventLoop) -> list[Outcome]:
        rows = [row for work in batch for row in work.rows]
        streamer = (
            self._streamer(batch, rows, loop) if any(work.on_text for work in batch) else None
        )

        def everybody_left() -> bool:
            # A batch runs as long as one client of it still waits: its rows cannot be taken out.
            return all(work.answer.cancelled() for work in batch)

        answers = iter(self.engine.generate_each(rows, everybody_left, streamer))
        return [_whole([next(answers) for _ in work.rows]) for work in batch]

    def _streamer(
        self, batch: Sequence[Work], rows: Sequence[Request], loop: asyncio.AbstractEventLoop
    ) -> Streamer:
        owners = [(work, index) for work in batch for index in range(len(work.rows))]

        def on_text(piece: Piece) -> None:
            work, index = owners[piece.row]
            if work.on_text:
                work.has_sent = True
                # Called in the engine's thread, and nothing else of asyncio may be called from
                # there.
                loop.call_soon_threadsafe(work.on_text, replace(piece, row=index))

        return Streamer(rows, self.engine, on_text)


def _not_loaded(work: Work) -> ModelNotFoundError:
    # It was when the request came: somebody has unloaded it while the request waited.
    return ModelNotFoundError(f"the model {work.rows[0].model!r} is not loaded", param="model")


def _whole(answers: Sequence[Completion | InfraMindError]) -> Outcome:
    """Gives one client's completions, or why one of the rows has none."""
    completions = [answer for answer in answers if isinstance(answer, Completion)]
    failure = next((answer for answer in answers if isinstance(answer, InfraMindError)), None)
    return completions if failure is None else failure


def _failure(error: Exception) -> InfraMindError:
    """Translates what the engine or a library below it raised."""
    if isinstance(error, InfraMindError):
        return error
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return GenerationFailedError(
            "the engine's memory is full: ask for fewer answers or tokens at once (`n`,"
            " `max_tokens`), or try again in a moment"
        )
    return GenerationFailedError(
        f"the engine failed ({type(error).__name__}): try again in a moment; the log of the"
        " inference server has the traceback"
    )
