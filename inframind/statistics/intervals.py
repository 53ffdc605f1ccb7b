"""Computes intervals for rates and their differences."""

import math

Z95 = 1.959964


def wilson(passed: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a rate, in [0, 1] (Wilson 1927); (0, 1) without any trial."""
    if total == 0:
        return 0.0, 1.0
    rate = passed / total
    center = rate + z * z / (2 * total)
    spread = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


Rated = tuple[float, tuple[float, float]]
"""A rate and its Wilson interval."""


def newcombe(first: Rated, second: Rated) -> tuple[float, float]:
    """Newcombe's interval of `first` - `second`, independent rates, in [-1, 1] (1998, method 10).

    For two models on the same tasks it is on the safe side: their answers agree more often than by
    chance.
    """
    (rate, (low, high)), (other_rate, (other_low, other_high)) = first, second
    difference = rate - other_rate
    below = math.hypot(rate - low, other_high - other_rate)
    above = math.hypot(high - rate, other_rate - other_low)
    return max(-1.0, difference - below), min(1.0, difference + above)
