"""What is summed up to tables, and what Optuna's own estimator says of the same values."""

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

from nas.searching.strategies.parzen import STARTUP, Suggestions, table
from nas.searching.strategies.seen_by_optuna import new_study
from nas.study.objective import DICE, read_objectives

NAMES = CategoricalDistribution(("a", "b", None))
SMALL = IntDistribution(1, 6)
MAGNITUDES = IntDistribution(8, 64, log=True)
GENERATOR = Random(0)


def drawn(distribution: BaseDistribution, count: int) -> list[Any]:
    if isinstance(distribution, IntDistribution):
        return [GENERATOR.randint(distribution.low, distribution.high) for _ in range(count)]
    return GENERATOR.choices(NAMES.choices, weights=[5, 1, 2], k=count)


def as_optuna_says(seen: Sequence[Any], distribution: BaseDistribution, *, evenly: bool) -> np.ndarray:
    inside = np.asarray([distribution.to_internal_repr(value) for value in seen], float)
    parameters = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    weights = np.ones(len(seen)) if evenly else None
    estimator = _ParzenEstimator({"x": inside}, {"x": distribution}, parameters, weights)
    every = (
        np.arange(distribution.low, distribution.high + 1.0)
        if isinstance(distribution, IntDistribution)
        else np.arange(float(len(NAMES.choices)))
    )
    return np.exp(estimator.log_pdf({"x": every}))


@pytest.mark.parametrize("evenly", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 25, 60])
@pytest.mark.parametrize("distribution", [NAMES, SMALL, MAGNITUDES], ids=["names", "small", "magnitudes"])
def test_a_table_holds_the_probabilities_of_optunas_mixture(
    distribution: BaseDistribution, count: int, evenly: bool
) -> None:
    seen = drawn(distribution, count)
    probabilities = table(seen, distribution, evenly=evenly)
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities == pytest.approx(as_optuna_says(seen, distribution, evenly=evenly), rel=1e-9)


def told(study: optuna.Study, trials: int) -> optuna.Study:
    """A study in which `b` and few of `few` do well; `few` stands beside `a` and `b` alone."""
    chance = Random(1)
    for _ in range(trials):
        name = chance.choice(("a", "b", "c"))
        parameters: dict[str, Any] = {"kind": name, "rate": chance.uniform(0.1, 1)}
        distributions: dict[str, BaseDistribution] = {
            "kind": CategoricalDistribution(("a", "b", "c")),
            "rate": optuna.distributions.FloatDistribution(0.1, 1),
        }
        if name != "c":
            parameters["few"] = chance.randint(1, 6)
            distributions["few"] = SMALL
        value = (name == "b") - parameters.get("few", 3) / 10
        study.add_trial(
            optuna.trial.create_trial(
                params=parameters, distributions=distributions, values=[value] * len(study.directions)
            )
        )
    return study


def suggestions(study: optuna.Study, seed: int) -> Suggestions:
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
    number = study.ask().number
    trial = study.get_trials(deepcopy=False)[number]
    shared = optuna.search_space.intersection_search_space(study.get_trials(deepcopy=False))
    return Suggestions(study, sampler, trial, shared, Random(seed))


@pytest.mark.parametrize("trials", [0, STARTUP - 1, STARTUP, 40])
def test_what_all_trials_share_is_what_optuna_suggests(trials: int) -> None:
    study = told(new_study(DICE), trials)
    for seed in range(3):
        ours = suggestions(study, seed)
        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
        theirs = study.ask()
        for asked in (ours, theirs):
            asked.suggest_categorical("kind", ("a", "b", "c"))
        if trials >= STARTUP:
            assert ours.suggest_float("rate", 0.1, 1, log=False) == theirs.suggest_float("rate", 0.1, 1)


@pytest.mark.parametrize("goals", ["dice", "dice,parameters"])
def test_what_only_some_share_is_drawn_as_often_as_optuna_draws_it(goals: str) -> None:
    study = told(new_study(read_objectives(goals)), 60)
    counts = np.zeros((2, 6))
    for seed in range(150):
        ours = suggestions(study, seed)
        theirs = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
        values = (
            ours.suggest_int("few", 1, 6, log=False),
            theirs.sample_independent(study, ours.trial, "few", SMALL),
        )
        for row, value in enumerate(values):
            counts[row, value - 1] += 1
    assert np.abs(counts[0] - counts[1]).max() <= 30


def test_a_single_value_is_no_choice() -> None:
    asked = suggestions(told(new_study(DICE), 20), 0)
    assert asked.suggest_categorical("one", (None,)) is None
    assert asked.suggest_int("two", 7, 7, log=False) == 7
