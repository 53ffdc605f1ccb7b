"""Jenkins' schedules: five fields, `H` for a hashed value, several lines, `TZ=`, `@daily` ...

https://www.jenkins.io/doc/book/pipeline/syntax/#jenkins-cron-syntax
"""

import re

FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    # 0 and 7 are both Sunday.
    ("day of week", 0, 7),
)
NAMES = frozenset("@yearly @annually @monthly @weekly @daily @midnight @hourly".split())
PART = re.compile(r"(?:\*|H(?:\((\d{1,2})-(\d{1,2})\))?|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def cron_error(schedule: str) -> str | None:
    """Explain why a schedule is wrong, or return None."""
    lines = [line.strip() for line in schedule.split("\n")]
    # Each line is a schedule of its own; `TZ=` gives the zone of those below it.
    lines = [line for line in lines if line and not line.startswith(("#", "TZ="))]
    if not lines:
        return "the schedule is empty"
    return next((error for line in lines if (error := _line_error(line))), None)


def _line_error(line: str) -> str | None:
    if line in NAMES:
        return None
    fields = line.split()
    if len(fields) != len(FIELDS):
        return f"{line!r} has {len(fields)} fields; a schedule has 5"
    for field, (what, low, high) in zip(fields, FIELDS, strict=True):
        for part in field.split(","):
            match = PART.fullmatch(part)
            if match is None:
                return (
                    f"{part!r} is not valid for the {what}: numbers, ranges, lists, steps, * and H"
                )
            *ends, step = (int(number) if number else None for number in match.groups())
            numbers = [number for number in ends if number is not None]
            if (
                numbers != sorted(numbers)
                or not all(low <= number <= high for number in numbers)
                or step == 0
            ):
                return f"{part!r} is not valid for the {what}: {low} to {high}"
    return None
