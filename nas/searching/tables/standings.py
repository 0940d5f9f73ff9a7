"""What replays over many seeds say of a strategy: medians with intervals, and when half of them came near the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from nas.study.medians import fewest_and_most, interval


@dataclass(frozen=True)
class Standing:
    """How far a strategy that had so many trainings to spend ended from what is best, with every seed.

    `regrets` are Dice below the best of the table, infinite where nothing was returned; or with several objectives what
    is missing of the table's hypervolume, from 0 to 1.
    """

    strategy: str
    budget: int
    regrets: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median over seeds."""
        return median(self.regrets)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the median."""
        return interval(self.regrets)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; what returned nothing is null."""
        ordered = sorted(self.regrets)
        quarter = len(ordered) // 4
        values = {
            "median": self.middle,
            "low": self.interval[0],
            "high": self.interval[1],
            "best_quarter": ordered[quarter],
            "worst_quarter": ordered[-1 - quarter],
        }
        shown = {name: _shown(value) for name, value in values.items()}
        return {"strategy": self.strategy, "trainings": self.budget, **shown, "seeds": len(self.regrets)}


@dataclass(frozen=True)
class Arrival:
    """After how many trainings half of the seeds had come near, with a 95% interval; infinite where they did not."""

    strategy: str
    middle: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; what never came near is null."""
        values = {"trainings": self.middle, "low": self.low, "high": self.high}
        return {"strategy": self.strategy, **{name: _shown(value) for name, value in values.items()}}


def arrival(strategy: str, near: Mapping[float, int], seeds: int) -> Arrival:
    """The arrival of a strategy of whose seeds so many were near after so many trainings."""
    fewest, most = fewest_and_most(seeds)

    def after(wanted: int) -> float:
        return min((spent for spent, count in near.items() if count >= wanted), default=math.inf)

    return Arrival(strategy, after(math.ceil(seeds / 2)), after(max(fewest, 1)), after(min(most + 1, seeds)))


@dataclass(frozen=True)
class Worth:
    """How much farther from the best a search ends without a part of it, seed by seed: median and 95% interval."""

    part: str
    budget: int
    differences: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median over seeds; below 0 the part does harm."""
        return median(self.differences)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the median."""
        return interval(self.differences)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        values = {"worth": self.middle, "low": self.interval[0], "high": self.interval[1]}
        return {"part": self.part, "trainings": self.budget, **{name: _shown(value) for name, value in values.items()}}


def worth(part: str, whole: Standing, without: Standing) -> Worth:
    """What a part is worth, by the same seeds with it and without it."""
    pairs = zip(whole.regrets, without.regrets, strict=True)
    differences = (0.0 if one == other else other - one for one, other in pairs)
    return Worth(part, whole.budget, tuple(differences))


def equal_after(standings: Sequence[Standing], other: Standing) -> int | None:
    """The smallest budget with which the median of a strategy is as good as another one's; None where none is."""
    return min((standing.budget for standing in standings if standing.middle <= other.middle), default=None)


def _shown(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
