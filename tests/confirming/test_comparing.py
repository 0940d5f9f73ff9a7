"""What a comparison says, on scores whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from nas.confirming import Scores, Verdict, compare, compare_all, in_words
from nas.confirming.simulation import World, simulate
from nas.errors import InputError


def scores(
    name: str, gain: float = 0.0, *, cases: int = 100, seeds: int = 2, noise: float = 0.01, seed: int = 0
) -> Scores:
    levels = np.random.default_rng(99).normal(0.85, 0.05, cases)
    values = levels + gain + np.random.default_rng(seed).normal(0, noise, (seeds, cases))
    return Scores(name, values, tuple(f"case {n}" for n in range(cases)), tuple(n % 5 for n in range(cases)))


@pytest.mark.parametrize(
    ("gain", "noise", "cases", "verdict", "words"),
    [
        (0.02, 0.01, 100, Verdict.BETTER, "A is better than B by 0.0"),
        (-0.02, 0.01, 100, Verdict.WORSE, "A is worse than B by 0.0"),
        (0.0, 0.005, 200, Verdict.NOT_WORSE, "A is not worse than B by 0.00"),
        (0.0, 0.05, 60, Verdict.UNTOLD, "Whether A is better or worse than B cannot be told"),
    ],
)
def test_the_verdict_and_its_sentence(gain: float, noise: float, cases: int, verdict: Verdict, words: str) -> None:
    found = compare(scores("A", gain, cases=cases, noise=noise, seed=1), scores("B", cases=cases, noise=noise, seed=2))
    assert found.verdict is verdict
    assert in_words(found).startswith(words)


@pytest.mark.parametrize(
    ("luck", "noise", "seeds", "words"),
    [(0, 0.04, 1, "more case"), (0.03, 0.001, 2, "more training"), (0.03, 0.06, 2, "times as many cases and")],
    ids=["cases lack", "trainings lack", "both lack"],
)
def test_what_cannot_be_told_says_what_more_would_tell(luck: float, noise: float, seeds: int, words: str) -> None:
    pair = [scores(name, cases=60, noise=noise, seeds=seeds, seed=seed) for name, seed in (("A", 1), ("B", 2))]
    if seeds == 1:  # one network segmented all cases, so that nothing is known of other trainings
        pair = [replace(network, folds=(0,) * 60) for network in pair]
    pair[0].values[:] += np.random.default_rng(0).normal(0, luck, (seeds, 5))[:, list(pair[0].folds)]
    found = compare(*pair)
    assert found.verdict is Verdict.UNTOLD, in_words(found)
    assert words in in_words(found), in_words(found)


def test_few_cases_are_warned_of() -> None:
    found = compare(scores("A", 0.05, cases=20), scores("B", cases=20, seed=1))
    assert "With 20 cases, fewer than 50" in in_words(found)
    assert "fewer than 50" not in in_words(compare(scores("A"), scores("B", seed=1)))


def test_a_network_against_itself_differs_in_nothing() -> None:
    found = compare(scores("A"), scores("B"))
    assert (found.difference.low, found.difference.high, found.p) == (0.0, 0.0, 1.0)
    assert found.verdict is Verdict.NOT_WORSE
    assert "Nothing differs" in in_words(found)


def test_more_comparisons_want_more_evidence() -> None:
    one = compare_all([scores("A", 0.003, seed=1)], [scores("B", seed=9)])
    many = compare_all([scores(f"A{n}", 0.003, seed=1 + n) for n in range(6)], [scores("B", seed=9)])
    assert many[0].p >= one[0].p
    assert many[0].difference.low < one[0].difference.low


def test_a_baseline_of_one_seed_stands_beside_each_of_the_network_s() -> None:
    found = compare(scores("A", 0.02), scores("published", seeds=1, seed=3))
    assert (found.seeds, found.verdict) == (2, Verdict.BETTER)


def test_cases_where_a_structure_is_absent_are_left_out_of_both() -> None:
    network, baseline = scores("A", 0.02), scores("B", seed=1)
    network.values[:, :10] = np.nan
    assert compare(network, baseline).parts.number_of_cases == 90


def test_cases_of_one_patient_are_one_case() -> None:
    groups = tuple(f"patient {number // 2}" for number in range(100))
    pair = [replace(each, groups=groups, folds=(0,) * 100) for each in (scores("A", 0.02), scores("B", seed=1))]
    assert compare(*pair).parts.number_of_cases == 50


@pytest.mark.parametrize("wrong", ["other cases", "too few"])
def test_what_cannot_be_compared_is_refused(wrong: str) -> None:
    network, baseline = scores("A"), scores("B")
    if wrong == "other cases":
        baseline = replace(baseline, cases=("strange", *baseline.cases[1:]))
        expected = r"A against B: 100 and 100 cases that differ in case 0, strange"
    else:
        baseline.values[:, 1:] = np.nan
        expected = "1 cases have a value of both"
    with pytest.raises(InputError, match=expected):
        compare(network, baseline)


@pytest.mark.parametrize(
    "world", [World(cases=60), World(cases=60, seeds=1), World(cases=60, folds=1)], ids=["2 seeds", "1 seed", "1 fold"]
)
def test_without_a_difference_better_is_rarely_said(world: World) -> None:
    found = simulate(world, 50, resamples=199)
    assert found.better <= 6  # of 50; more has a probability of 1% where the truth is 5%


def test_a_large_difference_is_named() -> None:
    found = simulate(replace(World(cases=60), gain=0.01), 25, resamples=199)
    assert found.large_enough > 10
    assert found.named >= 0.8 * found.large_enough
