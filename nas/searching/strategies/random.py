"""Random search: what any other strategy must beat."""

from dataclasses import dataclass
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start
from nas.space import Choice, Chooser, Scalar
from nas.space.choosers import from_random
from nas.study.history import Document, History


@dataclass(frozen=True)
class RandomSearch:
    """Proposes random members, whatever is known."""

    candidates: Candidates

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Random decisions."""
        return Start(decided(self.candidates, from_random(generator)))


def decided(candidates: Candidates, chooser: Chooser) -> Document:
    """The decisions that a chooser takes."""
    decisions: Document = {}

    def choose(path: str, choice: Choice) -> Scalar:
        decisions[path] = value = chooser(path, choice)
        return value

    candidates.decide(choose)
    return decisions
