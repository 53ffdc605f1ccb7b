"""Makes tasks of JSON lines: validated, proven by the verifier, without doubles, in splits."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, ValidationError

from inframind.categories import CATEGORIES
from inframind.datasets.forms import alpaca
from inframind.errors import DataError, SandboxError
from inframind.sandbox.pool import CallFailedError, Pool
from inframind.types import Check, Contract, Finding, Outcome, Split, Task, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks
from inframind.verifier.extract import CLOSE, OPEN, extract
from inframind.verifier.verifier import Verifier

MAX_ROWS, MAX_BYTES, MAX_ERRORS = 20_000, 50_000_000, 20
MIN_ROWS = 2
TEST_SHARE = 0.1
DIFFICULTY = 1
"""Own tasks are not graded: no stage's `max_difficulty` leaves them out."""


class Row(Contract):
    """One line: Alpaca's fields, and optionally the category and the checks."""

    instruction: str = Field(min_length=1, max_length=8_000)
    input: str = Field(default="", max_length=32_000)
    system: str = Field(default="", max_length=8_000)
    """The system message; empty: the one that every task has."""
    output: str = Field(default="", max_length=64_000)
    """A file, or an answer with one fenced file and optionally `<think>`.

    Empty: only reinforcement can use the row; then it needs `category` and `checks`, and nothing
    proves that they can be met.
    """
    category: str | None = None
    """What the file is; null: detected."""
    checks: tuple[Check, ...] = Field(default=(), max_length=64)
    """Without checks they are derived from the output: what of it the instruction states."""


@dataclass
class Reading:
    """The tasks that lines became, and what is to be said of the others."""

    tasks: list[Task] = field(default_factory=list)
    duplicates: int = 0
    derived: int = 0
    """Tasks whose checks were derived."""
    unchecked: int = 0
    """Tasks without any check: validity alone is rewarded, 0.2 at most."""
    errors: list[str] = field(default_factory=list)
    first_field: str = ""

    def refuse(self, number: int, name: str, reason: str) -> None:
        """Notes a row that cannot be used."""
        self.first_field = self.first_field or f"rows.{number}.{name}"
        self.errors.append(f"row {number}, {name}: {reason}")


def read(lines: Iterable[str], verifier: Verifier, workers: int = 2) -> Reading:
    """Reads the tasks of a file, rows counted from 1.

    Raises DataError that lists the first bad rows, each with its field and the reason; then nothing
    of the file is used. Raises SandboxError if the verifier cannot work.
    """
    reading = Reading()
    rows = _distinct(lines, reading)
    _stop_at_errors(reading)
    if len(rows) < MIN_ROWS:
        raise DataError(f"a dataset needs at least {MIN_ROWS} different rows", param="rows")
    answered = {number: row for number, row in rows.items() if row.output}
    requests = [VerifyRequest(text=row.output, category=row.category) for row in answered.values()]
    verdicts = dict(zip(answered, verifier.verify_many(requests), strict=True))
    for number, verdict in verdicts.items():
        _accept(number, verdict, reading)
    _stop_at_errors(reading)
    tasks = [
        _task(row, verdicts[number].category if number in verdicts else row.category)
        for number, row in rows.items()
    ]
    reading.tasks = _checked(tasks, reading, workers)
    proofs = {
        number: _proof(task)
        for number, task in zip(rows, reading.tasks, strict=True)
        if task.reference
    }
    for number, verdict in zip(proofs, verifier.verify_many(list(proofs.values())), strict=True):
        _accept(number, verdict, reading, field_name="checks")
    _stop_at_errors(reading)
    return reading


def _distinct(lines: Iterable[str], reading: Reading) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    seen: set[tuple[str, str, str]] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(rows) >= MAX_ROWS:
            raise DataError(f"a dataset has at most {MAX_ROWS} rows", param="rows")
        row = _row(number, line, reading)
        if row is None:
            continue
        key = (" ".join(row.instruction.split()), " ".join(row.input.split()), row.system)
        if key in seen:
            reading.duplicates += 1
        else:
            seen.add(key)
            rows[number] = row
    return rows


def _row(number: int, line: str, reading: Reading) -> Row | None:
    try:
        row = Row.model_validate(alpaca(_object(line)))
        validate_checks(row.checks)
    except ValidationError as error:
        first = error.errors()[0]
        reading.refuse(number, ".".join(str(part) for part in first["loc"]) or "row", first["msg"])
        return None
    except DataError as error:
        reading.refuse(number, error.param or "checks", str(error))
        return None
    if row.category is not None and row.category not in CATEGORIES:
        reading.refuse(
            number, "category", f"unknown category {row.category!r}; known: {', '.join(CATEGORIES)}"
        )
    if not row.output and not (row.checks and row.category):
        reading.refuse(number, "output", "required, unless the row has `category` and `checks`")
    return row


def _object(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"Invalid JSON: {error}"[:200], param="row") from None
    if not isinstance(data, dict):
        raise DataError("a JSON object is needed", param="row")
    return data


def _accept(number: int, verdict: Verdict, reading: Reading, field_name: str = "output") -> None:
    if verdict.verdict is Outcome.UNSCORABLE:
        reason = verdict.findings[-1]
        if reason.rule == "verifier-unavailable":
            raise SandboxError("the verifier could not judge the rows; try again")
        # A checker that crashes on a row does so every time: trying again would never end.
        reading.refuse(number, field_name, reason.message)
    if verdict.verdict is Outcome.FAIL:
        errors = [
            finding for finding in verdict.findings if finding.severity in ("error", "unsupported")
        ]
        reading.refuse(number, field_name, _reason(errors))


def _reason(errors: Sequence[Finding]) -> str:
    if not errors:
        return "it does not pass"
    line = f" (line {errors[0].line})" if errors[0].line else ""
    return f"{errors[0].message}{line}"


def _stop_at_errors(reading: Reading) -> None:
    if reading.errors:
        more = len(reading.errors) - MAX_ERRORS
        listed = "; ".join(reading.errors[:MAX_ERRORS]) + (f"; and {more} more" if more > 0 else "")
        rows = "1 row" if len(reading.errors) == 1 else f"{len(reading.errors)} rows"
        raise DataError(f"{rows} cannot be used: {listed}", param=reading.first_field)


def _task(row: Row, category: str | None) -> Task:
    whole = f"{row.instruction}\0{row.input}" + (f"\0{row.system}" if row.system else "")
    identity = hashlib.sha256(whole.encode()).hexdigest()[:24]
    thoughts = (
        row.output.partition(CLOSE)[0].partition(OPEN)[2].strip() if CLOSE in row.output else ""
    )
    name = category or ""
    return Task(
        id=f"own/{identity}",
        category=name,
        family=f"own/{name}",
        instruction=row.instruction,
        input=row.input,
        system=row.system,
        reference=extract(row.output).text if row.output else "",
        reasoning=thoughts,
        checks=row.checks,
        difficulty=DIFFICULTY,
        split="train",
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
