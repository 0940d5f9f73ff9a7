"""What is compared on a table: something that proposes networks, and a pace at which they are trained.

A contestant is named "pace:proposer", as `halving:tree_parzen`, which is what a search by time runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from nas.errors import InputError, did_you_mean
from nas.searching.candidates import Candidates
from nas.searching.references import Entry
from nas.searching.schedule import ETA, Schedule, survivors_of
from nas.searching.strategies import Action, Done, Strategy
from nas.searching.strategies.asynchronous import AsynchronousHalving
from nas.searching.strategies.brief import BriefThenBest
from nas.searching.strategies.counted import misses_in_a_row
from nas.searching.strategies.halving import Halving
from nas.searching.strategies.novel import Identify
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.searching.strategies.published import PublishedFirst
from nas.study.history import History
from nas.study.objective import DICE, Objective

BRIEF = 1 / 8
"""The share of a training after which the baseline chooses whom to finish."""
_MISSES = 300
"""Proposals in a row that lead to no training until a proposer is taken to have no more."""
_CLIMB = (1 / 16, 1 / 4, 1.0)


@dataclass(frozen=True)
class Ring:
    """What contestants are given.

    `trainings` is what may be spent, in whole trainings; `entries` are the published networks that come first.
    """

    candidates: Candidates
    identify: Identify
    entries: Sequence[Entry]
    trainings: float
    workers: int = 1
    seed: int = 0
    objectives: Sequence[Objective] = field(default=DICE)


def _whole(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    return proposing, (1.0,)


def _brief(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """Half of what may be spent goes into brief trainings, the other half into finishing."""
    finished = max(int(ring.trainings / 2 / (1 - BRIEF)), 1)
    many = max(int((ring.trainings - finished * (1 - BRIEF)) / BRIEF), finished)
    return BriefThenBest(proposing, ring.objectives, many, finished), (BRIEF, 1.0)


def _halving(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """As many networks as there is room for, of which each rung lets one of a few go on."""
    many = ring.workers
    while (larger := _schedule(many + 1, ring)).seconds >= larger.planned:
        many += 1
    return Halving(proposing, _schedule(many, ring), ring.objectives), _CLIMB


def _schedule(many: int, ring: Ring) -> Schedule:
    survivors = survivors_of(many, len(_CLIMB))
    return Schedule(ring.trainings / ring.workers, 1.0, _CLIMB, survivors, ring.workers)


def _asynchronous(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    return AsynchronousHalving(proposing, ring.objectives, len(_CLIMB), ETA), _CLIMB


PACES: Mapping[str, Callable[[Strategy, Ring], tuple[Strategy, tuple[float, ...]]]] = {
    "whole": _whole,
    "brief": _brief,
    "halving": _halving,
    "asynchronous": _asynchronous,
}
ANYTIME = frozenset({"whole", "asynchronous"})
"""Paces that do not plan with what may be spent: what they reach with less is seen on their way."""


@dataclass(frozen=True)
class Exhaustible:
    """Asks another strategy until so many of its proposals in a row are known, or not in the table."""

    strategy: Strategy

    def next(self, history: History, running: int, generator: Random) -> Action:
        """What the other strategy says, or that there is no more."""
        return Done() if misses_in_a_row(history) >= _MISSES else self.strategy.next(history, running, generator)


def names() -> tuple[str, ...]:
    """All pairs of a pace and a proposer."""
    return tuple(f"{pace}:{proposer}" for pace in PACES for proposer in PROPOSERS)


def contestant(name: str, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """A strategy by its name, published networks first, and the rungs that it trains to.

    Raises:
        InputError: there is none of that name.
    """
    pace, _, proposer = name.partition(":")
    for part, known in ((pace, PACES), (proposer, PROPOSERS)):
        if part not in known:
            raise InputError(f"strategy {name!r}: {part!r} is unknown; {did_you_mean(part, known)}")
    ground = Ground(ring.candidates, ring.objectives, ring.identify, ring.seed)
    proposing = PublishedFirst(PROPOSERS[proposer](ground), ring.candidates, ring.entries)
    return PACES[pace](Exhaustible(proposing), ring)
