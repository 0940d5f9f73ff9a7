"""Statistics of metrics that are measured case by case, with one or several trainings (seeds) of each network.

Arrays of scores are (seeds, cases). Two things vary: cases, of which there could have been others, and trainings, of
which a fold and a seed is one. They are kept apart, because more of one does not make up for too few of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
POWER = 0.8
RESAMPLES = 4999
"""Of a bootstrap: the ends of an interval then hold to about a hundredth of its width."""
FEW_CASES = 50
"""Below this many, even BCa intervals of a mean are too short (2409.17763, and Efron and Tibshirani 1993)."""
_BATCH = 10_000_000  # numbers of a bootstrap that are held at once


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """What varies in a mean difference, as variances.

    cases: of one case's difference, averaged over seeds. trainings: of the mean of one training's cases, which varies
    by chance too; `luck` is what remains when that is taken off. numbers: of cases, seeds and trainings. freedom:
    degrees of freedom of `trainings`; 0 where there is one training and nothing is known of others.
    """

    cases: float
    trainings: float
    luck: float
    number_of_cases: int
    seeds: int
    number_of_trainings: int
    freedom: int

    def together(self, over_cases: float, over_trainings: float) -> float:
        """The half width of an interval for both, from one for each.

        Several seeds show what trainings add to cases (MOVER: Zou and Donner 2008, doi:10.1002/sim.3095). With one, the
        means of folds vary with cases and with trainings at once, so that the wider of both is right.
        """
        return float(np.hypot(over_cases, over_trainings)) if self.seeds > 1 else max(over_cases, over_trainings)

    def over_trainings(self, confidence: float) -> float:
        """The half width of Student's interval over trainings."""
        from scipy.special import stdtrit

        quantile = float(stdtrit(self.freedom, (1 + confidence) / 2)) if self.freedom else 0.0
        return quantile * sqrt(self.trainings / self.number_of_trainings)


def mean_interval(
    values: Sequence[float] | Array, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean over cases with its bias-corrected and accelerated bootstrap interval (Efron 1987).

    Args:
        values: one a case; those that are NaN, where a structure is absent, are left out.
        confidence: of the interval.
        resamples: of the bootstrap.
        seed: of the resampling.

    Returns:
        The interval; without ends (NaN) where there are fewer than two values.
    """
    from scipy.special import ndtr, ndtri

    defined = _defined(np.asarray(values, np.float64))
    mean = float(defined.mean()) if len(defined) else float("nan")
    if len(defined) < 2:
        return Interval(mean, float("nan"), float("nan"))
    apart = defined - mean
    squares = float((apart**2).sum())
    if squares <= (1e-12 * abs(mean)) ** 2 * len(defined):  # nothing varies but the last digit
        return Interval(mean, mean, mean)
    drawn = np.sort(_resampled_means(defined, resamples, seed))
    # How far the middle of the drawn means lies from the mean, and how skewed the values are.
    below = (np.searchsorted(drawn, mean, "left") + np.searchsorted(drawn, mean, "right")) / 2 / resamples
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    acceleration = float((apart**3).sum()) / (6 * squares**1.5)
    sides = bias + ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    low, high = np.quantile(drawn, ndtr(bias + sides / (1 - acceleration * sides)))
    return Interval(mean, float(low), float(high))


def seed_deviation(values: Array) -> float:
    """The standard deviation between seeds of the mean over cases, (seeds, cases); NaN with one seed."""
    return float(np.nanmean(values, axis=1).std(ddof=1)) if len(values) > 1 else float("nan")


def spread(differences: Array, folds: Sequence[int]) -> Spread:
    """What varies in a mean difference, by the method of moments.

    Cases of one fold and seed share a training, and with it what that training happened to be better or worse by. With
    several seeds that is seen from how far they lie apart in each fold, with one from how far folds lie apart.

    Args:
        differences: (seeds, cases), all defined.
        folds: the fold of each case; all the same where one network segmented all cases.
    """
    seeds, cases = differences.shape
    parts = [differences[:, np.asarray(folds) == fold] for fold in sorted(set(folds))]
    averaged = [part.mean(axis=0) for part in parts]
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in averaged) / max(cases - len(parts), 1)
    size = cases / len(parts)
    if seeds > 1:
        means = np.stack([part.mean(axis=1) for part in parts])  # (folds, seeds)
        chance = [(part - part.mean(axis=1, keepdims=True)).var(axis=0, ddof=1).mean() for part in parts]
        trainings, freedom = float(means.var(axis=1, ddof=1).mean()), len(parts) * (seeds - 1)
        luck = trainings - float(np.mean(chance)) / size
    else:
        freedom = len(parts) - 1
        trainings = float(np.var([part.mean() for part in parts], ddof=1)) if freedom else 0.0
        luck = trainings - within / size
    return Spread(within, trainings, max(luck, 0.0), cases, seeds, seeds * len(parts), freedom)


def difference_interval(
    differences: Array, folds: Sequence[int], *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval:
    """The mean of paired differences with an interval for other cases and other trainings.

    Args:
        differences: (seeds, cases), all defined.
        folds: the fold of each case.
        confidence: of the interval.
        resamples: of the bootstrap.
    """
    over_cases = mean_interval(differences.mean(axis=0), confidence=confidence, resamples=resamples)
    parts, mean = spread(differences, folds), over_cases.estimate
    over_trainings = parts.over_trainings(confidence)
    return Interval(
        mean,
        mean - parts.together(mean - over_cases.low, over_trainings),
        mean + parts.together(over_cases.high - mean, over_trainings),
    )


def wilcoxon(differences: Array) -> float:
    """The two-sided p of Wilcoxon's signed-rank test on each case's difference, averaged over seeds."""
    from scipy.stats import wilcoxon as signed_rank

    averaged = differences.mean(axis=0)
    if not averaged.any():
        return 1.0
    test: Any = signed_rank(averaged)
    return float(test.pvalue)


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """Holm's correction of several p, in their order (Holm 1979)."""
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda index: values[index])):
        largest = max(largest, min((len(values) - rank) * values[index], 1.0))
        adjusted[index] = largest
    return tuple(adjusted)


