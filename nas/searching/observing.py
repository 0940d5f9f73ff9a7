"""What the workers of a study do, told to a listener by a process that does not train itself."""

from typing import Protocol

from nas.searching.events import Listener, TrialEnded, Working
from nas.searching.failures import refuse_to_go_on
from nas.searching.schedule import Schedule
from nas.study.history import TRAINED, UNDERWAY, State
from nas.study.protocol import Study


class Observes(Protocol):
    """Looks at what workers do, and tells of it."""

    ended: int
    """How much has ended since it began to look."""

    def look_for_failures(self) -> None:
        """To be called when a worker is lost. Raises `InputError` where going on is of no use."""
        ...

    def look(self) -> None:
        """Tell what has happened since the last look."""
        ...


class Observer:
    """Tells a listener of every trial that ends from now on, whoever trains it."""

    def __init__(self, study: Study, wanted: int, listener: Listener):
        self._study, self._wanted, self._listener = study, wanted, listener
        self._schedule = Schedule.of(study.settings.plan)
        self._history = self._before = study.history()
        self.ended = 0
        """How many trials have ended since."""

    def look_for_failures(self) -> None:
        """To be called when a worker is lost: what kills every worker leaves none to see it.

        Raises:
            InputError: trial after trial failed.
        """
        refuse_to_go_on(self._study.name, self._study.history(self._history), self._before)

    def look(self) -> None:
        """Tell what has happened since the last look."""
        earlier, self._history = self._history, self._study.history(self._history)
        complete = self._history.in_state(*TRAINED)
        fresh = [
            trial
            for trial in self._history.in_the_order_of_results()
            if trial.number not in earlier.by_number or earlier.by_number[trial.number].state is not trial.state
        ]
        number = len(complete) - sum(trial.state in TRAINED for trial in fresh)
        for trial in fresh:
            self.ended += 1
            number += trial.state in TRAINED
            used = None if self._schedule is None else self._schedule.used(self._history)
            self._listener(TrialEnded(trial, number, self._wanted, used))
        running = self._history.in_state(State.RUNNING)
        waiting = self._history.in_state(*UNDERWAY - {State.RUNNING})
        words = f"{len(running)} in training" + (f", {len(waiting)} waiting" if waiting else "")
        wanted = 0 if self._schedule else self._wanted  # a search by time has no such number
        self._listener(Working(words, min(len(complete), wanted), wanted))
