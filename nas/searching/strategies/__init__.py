"""Strategies: each reads a study's history and says what to do next. One a file; they are put around each other.

A strategy is a pure function: the same history and generator give the same action, whatever it was asked before, so
that a search that was stopped goes on as it would have without the stop.
"""

from dataclasses import dataclass
from random import Random
from typing import Protocol

from nas.study.history import Document, History, Origin, RunKey


@dataclass(frozen=True)
class Start:
    """Train these decisions as a new trial, to the first rung."""

    decisions: Document
    parent: int | None = None
    origin: Origin = Origin.STRATEGY
    reference: str | None = None


@dataclass(frozen=True)
class Continue:
    """Go on with a paused trial, to a further rung."""

    trial: int
    rung: int


@dataclass(frozen=True)
class Repeat:
    """Train a trial's network once more: on another fold, with another seed, on other cases."""

    trial: int
    key: RunKey


@dataclass(frozen=True)
class Wait:
    """Nothing to do until another worker has finished something."""


@dataclass(frozen=True)
class Done:
    """The search is over. `reason`: why short of what was wanted; `fault`: whether the user must mend it."""

    reason: str | None = None
    fault: bool = False


Action = Start | Continue | Repeat | Wait | Done


class Strategy(Protocol):
    """What decides the next step of a search."""

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The next action.

        Args:
            history: all that is known.
            running: how many runs are waiting or under way.
            generator: the only source of chance.
        """
        ...
