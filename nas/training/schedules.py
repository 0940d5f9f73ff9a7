"""How the learning rate changes over a training: a pure function of progress, so that resuming needs no state."""

import math
from dataclasses import dataclass

from nas.training.checking import ABOVE_ZERO, check_fields


@dataclass(frozen=True)
class Schedule:
    """What every schedule has: the share of the peak learning rate at a progress from 0 to 1, after warm-up."""

    def share(self, progress: float) -> float:
        """The share of the peak, from 0 to 1."""
        raise NotImplementedError


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the peak to zero (Loshchilov and Hutter 2017, arXiv:1608.03983)."""

    def share(self, progress: float) -> float:  # noqa: D102
        return 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Poly(Schedule):
    """What is left of training, to a power; nnU-Net's and DeepLab's."""

    power: float = 0.9

    def __post_init__(self) -> None:
        check_fields(self, power=(ABOVE_ZERO, math.inf))

    def share(self, progress: float) -> float:  # noqa: D102
        return float((1 - progress) ** self.power)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to the peak for a share `rise` of training, then down to zero, both along a cosine (arXiv:1708.07120).

    It warms up by itself: give the recipe `warm_up` 0.
    """

    rise: float = 0.3
    start: float = 0.04

    def __post_init__(self) -> None:
        check_fields(self, rise=(ABOVE_ZERO, 0.99), start=(0, 1))

    def share(self, progress: float) -> float:  # noqa: D102
        if progress < self.rise:
            return self.start + (1 - self.start) * 0.5 * (1 - math.cos(math.pi * progress / self.rise))
        return 0.5 * (1 + math.cos(math.pi * (progress - self.rise) / (1 - self.rise)))


def rate_share(schedule: Schedule, progress: float, warm_up: float) -> float:
    """The share of the peak learning rate at a progress from 0 to 1; over the share `warm_up` of it the rate rises."""
    if progress < warm_up:
        return progress / warm_up
    return schedule.share((progress - warm_up) / max(1 - warm_up, 1e-9))
