"""Cohen's kappa against another implementation and hand-made figures."""

from typing import Any

import pytest

from inframind.statistics.kappa import cohens_kappa


def table(*rows: tuple[int, ...]) -> list[tuple[int, int]]:
    return [
        (i, j) for i, row in enumerate(rows) for j, count in enumerate(row) for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("rows", "value", "low", "high"),
    [
        (((53, 5, 2), (11, 14, 5), (1, 6, 3)), 0.4285714, 0.2796949, 0.5774480),
        (((20, 5), (10, 15)), 0.4, 0.1510923, 0.6489077),
        (((18, 2), (4, 16)), 0.7, 0.4797982, 0.9202018),
    ],
)
def test_kappa_and_its_interval_are_those_of_statsmodels(
    rows: Any, value: float, low: float, high: float
) -> None:
    """`statsmodels.stats.inter_rater.cohens_kappa` gives these for the same tables."""
    agreement = cohens_kappa(table(*rows))
    assert (agreement.value, agreement.low, agreement.high) == pytest.approx(
        (value, low, high), abs=1e-6
    )


def test_full_agreement_and_full_disagreement() -> None:
    assert cohens_kappa(table((10, 0), (0, 10))).value == pytest.approx(1.0)
    assert cohens_kappa(table((0, 10), (10, 0))).value == pytest.approx(-1.0)


def test_a_rater_with_one_opinion_is_worth_nothing_however_often_it_is_right() -> None:
    assert cohens_kappa([(True, True)] * 95 + [(True, False)] * 5).value == pytest.approx(0.0)


def test_nothing_is_known_without_contrast() -> None:
    for pairs in ([], [(True, True)] * 9):
        agreement = cohens_kappa(pairs)
        assert (agreement.value, agreement.low, agreement.high) == (0.0, -1.0, 1.0)