def rank_one(networks: Sequence[Array], *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, ...]:
    """How probable it is that each network has the highest mean, by drawing cases and seeds again.

    Args:
        networks: the scores of each, (seeds, cases), on the same cases; those that any lacks are left out.
        resamples: how often.
        seed: of the drawing.
    """
    generator = np.random.default_rng(seed)
    defined = ~np.any([np.isnan(scores).any(axis=0) for scores in networks], axis=0)
    kept = [scores[:, defined] for scores in networks]
    wins = np.zeros(len(kept))
    cases = int(defined.sum())
    at_once = max(_BATCH // max(cases, 1), 1)
    for start in range(0, resamples if cases else 0, at_once):
        count = min(at_once, resamples - start)
        drawn = generator.multinomial(cases, np.full(cases, 1 / cases), count)
        means = np.stack([_drawn_means(scores, drawn, generator) for scores in kept])
        first = means == means.max(axis=0)
        wins += (first / first.sum(axis=0)).sum(axis=1)
    return tuple(float(share) for share in (wins / resamples if cases else wins + float("nan")))


def _drawn_means(scores: Array, cases: npt.NDArray[np.int64], generator: np.random.Generator) -> Array:
    """The mean of scores (seeds, cases) for each drawing of cases, (drawings, cases), with as many seeds drawn."""
    seeds = len(scores)
    drawn = generator.multinomial(seeds, np.full(seeds, 1 / seeds), len(cases))
    return np.asarray(((drawn @ scores) * cases).sum(axis=1) / (seeds * cases.shape[1]), np.float64)


def detectable(parts: Spread, *, confidence: float = CONFIDENCE, power: float = POWER) -> float:
    """The smallest true difference that so many cases and trainings show with a probability of `power`."""
    over_cases = _normal((1 + confidence) / 2) * sqrt(parts.cases / parts.number_of_cases)
    return parts.together(over_cases, parts.over_trainings(confidence)) * _for_power(confidence, power)


def cases_to_show(difference: float, parts: Spread, *, confidence: float = CONFIDENCE, power: float = POWER) -> float:
    """How many cases would show a true difference with as many trainings; infinite where trainings are what lacks."""
    wanted = (difference / _for_power(confidence, power) / _normal((1 + confidence) / 2)) ** 2
    left = wanted - parts.luck / parts.number_of_trainings
    return parts.cases / left if left > 0 else float("inf")


def trainings_to_show(
    difference: float, parts: Spread, *, confidence: float = CONFIDENCE, power: float = POWER
) -> float:
    """How many trainings would show a true difference with as many cases; infinite where cases are what lacks."""
    wanted = (difference / _for_power(confidence, power) / _normal((1 + confidence) / 2)) ** 2
    left = wanted - parts.cases / parts.number_of_cases
    return parts.luck / left if left > 0 else float("inf")


def by_group(values: Array, groups: Sequence[str]) -> Array:
    """The mean of each group's cases, groups in the order in which they first occur: (seeds, cases) as (seeds, groups).

    Several images of one patient are not several patients.
    """
    order = list(dict.fromkeys(groups))
    belongs = np.array([order.index(group) for group in groups])
    columns = [values[:, belongs == index] for index in range(len(order))]
    return np.stack([mean_of_defined(column) for column in columns], axis=1)


def mean_of_defined(values: Array) -> Array:
    """The mean of each row, NaN left out; NaN for a row that holds nothing else."""
    known = ~np.isnan(values)
    number = known.sum(axis=1)
    return np.where(number > 0, np.where(known, values, 0).sum(axis=1) / np.maximum(number, 1), np.nan)


def _for_power(confidence: float, power: float) -> float:
    """How many half widths of an interval a difference must have to be shown with some power."""
    return 1 + _normal(power) / _normal((1 + confidence) / 2)


def _normal(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _resampled_means(values: Array, resamples: int, seed: int) -> Array:
    generator, rows = np.random.default_rng(seed), max(_BATCH // len(values), 1)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    parts = [values[generator.integers(len(values), size=(size, len(values)))].mean(axis=1) for size in sizes]
    return np.concatenate(parts)


def _defined(values: Array) -> Array:
    return values[~np.isnan(values)]
