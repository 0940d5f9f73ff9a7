"""Medians over seeds, their intervals, and when half of the seeds came near."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.searching.tables.standings import Standing, arrival, equal_after, worth
from nas.searching.tables.volume import volume


def test_a_standing_is_plain_json_whose_nothing_is_null() -> None:
    before = Standing("a", 2, (math.inf, 0.02, 0.01, 0.0))
    assert before.to_json() == {
        "strategy": "a", "trainings": 2, "median": 0.015, "low": 0.0, "high": None, "best_quarter": 0.01,
        "worst_quarter": 0.02, "seeds": 4,
    }  # fmt: skip


def test_half_of_the_seeds_have_come_near() -> None:
    assert arrival("a", {2: 1, 4: 5, 8: 9, 16: 10}, 10).to_json() == {
        "strategy": "a", "trainings": 4, "low": 4, "high": 8,
    }  # fmt: skip
    never = arrival("a", {2: 1}, 10)
    assert (never.low, never.middle, never.high) == (math.inf,) * 3


def test_what_a_part_is_worth_is_compared_seed_by_seed() -> None:
    whole, without = Standing("a", 2, (0.1, 0.2, math.inf)), Standing("a-part", 2, (0.2, 0.1, math.inf))
    assert worth("part", whole, without).differences == pytest.approx((0.1, -0.1, 0.0))
    assert worth("part", whole, without).to_json()["worth"] == 0.0


def test_a_strategy_is_as_good_as_another_from_some_budget_on() -> None:
    standings = [Standing("a", budget, (1 / budget,)) for budget in (1, 2, 4)]
    assert equal_after(standings, Standing("b", 4, (0.5,))) == 2
    assert equal_after(standings, Standing("b", 4, (0.1,))) is None


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], 0.0),
        ([(0.5, 0.5)], 0.25),
        ([(0.0, 0.5), (0.5, 0.0)], 0.75),
        ([(0.0, 0.5), (0.5, 0.0), (0.6, 0.6), (2.0, 0.0)], 0.75),
        ([(0.5,)], 0.5),
        ([(0.0, 0.0, 0.5), (0.5, 0.5, 0.0)], 0.625),
    ],
)
def test_a_volume_is_what_points_leave_of_the_corner(points: list[tuple[float, ...]], expected: float) -> None:
    corner = (1.0,) * (len(points[0]) if points else 2)
    assert volume(points, corner) == pytest.approx(expected)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), max_size=6), st.tuples(*[st.floats(0, 1)] * 3))
def test_no_point_makes_a_volume_smaller(points: list[tuple[float, ...]], more: tuple[float, ...]) -> None:
    assert volume([*points, more], (1.0,) * 3) >= volume(points, (1.0,) * 3) - 1e-12
