"""One network against another on the same cases: what is found, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import numpy as np
import numpy.typing as npt

from nas.confirming import statistics
from nas.confirming.statistics import Array, Interval, Spread
from nas.errors import InputError

MARGIN = 0.01
"""Of Dice: what is not worse by more than this is worth a sentence."""


class Verdict(StrEnum):
    """What a comparison says."""

    BETTER = "better"
    WORSE = "worse"
    NOT_WORSE = "not worse"
    """By more than the margin."""
    UNTOLD = "cannot be told"


@dataclass(frozen=True, eq=False)
class Scores:
    """A metric of one network, the higher the better.

    values: (seeds, cases), NaN where a structure is absent. cases: their names. folds: the part of the data that each
    was held out in, which says which cases were segmented by one training; all 0 for a held-out set. groups: of cases
    that are not independent, such as the visits of one patient; each case its own where there are none.
    """

    name: str
    values: Array
    cases: tuple[str, ...]
    folds: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.folds:
            object.__setattr__(self, "folds", (0,) * len(self.cases))
        if not self.groups:
            object.__setattr__(self, "groups", self.cases)

    @property
    def grouped(self) -> "Scores":
        """The mean of each group as one case."""
        if len(set(self.groups)) == len(self.groups):
            return self
        order = list(dict.fromkeys(self.groups))
        folds = tuple(self.folds[self.groups.index(group)] for group in order)
        return Scores(self.name, statistics.by_group(self.values, self.groups), tuple(order), folds)


@dataclass(frozen=True)
class Comparison:
    """A network against a baseline.

    difference: of the means, with an interval that holds for all comparisons made together. p: Wilcoxon's, after
    Holm's correction over them. detectable: the smallest difference that so many cases and trainings can show.
    confidence: of the interval. parts: what varied, from which all this comes.
    """

    name: str
    baseline: str
    difference: Interval
    p: float
    detectable: float
    confidence: float
    margin: float
    seeds: int
    parts: Spread

    @property
    def verdict(self) -> Verdict:
        """Better and worse want both: an interval that leaves out 0, and a p of the ranks below 0.05."""
        significant = self.p < 1 - statistics.CONFIDENCE
        if significant and self.difference.low > 0:
            return Verdict.BETTER
        if significant and self.difference.high < 0:
            return Verdict.WORSE
        return Verdict.NOT_WORSE if self.difference.low > -self.margin else Verdict.UNTOLD


def compare(
    network: Scores,
    baseline: Scores,
    *,
    margin: float = MARGIN,
    comparisons: int = 1,
    resamples: int = statistics.RESAMPLES,
) -> Comparison:
    """One network against a baseline, case by case.

    Args:
        network: its scores.
        baseline: the same metric of the same cases; with one seed it stands beside each of the network's.
        margin: what it may be worse by and still be called no worse.
        comparisons: how many are made together; the interval is widened for them (Bonferroni), the p not yet.
        resamples: of the bootstrap.

    Raises:
        InputError: the cases differ, or fewer than two have a value of both.
    """
    _expect_same_cases(network, baseline)
    network, baseline = network.grouped, baseline.grouped
    differences = _differences(network.values, baseline.values)
    defined: npt.NDArray[np.bool_] = np.asarray(~np.isnan(differences).any(axis=0))
    if int(defined.sum()) < 2:
        raise InputError(
            f"{network.name} against {baseline.name}: {int(defined.sum())} cases have a value of both; expected at "
            "least 2, so give results of more cases"
        )
    differences, folds = (
        differences[:, defined],
        [f for f, there in zip(network.folds, defined.tolist(), strict=True) if there],
    )
    confidence = 1 - (1 - statistics.CONFIDENCE) / comparisons
    parts = statistics.spread(differences, folds)
    return Comparison(
        name=network.name,
        baseline=baseline.name,
        difference=statistics.difference_interval(differences, folds, confidence=confidence, resamples=resamples),
        p=statistics.wilcoxon(differences),
        detectable=statistics.detectable(parts, confidence=confidence),
        confidence=confidence,
        margin=margin,
        seeds=len(differences),
        parts=parts,
    )


def compare_all(
    networks: Sequence[Scores],
    baselines: Sequence[Scores],
    *,
    margin: float = MARGIN,
    resamples: int = statistics.RESAMPLES,
) -> tuple[Comparison, ...]:
    """Every network against every baseline, corrected for how many comparisons that is."""
    pairs = list(product(networks, baselines))
    comparisons = [
        compare(network, baseline, margin=margin, comparisons=len(pairs), resamples=resamples)
        for network, baseline in pairs
    ]
    corrected = statistics.holm([comparison.p for comparison in comparisons])
    return tuple(replace(comparison, p=p) for comparison, p in zip(comparisons, corrected, strict=True))


def _differences(network: Array, baseline: Array) -> Array:
    """Seed against seed; where the numbers of seeds differ, against the baseline's mean over its seeds."""
    other = baseline if len(network) == len(baseline) else baseline.mean(axis=0, keepdims=True)
    return np.asarray(network - other, np.float64)


def _expect_same_cases(network: Scores, baseline: Scores) -> None:
    if network.cases == baseline.cases:
        return
    lacking = sorted(set(network.cases) ^ set(baseline.cases))
    difference = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "") if lacking else "their order"
    raise InputError(
        f"{network.name} against {baseline.name}: {len(network.cases)} and {len(baseline.cases)} cases that differ in "
        f"{difference}; expected the same cases of both"
    )
