"""Value formats that several categories share: image references, cron schedules, durations."""

import re
from collections.abc import Iterable

# https://github.com/distribution/reference: [domain/]path[:tag][@digest]
IMAGE = re.compile(
    r"(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:\d))(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[a-fA-F0-9]{32,})?"
)
CRON_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CRON_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# crontab(5): both 0 and 7 are Sunday.
CRON_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, CRON_MONTHS), (0, 7, CRON_DAYS))
# https://pkg.go.dev/time#ParseDuration, without signs.
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")


VERSIONED = re.compile(r"([A-Za-z][A-Za-z_.:-]*?)(\d{1,4}(?:\.\d{1,4})*)(\D.*)?")
"""A name with a version in it: python3.13, nodejs22.x, m7i.large."""


def newest_known(text: str, names: Iterable[str]) -> str | None:
    """Finds the newest of the names of which the text is a later version; None if it continues no
    series of at least two.

    Such lists grow: a name that comes after their end may have been added since, and is no
    misspelling.
    """
    match = VERSIONED.fullmatch(text)
    if match is None:
        return None
    series: dict[tuple[int, ...], str] = {}
    for name in names:
        other = VERSIONED.fullmatch(name)
        if other and other.group(1, 3) == match.group(1, 3):
            series[_numbers(other.group(2))] = name
    return (
        series[max(series)] if len(series) > 1 and _numbers(match.group(2)) > max(series) else None
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def is_image(text: str) -> bool:
    """Tells whether the text is an image reference."""
    return len(text) <= 4096 and IMAGE.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    """Tells whether the text has Go's duration form, such as `1m30s`."""
    return text == "0" or DURATION.fullmatch(text) is not None


def cron_error(schedule: str, *, macros: bool = True) -> str | None:
    """Says why a text is no five-field cron schedule; None if it is one.

    https://man7.org/linux/man-pages/man5/crontab.5.html
    """
    if macros and schedule in (
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ):
        return None
    fields = schedule.split()
    if len(fields) != 5:
        return f"{schedule!r} has {len(fields)} fields; a schedule has 5"
    for field, (low, high, names) in zip(fields, CRON_FIELDS, strict=True):
        for part in field.split(","):
            if not _cron_part(part.lower(), low, high, list(names)):
                allowed = f"{low} to {high}, ranges, lists and steps"
                return f"{part!r} is not valid in {schedule!r}: {allowed}"
    return None


def _cron_part(part: str, low: int, high: int, names: list[str]) -> bool:
    base, slash, step = part.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    # Kubernetes' parser reads `?` as `*`: https://pkg.go.dev/github.com/robfig/cron
    if base in ("*", "?"):
        return True
    ends = base.split("-")
    numbers = [
        names.index(end) + (1 if low == 1 else 0)
        if end in names
        else int(end)
        if end.isdigit()
        else -1
        for end in ends
    ]
    return (
        len(ends) <= 2
        and all(low <= number <= high for number in numbers)
        and numbers == sorted(numbers)
    )
