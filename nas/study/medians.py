"""A median of a few values with its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_OUTSIDE = 0.025
"""On each side of an interval, the chance that the true median lies there."""


@dataclass(frozen=True)
class Middle:
    """The median of so many values, and between which of them the true one lies in 95 of 100 cases."""

    median: float
    low: float
    high: float
    count: int


def middle(values: Sequence[float]) -> Middle:
    """The median of values, which may be infinite, and its interval.

    Raises:
        ValueError: there is none.
    """
    if not values:
        raise ValueError("no value, of which there is no median")
    return Middle(median(values), *interval(values), len(values))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the median by the sign test: two of the values, of few all."""
    ordered = sorted(values)
    first, last = fewest_and_most(len(ordered))
    return ordered[max(first - 1, 0)], ordered[min(last, len(ordered) - 1)]


def fewest_and_most(count: int) -> tuple[int, int]:
    """Between how many of so many values lie below the true median in 95 of 100 cases."""
    below = 0.0
    for number in range(count + 1):
        below += math.comb(count, number) / 2**count
        if below > _OUTSIDE:
            return number, count - number
    return 0, count
