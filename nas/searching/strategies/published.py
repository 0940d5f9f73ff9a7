"""Published networks first: what a search must beat, and where it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.references import Entry
from nas.searching.strategies import Action, Start, Strategy
from nas.study.history import History, Origin, State


@dataclass(frozen=True)
class PublishedFirst:
    """Starts each published network that was not tried yet, then asks another strategy."""

    strategy: Strategy
    candidates: Candidates
    entries: Sequence[Entry]

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The first published network that is missing, or what the other strategy says."""
        tried = {trial.reference for trial in history.published if trial.state is not State.FAILED}
        for entry in self.entries:
            if entry.name not in tried:
                decisions = self.candidates.read(entry.architecture)
                return Start(decisions, origin=Origin.PUBLISHED, reference=entry.name)
        return self.strategy.next(history, running, generator)
