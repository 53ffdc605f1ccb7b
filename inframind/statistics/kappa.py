"""Computes the agreement of two raters beyond chance."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from inframind.statistics.intervals import Z95


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa and its 95 % interval."""

    value: float
    low: float
    high: float


def cohens_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Kappa:
    """Computes the agreement of pairs of labels, corrected for chance (Cohen 1960).

    The variance is that of Fleiss, Cohen and Everitt 1969, equation 13. Without pairs, or where
    both raters give one label only, nothing is known: 0 with the interval (-1, 1).
    """
    total = len(pairs)
    cells, rows, columns = (
        Counter(pairs),
        Counter(a for a, _ in pairs),
        Counter(b for _, b in pairs),
    )
    labels = set(rows) | set(columns)
    if total == 0 or len(labels) == 1:
        return Kappa(0.0, -1.0, 1.0)
    p = {cell: count / total for cell, count in cells.items()}
    row, column = ({label: margin[label] / total for label in labels} for margin in (rows, columns))
    observed = sum(p.get((label, label), 0.0) for label in labels)
    expected = sum(row[label] * column[label] for label in labels)
    value = (observed - expected) / (1 - expected)
    # Equation 13's three terms: the diagonal, the rest, and the square that is taken off.
    on = sum(
        p.get((k, k), 0.0) * ((1 - expected) - (row[k] + column[k]) * (1 - observed)) ** 2
        for k in labels
    )
    off = (1 - observed) ** 2 * sum(
        share * (column[a] + row[b]) ** 2 for (a, b), share in p.items() if a != b
    )
    bias = (observed * expected - 2 * expected + observed) ** 2
    spread = Z95 * math.sqrt(max(0.0, on + off - bias) / total) / (1 - expected) ** 2
    return Kappa(value, max(-1.0, value - spread), min(1.0, value + spread))
