"""Trials of one Pareto rank, ordered so that any first ones cover the whole (Schmucker et al., arXiv:2106.12639)."""

import math
from collections.abc import Sequence

from nas.study.history import Trial
from nas.study.objective import Objective


def spread_out(front: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The first one as it is, then always the one that is farthest from all that come before it.

    Distances are those of ranks, so that no unit and no outlier counts more than another; of equals the first one is
    taken.
    """
    places = list(zip(*(_ranks([goal.loss(trial) for trial in front]) for goal in objectives), strict=True))
    order: list[int] = []
    nearest = [math.inf] * len(front)
    while len(order) < len(front):
        left = [index for index in range(len(front)) if index not in order]
        chosen = max(left, key=lambda index: (nearest[index], -index))
        order.append(chosen)
        nearest = [min(old, math.dist(places[chosen], place)) for old, place in zip(nearest, places, strict=True)]
    return [front[index] for index in order]


def _ranks(losses: Sequence[float]) -> list[int]:
    """Of each loss, how many smaller ones there are."""
    known = sorted(set(losses))
    return [known.index(loss) for loss in losses]
