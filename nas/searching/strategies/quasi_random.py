"""Quasi-random search: points of a scrambled Sobol sequence, which cover a space more evenly than random ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start
from nas.searching.strategies.random import decided
from nas.space import Choice, Chooser, Scalar
from nas.space.choices import Integer, OneOf, Weighted
from nas.study.history import History

DIMENSIONS = 64
"""Choices of a walk that take a coordinate each; those after take the first ones again."""

_BLOCK = 128
"""A power of two, as the sequence wants it."""


@dataclass(frozen=True)
class QuasiRandomSearch:
    """Proposes the members at the points of a sequence, one for each trial that there is.

    Args:
        candidates: what is proposed from.
        seed: scrambles the sequence.
    """

    candidates: Candidates
    seed: int = 0

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The decisions at the next point."""
        return Start(decided(self.candidates, from_point(_point(self.seed, len(history.trials)))))


def from_point(point: Sequence[float]) -> Chooser:
    """Answers the first choice by the first coordinate, the second by the second; each is from 0 to below 1."""
    asked = 0

    def choose(_: str, choice: Choice) -> Scalar:
        nonlocal asked
        share = point[asked % len(point)]
        asked += 1
        if isinstance(choice, OneOf):
            weights = choice.weights if isinstance(choice, Weighted) else (1,) * len(choice.labels)
            return _at(share, choice.labels, weights)
        if isinstance(choice, Integer):
            numbers = range(choice.low, choice.high + 1)
            lengths = [math.log1p(1 / number) if choice.log else 1.0 for number in numbers]
            return _at(share, numbers, lengths)
        if choice.log:
            return math.exp(math.log(choice.low) + (math.log(choice.high) - math.log(choice.low)) * share)
        return choice.low + (choice.high - choice.low) * share

    return choose


def _at(share: float, labels: Sequence[Scalar], weights: Sequence[float]) -> Scalar:
    """The label whose part of the line from 0 to 1 holds a share."""
    rest = share * sum(weights)
    for label, weight in zip(labels, weights, strict=True):
        if rest < weight:
            return label
        rest -= weight
    return next(label for label, weight in zip(reversed(labels), reversed(weights), strict=True) if weight)


def _point(seed: int, index: int) -> Sequence[float]:
    return _points(seed, index // _BLOCK)[index % _BLOCK]


@lru_cache(4)
def _points(seed: int, block: int) -> Sequence[Sequence[float]]:
    """So many points of the sequence at once: to begin it takes much longer than to go on."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(DIMENSIONS, seed=seed)
    if block:  # none to be left out is an overflow to it
        sequence.fast_forward(block * _BLOCK)
    points: Sequence[Sequence[float]] = sequence.random(_BLOCK).tolist()
    return points
