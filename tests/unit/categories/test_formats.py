"""Formats that several categories share."""

import pytest

from inframind.categories.shared.formats import newest_known

RUNTIMES = (
    "python3.9",
    "python3.13",
    "nodejs20.x",
    "nodejs22.x",
    "java8.al2",
    "provided.al2",
    "provided.al2023",
)
KINDS = ("m7i.large", "m8i.large", "t4g.micro")


@pytest.mark.parametrize(
    ("value", "known", "newest"),
    [
        ("python3.14", RUNTIMES, "python3.13"),
        ("python4.0", RUNTIMES, "python3.13"),
        ("nodejs24.x", RUNTIMES, "nodejs22.x"),
        ("m9i.large", KINDS, "m8i.large"),
        ("provided.al2027", RUNTIMES, "provided.al2023"),
        ("python3.12", RUNTIMES, None),  # a gap is no end
        ("python3.8", RUNTIMES, None),
        ("pyhton3.14", RUNTIMES, None),
        ("nodejs24.y", RUNTIMES, None),
        ("java21", RUNTIMES, None),  # one version is no series
        ("t5g.micro", KINDS, None),
        ("m9i.huge", KINDS, None),
        ("", RUNTIMES, None),
        ("python" + "9" * 5000, RUNTIMES, None),
    ],
)
def test_a_later_version_of_a_series_is_told_from_a_misspelling(
    value: str, known: tuple[str, ...], newest: str | None
) -> None:
    assert newest_known(value, known) == newest
