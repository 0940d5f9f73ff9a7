"""So many networks, and then the end."""

from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Done, Strategy, Wait
from nas.study.history import TRAINED, History, State

MISSES_BEFORE_THE_END = 400
"""So many proposals in a row that are known or over a limit are a space that is exhausted."""
MISSES_BEFORE_A_FAULT = 60
"""So many in a row that are all over a limit, before any network is trained, are limits that nothing meets."""


@dataclass(frozen=True)
class Counted:
    """Asks another strategy until so many networks are trained, those of earlier searches included."""

    strategy: Strategy
    wanted: int

    def next(self, history: History, running: int, generator: Random) -> Action:
        """What the other strategy says, while networks are wanted."""
        complete = len(history.in_state(*TRAINED))
        if complete >= self.wanted:
            return Done()
        misses = misses_in_a_row(history)
        if complete + running == 0 and misses >= MISSES_BEFORE_A_FAULT:
            return Done(_what_refuses(history), fault=True)
        if misses >= MISSES_BEFORE_THE_END and not running:
            return Done(f"the last {misses} proposals were known or over a limit; the space seems exhausted")
        if complete + running >= self.wanted:
            return Wait()
        return self.strategy.next(history, running, generator)


def misses_in_a_row(history: History) -> int:
    """How many of the latest proposals were not trained."""
    misses = 0
    for trial in reversed(history.trials):
        if trial.refusal is None:
            break
        misses += 1
    return misses


def _what_refuses(history: History) -> str:
    """Why nothing was trained: the limit or fault that refused most, and the proposal that came nearest."""
    refused = [trial for trial in history.trials if trial.refusal is State.INFEASIBLE]
    nearest = min(refused, key=lambda trial: max(trial.constraints.values(), default=0.0))
    return (
        f"none of the first {len(history.trials)} proposals can be trained; the nearest, trial {nearest.number}: "
        f"{nearest.cause}. Give wider limits or a longer --budget, or another --space"
    )
