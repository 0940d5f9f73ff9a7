"""Networks side by side, and how often that is right."""

import json

import numpy as np
import pytest

from nas.confirming import Scores
from nas.confirming.judging import judge
from nas.confirming.simulation import WORLDS, Rates, rates

CASES = tuple(f"case {number}" for number in range(60))
FOLDS = tuple(number % 5 for number in range(60))


def scores(name: str, gain: float, seeds: int = 2) -> Scores:
    levels = np.random.default_rng(0).normal(0.85, 0.05, 60)
    noise = np.random.default_rng(len(name)).normal(0, 0.005, (seeds, 60))
    return Scores(name, levels + gain + noise, CASES, FOLDS)


def test_each_network_is_told_of_by_itself_and_against_each_baseline() -> None:
    judged = judge("all", [scores("finalist", 0.02), scores("other one", 0.0)], [scores("U-Net", 0.0)], resamples=199)
    assert [network.name for network in judged.networks] == ["finalist", "other one", "U-Net"]
    assert [(c.name, c.baseline) for c in judged.comparisons] == [("finalist", "U-Net"), ("other one", "U-Net")]
    assert judged.networks[0].rank_one > 0.95
    assert sum(network.rank_one for network in judged.networks) == pytest.approx(1)
    assert (judged.networks[0].cases, judged.networks[0].seeds) == (60, 2)
    assert judged.sentences[0].startswith("finalist is better than U-Net by 0.0")


def test_one_seed_has_no_deviation_which_json_can_say() -> None:
    judged = judge("all", [scores("finalist", 0.02, 1)], [scores("U-Net", 0.0, 1)], resamples=199)
    document = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert document["networks"][0]["seed_deviation"] is None
    assert document["comparisons"][0]["verdict"] == "better"


def test_a_case_that_one_seed_lacks_counts_with_the_others() -> None:
    network = scores("finalist", 0.0)
    network.values[0, 0] = np.nan
    assert judge("all", [network], [scores("U-Net", 0.0)], resamples=99).networks[0].cases == 60


def test_two_trainings_ask_for_more_seeds() -> None:
    networks = [scores("finalist", 0.0), scores("U-Net", 0.0)]
    networks[0].values[:] += [[0.02], [-0.02]]
    held_out = [Scores(network.name, network.values, network.cases) for network in networks]
    (sentence,) = judge("all", held_out[:1], held_out[1:], resamples=199).sentences
    assert "give more seeds, 4 at least" in sentence


@pytest.mark.parametrize(
    ("false", "named", "right"), [(0.05, 0.8, True), (0.06, 1.0, False), (0.0, 0.7, False), (0.0, float("nan"), True)]
)
def test_what_rates_are_allowed(false: float, named: float, right: bool) -> None:
    assert Rates("a world", false, 10, named).right is right


def test_rates_are_of_studies_with_and_without_a_difference() -> None:
    heard: list[int] = []
    seen = rates("60 cases, 5 folds, 2 seeds", 6, heard.append)
    assert "60 cases, 5 folds, 2 seeds" in WORLDS
    assert heard[-1] == 12
    assert seen.large_enough <= 6
