"""Makes tasks of an uploaded file: proven by the verifier, without doubles, in splits."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from inframind.datasets.example import Example, example_of, rendering_of
from inframind.datasets.forms import Sample, sample
from inframind.datasets.lines import lines_of
from inframind.errors import DataError, SandboxError
from inframind.sandbox.pool import CallFailedError, Pool
from inframind.types import (
    Check,
    Finding,
    Outcome,
    Rendering,
    Split,
    Task,
    Verdict,
    VerifyRequest,
)
from inframind.verifier.extract import beside, extract, is_answer
from inframind.verifier.verifier import Verifier

MAX_ROWS, MAX_BYTES, MAX_ERRORS = 20_000, 50_000_000, 20
MAX_COLUMNS, MAX_COLUMN_NAME = 50, 64
"""Ignored columns that are named, and characters of a name: anything may be called so."""
MIN_ROWS = 2
TEST_SHARE = 0.1
DIFFICULTY = 1
"""Own tasks are not graded: no stage's `max_difficulty` leaves them out."""


@dataclass
class Reading:
    """The tasks that rows became, and what is to be said of the others."""

    rendering: Rendering = "fenced"
    tasks: list[Task] = field(default_factory=list)
    duplicates: int = 0
    """Rows that an earlier row says already, answer and all."""
    conflicts: int = 0
    """Rows that ask what an earlier row asks, and answer otherwise: the first is kept."""
    untrained: int = 0
    """Rows of whose answers none is trained on, by their weights, and that have no use else."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Columns that mean nothing here -> rows that have them."""
    derived: int = 0
    """Tasks whose checks were derived."""
    unchecked: int = 0
    """Tasks without any check: validity alone is rewarded, 0.2 at most."""
    errors: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Field and reason -> the rows that cannot be used for it, in the order of the first ones."""

    def refuse(self, number: int, name: str, reason: str) -> None:
        """Notes a row that cannot be used."""
        self.errors.setdefault((name, reason), []).append(number)

    def ignore(self, columns: Sequence[str]) -> None:
        """Counts columns that are passed over."""
        for column in columns:
            # A name may be anything that JSON can write, and has to be shown and stored.
            name = "".join(c if c.isprintable() else "?" for c in column[:MAX_COLUMN_NAME])
            if name in self.ignored or len(self.ignored) < MAX_COLUMNS:
                self.ignored[name] += 1


def read(
    body: bytes, verifier: Verifier, rendering: Rendering | None = None, workers: int = 2
) -> Reading:
    """Reads the tasks of a file, rows counted from 1.

    `rendering` None: conversations as given, Alpaca's rows in the fenced form.

    Raises DataError that lists the first bad rows, each with its field and the reason; then nothing
    of the file is used. Raises SandboxError if the verifier cannot work.
    """
    reading = Reading()
    samples = _samples(body, reading)
    _stop_at_errors(reading)
    # One form for a whole file: serving asks an adapter in one way.
    reading.rendering = rendering_of(samples, rendering)
    examples = _distinct(samples, reading)
    _stop_at_errors(reading)
    if len(examples) < MIN_ROWS:
        raise DataError(_too_few(len(examples), reading), param="rows")
    categories = _prove_answers(examples, verifier, reading)
    _stop_at_errors(reading)
    tasks = [
        _task(example, categories.get(number) or example.category)
        for number, example in examples.items()
    ]
    reading.tasks = _checked(tasks, reading, workers)
    # The file alone once more: checks, derived ones too, must hold of what they came from.
    proofs = {
        number: _proof(task)
        for number, task in zip(examples, reading.tasks, strict=True)
        if task.reference
    }
    for number, verdict in zip(proofs, verifier.verify_many(list(proofs.values())), strict=True):
        _accept(number, verdict, reading, "checks")
    _stop_at_errors(reading)
    return reading


def _samples(body: bytes, reading: Reading) -> dict[int, Sample]:
    samples: dict[int, Sample] = {}
    for num_rows, line in enumerate(lines_of(body)):
        if num_rows >= MAX_ROWS:
            raise DataError(f"a dataset has at most {MAX_ROWS} rows", param="rows")
        try:
            if isinstance(line.data, DataError):
                raise line.data
            samples[line.number] = sample(line.data)
        except DataError as error:
            reading.refuse(line.number, error.param or "row", str(error))
        else:
            reading.ignore(samples[line.number].ignored)
    return samples


def _distinct(samples: dict[int, Sample], reading: Reading) -> dict[int, Example]:
    """Leaves out rows that ask what an earlier one asks, and those that nothing is learned from."""
    examples: dict[int, Example] = {}
    first: dict[tuple[str, ...], Example] = {}
    for number, row in samples.items():
        try:
            example = example_of(row, reading.rendering)
        except ValidationError as error:
            said = error.errors()[0]
            reading.refuse(number, ".".join(map(str, said["loc"])) or "row", said["msg"])
            continue
        except DataError as error:
            reading.refuse(number, error.param or "checks", str(error))
            continue
        if example.is_untrained and not (example.checks and example.category):
            reading.untrained += 1
            continue
        # The first is kept, also among contradictions: a task has one reference.
        earlier = first.setdefault(example.asked, example)
        if earlier is example:
            examples[number] = example
        elif _answers(earlier) == _answers(example):
            reading.duplicates += 1
        else:
            reading.conflicts += 1
    return examples


def _answers(example: Example) -> tuple[object, ...]:
    """Gives all that a row says to its question."""
    return example.output, example.turns, example.category, example.checks


def _too_few(num_rows: int, reading: Reading) -> str:
    left_out = {
        "the same as another": reading.duplicates,
        "with another answer to the same question": reading.conflicts,
        "of weight 0": reading.untrained,
    }
    listed = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    return f"a dataset needs at least {MIN_ROWS} different rows; it has {num_rows}" + (
        f", and {listed}" if listed else ""
    )


def _prove_answers(
    examples: dict[int, Example], verifier: Verifier, reading: Reading
) -> dict[int, str | None]:
    """Verifies every answer that is trained on; gives the categories of the last ones, by row.

    An earlier answer is held to it where it shows a file of a category behind a fence: else it may
    be a question back to the user.
    """
    texts = [
        (number, place, text)
        for number, example in examples.items()
        for place, text in (*example.earlier, (example.place, example.output))
        if text and (text is example.output or is_answer(text))
    ]
    requests = [
        VerifyRequest(text=text, category=examples[number].category) for number, _, text in texts
    ]
    categories: dict[int, str | None] = {}
    for (number, place, text), verdict in zip(texts, verifier.verify_many(requests), strict=True):
        # A snippet of shell in an earlier answer is talk; a file of a category has to be right.
        if verdict.category is None and text is not examples[number].output:
            continue
        categories[number] = verdict.category
        if _accept(number, verdict, reading, place) and reading.rendering == "fenced":
            _refuse_prose(number, place, text, reading)
    return categories


def _refuse_prose(number: int, place: str, text: str, reading: Reading) -> None:
    # "Sure!" and "Hope this helps." stand in most public sets of instructions.
    _, prose = beside(text)
    if prose:
        shown = " ".join(prose.split())
        shown = f"{shown[:60]} ..." if len(shown) > 60 else shown
        reading.refuse(
            number,
            place,
            f"the text beside the fenced file ({shown!r}) has no place in the fenced form: leave "
            "it out, or say `rendering` as_given to train on the answer as it is",
        )


def _accept(number: int, verdict: Verdict, reading: Reading, place: str) -> bool:
    if verdict.verdict is Outcome.UNSCORABLE:
        reason = verdict.findings[-1]
        if reason.rule == "verifier-unavailable":
            raise SandboxError("the verifier could not judge the rows; try again")
        # A checker that crashes on a row does so every time: trying again would never end.
        reading.refuse(number, place, reason.message)
    if verdict.verdict is Outcome.FAIL:
        errors = [
            finding for finding in verdict.findings if finding.severity in ("error", "unsupported")
        ]
        reading.refuse(number, place, _reason(errors))
    return verdict.verdict is Outcome.PASS


def _reason(errors: Sequence[Finding]) -> str:
    if not errors:
        return "it does not pass"
    line = f" (line {errors[0].line})" if errors[0].line else ""
    return f"{errors[0].message}{line}"


def _stop_at_errors(reading: Reading) -> None:
    if not reading.errors:
        return
    listed = [
        f"{_numbered(numbers)}, {name}: {reason}"
        for (name, reason), numbers in list(reading.errors.items())[:MAX_ERRORS]
    ]
    more = len(reading.errors) - MAX_ERRORS
    num_rows = len({number for numbers in reading.errors.values() for number in numbers})
    (name, _), numbers = next(iter(reading.errors.items()))
    raise DataError(
        f"{'1 row' if num_rows == 1 else f'{num_rows} rows'} cannot be used: "
        + "; ".join(listed)
        + (f"; and {more} more reasons" if more > 0 else ""),
        param=f"rows.{numbers[0]}.{name}",
    )


def _numbered(numbers: Sequence[int]) -> str:
    """Names the rows of one reason: a file of the wrong form has it in every row."""
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    shown = ", ".join(map(str, numbers[:3]))
    more = len(numbers) - 3
    return f"rows {shown}" + (f" and {more} more" if more > 0 else "")


def _task(example: Example, category: str | None) -> Task:
    name, is_fenced = category or "", not example.turns
    identity = hashlib.sha256(_question(example).encode()).hexdigest()[:24]
    return Task(
        id=f"own/{identity}",
        category=name,
        family=f"own/{name}",
        instruction=example.instruction,
        input=example.input,
        system=example.system,
        reference=extract(example.output).text if example.output else "",
        reasoning=beside(example.output)[0] if is_fenced else "",
        checks=example.checks,
        difficulty=DIFFICULTY,
        split="train",
        messages=example.turns,
    )


def _question(example: Example) -> str:
    """Writes the question that a task is named by: equal ones are one task."""
    if example.turns:
        return json.dumps(example.asked)
    return f"{example.instruction}\0{example.input}" + (
        f"\0{example.system}" if example.system else ""
    )


def _checked(tasks: Sequence[Task], reading: Reading, workers: int) -> list[Task]:
    """Gives the tasks their checks, derived where a row has none, and their splits.

    The same row always goes to the same split.
    """
    missing = [task for task in tasks if not task.checks]
    payloads = [
        json.dumps(
            {
                "category": task.category,
                "text": task.reference,
                "instruction": f"{task.instruction}\n{task.input}",
            }
        )
        for task in missing
    ]
    pool = Pool("inframind.datasets.derive:derive_json", workers, 2.0)
    try:
        replies = dict(zip((task.id for task in missing), pool.map(payloads), strict=True))
    finally:
        pool.close()
    by_hash = sorted(tasks, key=lambda task: task.id)
    held_out = {task.id for task in by_hash[: max(1, int(len(tasks) * TEST_SHARE))]}
    checked = []
    for task in tasks:
        checks = task.checks or _derived(replies[task.id])
        reading.derived += bool(checks) and not task.checks
        reading.unchecked += not checks
        split: Split = "test-values" if task.id in held_out else "train"
        checked.append(task.model_copy(update={"checks": checks, "split": split}))
    return checked


def _derived(reply: str | CallFailedError | SandboxError) -> tuple[Check, ...]:
    if isinstance(reply, SandboxError):
        raise reply
    return (
        ()
        if isinstance(reply, CallFailedError)
        else tuple(Check.model_validate(check) for check in json.loads(reply))
    )


def _proof(task: Task) -> VerifyRequest:
    return VerifyRequest(
        text=task.reference, category=task.category, checks=task.checks, format="file"
    )
