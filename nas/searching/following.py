"""What other processes do on a study, read from its database."""

from nas.searching.events import Listener, TrialEnded, Working
from nas.searching.failing import FailureWatch
from nas.study import claims
from nas.study.records import State
from nas.study.study import Study

_UNFINISHED = (State.RUNNING, State.WAITING)


class Follower:
    """Tells a listener of every trial that ends from now on, whoever trains it."""

    def __init__(self, study: Study, wanted: int, listener: Listener):
        self._study, self._wanted, self._listener = study, wanted, listener
        self._shown: set[int] = set()
        self._floor = study.highest()
        self._open = {each.id for each in study.evaluations(*_UNFINISHED)}
        self.ended = 0
        """How many trials have ended since."""
        self._failures = FailureWatch(study)

    def look_for_failures(self) -> None:
        """To be called when a worker is lost: what kills every worker leaves none to see it.

        Raises:
            InputError: trial after trial failed.
        """
        self._failures.look(*claims.outcomes(self._study))

    def look(self) -> None:
        """Tell what has happened since the last look."""
        fresh = self._study.since(self._floor, self._open)
        complete, running, waiting = claims.underway(self._study)
        number = complete - sum(each.state is State.COMPLETE for each in fresh)
        for evaluation in fresh:
            self._floor = max(self._floor, evaluation.id)
            if evaluation.state in _UNFINISHED:
                self._open.add(evaluation.id)
            else:
                self._open.discard(evaluation.id)
                self.ended += 1
                number += evaluation.state is State.COMPLETE
                self._listener(TrialEnded(evaluation, number, self._wanted))
        self._listener(Working(f"{running} in training, {waiting} waiting", min(complete, self._wanted), self._wanted))
