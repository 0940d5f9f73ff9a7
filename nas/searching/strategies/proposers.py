"""What proposes networks, by name: as `nas search --strategy` and replays on tables call it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nas.searching.candidates import Candidates
from nas.searching.strategies import Strategy
from nas.searching.strategies.evolution import Evolution
from nas.searching.strategies.genetic import Genetic
from nas.searching.strategies.local_search import LocalSearch
from nas.searching.strategies.novel import Identify, Novel
from nas.searching.strategies.quasi_random import QuasiRandomSearch
from nas.searching.strategies.random import RandomSearch
from nas.searching.strategies.tree_parzen import TreeParzen
from nas.study.objective import Objective


@dataclass(frozen=True)
class Ground:
    """What a proposer is given: what it proposes from, what is best, what tells networks apart, and a seed.

    `changes` is whether changes of good networks take the place of proposals that are known.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    identify: Identify
    seed: int = 0
    changes: bool = True


def _random(ground: Ground) -> Strategy:
    return RandomSearch(ground.candidates)


def _quasi_random(ground: Ground) -> Strategy:
    return QuasiRandomSearch(ground.candidates, ground.seed)


def _tree_parzen(ground: Ground) -> Strategy:
    return _new_ones(TreeParzen(ground.candidates, ground.objectives), ground)


def _genetic(ground: Ground) -> Strategy:
    return _new_ones(Genetic(ground.candidates, ground.objectives), ground)


def _new_ones(strategy: Strategy, ground: Ground) -> Strategy:
    if not ground.changes:
        return strategy
    return Novel(strategy, ground.candidates, ground.identify, ground.objectives)


def _evolution(ground: Ground) -> Strategy:
    return Evolution(ground.candidates, ground.objectives, _random(ground))


def _local_search(ground: Ground) -> Strategy:
    return LocalSearch(ground.candidates, ground.objectives, _random(ground))


PROPOSERS: Mapping[str, Callable[[Ground], Strategy]] = {
    "tree_parzen": _tree_parzen,
    "nsga2": _genetic,
    "evolution": _evolution,
    "local_search": _local_search,
    "random": _random,
    "quasi_random": _quasi_random,
}
