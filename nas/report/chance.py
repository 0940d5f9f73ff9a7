"""Networks that were drawn at random, of the study itself or of another one: what a search has to beat.

All are looked at after the first length of training, which every network has had: further up stand only those that were
chosen, of which nobody can say what random ones would have reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean
from typing import Protocol

from nas.errors import InputError, field_named
from nas.study.history import TRAINED, UNDERWAY, History, Origin, State, Trial
from nas.study.objective import Objective
from nas.study.settings import StudySettings

RANDOM = ("random", "quasi_random")
_BEGIN_AT_RANDOM = ("evolution", "local_search")
_BEFORE_IT_LEARNS = 10
"""Trials that Optuna's estimator wants to know of before it proposes anything but random networks."""
_ALIKE = ("data_digest", "fold", "objectives", "space_digest", "rungs")


class Studied(Protocol):
    """What is read of a study of random search."""

    @property
    def settings(self) -> StudySettings:
        """What it was begun with."""
        ...

    def history(self, since: History | None = None) -> History:
        """All that is known."""
        ...


@dataclass(frozen=True)
class First:
    """A network after the first length of training: the seconds that took, and what it reached, None if nothing."""

    trial: Trial
    seconds: float
    value: float | None


@dataclass(frozen=True)
class Chance:
    """Networks drawn at random. study: the one that they are from, "" for the study that is looked at."""

    networks: tuple[First, ...]
    study: str = ""

    @property
    def seconds(self) -> float:
        """What one of them took on average."""
        return mean(first.seconds for first in self.networks)


def firsts(history: History, goal: Objective) -> Iterator[First]:
    """The networks of a search after the first length of training, in the order in which they were through with it."""
    for trial, run in history.of_the_search.ended_runs():
        if run.key.rung == 0:
            scored = run.state in (State.COMPLETE, State.PAUSED)
            yield First(trial, run.seconds or 0.0, goal.value(trial.as_of(0)) if scored else None)


def chance(settings: StudySettings, history: History, study: str = "") -> Chance:
    """The networks of a search that were drawn at random."""
    drawn = {trial.number for trial in _drawn(str(settings.plan.get("strategy", "")), history.of_the_search)}
    networks = (first for first in firsts(history, settings.goals[0]) if first.trial.number in drawn)
    return Chance(tuple(networks), study)


def _drawn(strategy: str, history: History) -> Iterator[Trial]:
    """Those that nothing was learnt for: all of random search, of other strategies those that they begin with."""
    told = 0
    for trial in history.trials:
        learnt_of = strategy not in (*RANDOM, *_BEGIN_AT_RANDOM) and told >= _BEFORE_IT_LEARNS
        if trial.origin is Origin.STRATEGY and trial.parent is None and not learnt_of:
            yield trial
        told += trial.state in (*TRAINED, *UNDERWAY, State.INFEASIBLE)


def chance_of(other: Studied, settings: StudySettings) -> Chance:
    """The networks of another study, one of random search, to be held against a study with these settings.

    Raises:
        InputError: it is none of random search, or another data set, fold, space, objective or length of training.
    """
    found = other.settings
    strategy = str(found.plan.get("strategy", "tree_parzen"))
    if strategy not in RANDOM:
        raise InputError(
            f"{field_named('random')}: study {found.name!r} was searched with {strategy}; expected one of random "
            f"search, as nas search --strategy random makes it"
        )
    for what in _ALIKE:
        if getattr(found, what) != getattr(settings, what):
            raise InputError(
                f"{field_named('random')}: study {found.name!r} has another {what.replace('_', ' ')} than "
                f"{settings.name!r}; give one of the same space, data and lengths of training"
            )
    return chance(found, other.history(), found.name)
