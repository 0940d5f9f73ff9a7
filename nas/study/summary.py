"""A study in a few words and figures, read off its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.study.history import History, State, Trial
from nas.study.objective import Objective, ranked


@dataclass(frozen=True)
class Counts:
    """How far a study is: trials, different networks trained among them, and trials by state."""

    trials: int
    distinct: int
    complete: int
    paused: int
    infeasible: int
    diverged: int
    duplicate: int
    failed: int
    running: int
    waiting: int


@dataclass(frozen=True)
class Glance:
    """How far a study is, and its best complete trials and those of published networks, with their ranks from 1."""

    counts: Counts
    leaders: tuple[tuple[int, Trial], ...]

    @property
    def best(self) -> Trial | None:
        """The trial that ranks first."""
        return self.leaders[0][1] if self.leaders else None


def counted(states: Sequence[State], digests: Sequence[str | None]) -> Counts:
    """Count trials by their states; `digests` are those of the complete ones."""
    return Counts(len(states), len(set(digests)), **{str(state): states.count(state) for state in State})


def counts(history: History) -> Counts:
    """Count the trials of a study by their states."""
    complete = history.in_state(State.COMPLETE)
    return counted([trial.state for trial in history.trials], [trial.digest for trial in complete])


def best(history: History, objectives: Sequence[Objective]) -> Trial | None:
    """The best complete trial: a single number chosen by the first objective among those of the first front."""
    order = ranked(history, objectives)
    return order[0] if order else None


def glance(history: History, objectives: Sequence[Objective], most: int) -> Glance:
    """A study at a glance: `most` of its best complete trials, and those of published networks."""
    order = enumerate(ranked(history, objectives), 1)
    leaders = tuple((rank, trial) for rank, trial in order if rank <= most or trial.reference is not None)
    return Glance(counts(history), leaders)


def summary(name: str, storage: str, objectives: Sequence[Objective], glance: Glance) -> dict[str, Any]:
    """The study in a few words: what `nas search --json` and `nas best --json` print."""
    return {
        "study": name,
        "storage": storage,
        "trials": glance.counts.trials,
        "distinct": glance.counts.distinct,
        "infeasible": glance.counts.infeasible,
        "best": glance.best and described(glance.best, objectives),
    }


def described(trial: Trial, goals: Sequence[Objective]) -> dict[str, Any]:
    """A trial in a few words, with what it has reached of each objective."""
    return {
        "trial": trial.number,
        "digest": trial.digest,
        "reference": trial.reference,
        **{goal.metric: goal.value(trial) for goal in goals},
        "parameters": trial.parameters,
        "macs": trial.macs,
        "recipe": trial.recipe_decisions,
    }
