"""A search's own trials, and no others."""

from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Strategy
from nas.study.history import History


@dataclass(frozen=True)
class Own:
    """Asks another strategy, which sees nothing of networks that only a confirmation has trained."""

    strategy: Strategy

    def next(self, history: History, running: int, generator: Random) -> Action:
        """What the other strategy says."""
        return self.strategy.next(history.of_the_search, running, generator)
