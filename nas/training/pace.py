"""How far a training is: by its steps where they are counted, by the clock where it has a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

_FIRST = 0.01
"""The share of a timed training that its first step is taken for, before any was timed."""


@dataclass(frozen=True)
class Moment:
    """A moment between two steps: the share of the training that is done, and the share that the next step takes."""

    done: float
    step: float

    @property
    def middle(self) -> float:
        """The share at the middle of the next step, which its learning rate follows from."""
        return min(self.done + self.step / 2, 1.0)


class Pace(Protocol):
    """Says how far a training is after so many steps; it is over where `done` is 1 or more."""

    def after(self, step: int) -> Moment:
        """The moment after so many steps."""

    @property
    def seconds(self) -> float:
        """Of training so far, those before an interruption included."""


@dataclass
class Counted:
    """A training of so many steps: a pure function of them, however long they take."""

    steps: int
    spent: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def after(self, step: int) -> Moment:
        """The moment after so many steps."""
        return Moment(step / self.steps, 1 / self.steps)

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return self.spent + time.monotonic() - self._begun


@dataclass
class Timed:
    """A training of so many seconds, however many steps that makes: the schedule follows the clock.

    Args:
        given: seconds in all.
        spent: of them before an interruption.
        reserve: seconds of it that are left for what comes after the last step, such as validation.
        clock: seconds from any origin.
    """

    given: float
    spent: float = 0.0
    reserve: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._begun = self.clock() - self.spent

    def after(self, step: int) -> Moment:
        """The moment after so many steps; over, where half of another would be too late."""
        seconds = self.seconds
        each = seconds / step if step else self.given * _FIRST
        room = max(self.given - self.reserve, each, 1e-9)
        over = step > 0 and seconds + each / 2 >= room
        return Moment(1.0 if over else min(seconds / room, 1 - 1e-9), each / room)

    @property
    def seconds(self) -> float:
        """Of training so far, those before an interruption included."""
        return self.clock() - self._begun
