"""A list of runs, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Done, Repeat, Wait
from nas.study.history import UNDERWAY, History, RunKey

Job = tuple[int, RunKey]
"""A trial's number, and which run of it is wanted."""


@dataclass(frozen=True)
class Assigned:
    """Begins the runs of a list in its order, and is done when the last one has ended, however it did."""

    jobs: Sequence[Job]

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The first run that nobody has begun."""
        states = {(run.trial, run.key): run.state for trial in history.trials for run in trial.runs}
        for trial, key in self.jobs:
            if (trial, key) not in states:
                return Repeat(trial, key)
        return Wait() if any(states[job] in UNDERWAY for job in self.jobs) else Done()
