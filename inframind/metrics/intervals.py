"""Intervals for rates."""

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
