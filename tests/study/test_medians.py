"""Medians of a few values, and their intervals."""

import math

import pytest

from nas.study.medians import Middle, fewest_and_most, interval, middle


@pytest.mark.parametrize(("count", "bounds"), [(1, (0, 1)), (5, (0, 5)), (6, (1, 5)), (10, (2, 8)), (50, (18, 32))])
def test_the_sign_test_says_which_values_bound_the_median(count: int, bounds: tuple[int, int]) -> None:
    assert fewest_and_most(count) == bounds


def test_the_interval_of_a_median_is_two_of_the_values() -> None:
    assert interval([float(number) for number in range(10)]) == (1.0, 8.0)
    assert middle([3.0]) == Middle(3.0, 3.0, 3.0, 1)
    assert middle([0.0, 1.0, math.inf]) == Middle(1.0, 0.0, math.inf, 3)
    with pytest.raises(ValueError, match="no value"):
        middle([])
