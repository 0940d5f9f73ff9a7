"""Intervals, tests and plans against what they must be, and against an independent computation."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nas.confirming import statistics
from nas.confirming.statistics import by_group, cases_to_show, detectable, holm, mean_interval, rank_one, spread


def normal(*shape: int, seed: int = 0, mean: float = 0.0, deviation: float = 1.0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, deviation, shape)


def test_the_interval_of_a_mean_of_many_normal_cases_is_student_s() -> None:
    values = normal(400, mean=5)
    found = mean_interval(values)
    low, high = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize("cases", [8, 60])
def test_the_interval_is_that_of_scipy(cases: int) -> None:
    values = -np.random.default_rng(1).exponential(size=cases)
    found = mean_interval(values, resamples=20_000)
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=0).confidence_interval
    width = expected.high - expected.low
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02 * width)


def test_the_interval_of_a_skewed_mean_reaches_further_to_the_long_tail() -> None:
    found = mean_interval(-np.random.default_rng(0).exponential(size=60))
    assert found.estimate - found.low > found.high - found.estimate


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (math.nan,) * 3), ([0.5], (0.5, math.nan, math.nan)), ([0.5, 0.5, math.nan], (0.5, 0.5, 0.5))],
    ids=["none", "one", "all the same, one undefined"],
)
def test_the_interval_of_too_little(values: list[float], expected: tuple[float, ...]) -> None:
    found = mean_interval(values)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected, nan_ok=True)


def test_the_same_values_give_the_same_interval() -> None:
    assert mean_interval(normal(50)) == mean_interval(normal(50))


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.01, 0.04, 0.03), (0.03, 0.06, 0.06)), ((0.5, 0.6), (1.0, 1.0)), ((0.2,), (0.2,)), ((), ())],
)
def test_holm_corrects_as_published(values: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert holm(values) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_makes_nothing_smaller(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(0 <= before <= after <= 1 for before, after in zip(values, adjusted, strict=True))
    order = sorted(range(len(values)), key=lambda index: values[index])
    assert [adjusted[index] for index in order] == sorted(adjusted)


def trainings(
    luck: float, *, seeds: int, folds: int, cases: int, seed: int
) -> tuple[npt.NDArray[np.float64], list[int]]:
    generator = np.random.default_rng(seed)
    belongs = [number % folds for number in range(cases)]
    return generator.normal(0, luck, (seeds, folds))[:, belongs] + generator.normal(0, 1, (seeds, cases)), belongs


@pytest.mark.parametrize("seeds", [1, 2, 4])
@pytest.mark.parametrize("luck", [0.0, 1.0])
def test_what_trainings_add_is_found_apart_from_what_cases_add(luck: float, seeds: int) -> None:
    found = [spread(*trainings(luck, seeds=seeds, folds=5, cases=100, seed=number)).luck for number in range(60)]
    assert np.mean(found) == pytest.approx(luck**2, abs=0.3)


def test_one_training_alone_tells_nothing_of_others() -> None:
    found = spread(normal(1, 30), [0] * 30)
    assert (found.freedom, found.luck, found.over_trainings(0.95)) == (0, 0.0, 0.0)


def test_more_luck_widens_the_interval_and_the_smallest_difference_alike() -> None:
    little, much = (trainings(luck, seeds=2, folds=5, cases=100, seed=0) for luck in (0.0, 2.0))
    widths = [statistics.difference_interval(*each) for each in (little, much)]
    assert widths[0].high - widths[0].low < widths[1].high - widths[1].low
    assert detectable(spread(*little)) < detectable(spread(*much))


def test_as_many_cases_as_are_asked_for_would_show_the_difference() -> None:
    parts = spread(normal(1, 100), [0] * 100)
    needed = cases_to_show(0.1, parts)
    assert needed == pytest.approx(((1.96 + 0.8416) / 0.1) ** 2 * parts.cases, rel=1e-3)


def test_no_number_of_cases_shows_what_trainings_hide() -> None:
    parts = spread(*trainings(2.0, seeds=2, folds=5, cases=100, seed=0))
    assert cases_to_show(0.05, parts) == math.inf
    assert statistics.trainings_to_show(1.0, parts) < math.inf


def test_the_highest_network_is_first_most_often_and_twins_share() -> None:
    low, high = normal(1, 40, mean=0), normal(1, 40, mean=1)
    shares = rank_one([low, high, high], resamples=500)
    assert shares[0] < 0.01
    assert shares[1:] == (pytest.approx(shares[2]), pytest.approx(0.5, abs=0.01))


@given(st.integers(1, 4), st.integers(2, 12))
def test_cases_of_one_patient_count_once(seeds: int, cases: int) -> None:
    values = normal(seeds, cases)
    doubled = np.repeat(values, 2, axis=1)
    groups = [f"patient {number}" for number in range(cases) for _ in range(2)]
    assert by_group(doubled, groups) == pytest.approx(values)
