"""A study in a few words and figures, read off its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.study.history import History, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.sql.study import SqlStudy


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


def counts(history: History) -> Counts:
    """Count the trials of a study by their states."""
    states = [trial.state for trial in history.trials]
    distinct = len({trial.digest for trial in history.in_state(State.COMPLETE)})
    by_state = {str(state): states.count(state) for state in State}
    return Counts(trials=len(states), distinct=distinct, **by_state)


def best(history: History, objectives: Sequence[Objective]) -> Trial | None:
    """The best complete trial: a single number chosen by the first objective among those of the first front."""
    order = ranked(history, objectives)
    return order[0] if order else None


def ranking(history: History, objectives: Sequence[Objective], most: int) -> list[tuple[int, Trial]]:
    """The best complete trials and those of published networks, with their ranks from 1, best first."""
    order = enumerate(ranked(history, objectives), 1)
    return [(rank, trial) for rank, trial in order if rank <= most or trial.reference is not None]


def summary(study: SqlStudy, history: History) -> dict[str, Any]:
    """The study in a few words: what `nas search --json` and `nas best --json` print."""
    goals = study.settings.goals
    counted, winner = counts(history), best(history, goals)
    return {
        "study": study.name,
        "storage": study.storage.address,
        "trials": counted.trials,
        "distinct": counted.distinct,
        "infeasible": counted.infeasible,
        "best": winner and _described(winner, goals),
    }


def _described(trial: Trial, goals: Sequence[Objective]) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "digest": trial.digest,
        "reference": trial.reference,
        **{goal.metric: goal.value(trial) for goal in goals},
        "parameters": trial.parameters,
        "macs": trial.macs,
        "recipe": trial.recipe_decisions,
    }
