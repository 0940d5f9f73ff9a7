"""What did well in earlier studies comes before what is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Start, Strategy
from nas.study.history import Document, History


@dataclass(frozen=True)
class Learnt:
    """Starts each of the lessons that was not tried yet, then asks another strategy.

    Args:
        strategy: the other one.
        lessons: decisions of networks that did well elsewhere, the best ones first.
    """

    strategy: Strategy
    lessons: Sequence[Document]

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The first lesson that is missing, or what the other strategy says."""
        tried = [trial.decisions for trial in history.trials]
        lesson = next((lesson for lesson in self.lessons if lesson not in tried), None)
        return self.strategy.next(history, running, generator) if lesson is None else Start(lesson)
