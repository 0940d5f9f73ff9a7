"""What proposes networks, and at what pace they are trained: pure functions of the history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
from scipy.stats.qmc import Sobol

from nas.catalog import load_space
from nas.searching.candidates import candidates_of
from nas.searching.strategies import Action, Continue, Done, Start, Strategy, Wait
from nas.searching.strategies.asynchronous import AsynchronousHalving
from nas.searching.strategies.brief import BriefThenBest
from nas.searching.strategies.evolution import Evolution
from nas.searching.strategies.local_search import LocalSearch
from nas.searching.strategies.quasi_random import DIMENSIONS, QuasiRandomSearch, _point, from_point
from nas.searching.strategies.random import RandomSearch
from nas.searching.strategies.tree_parzen import TreeParzen
from nas.space import Space, integer, one_of, real, weighted
from nas.study.history import History, Result, RunKey, State
from nas.study.memory import MemoryStudy
from nas.study.objective import DICE
from nas.study.protocol import Claim, Proposal
from nas.training import Recipe
from tests.searching.stand_in import ScriptedStrategy, start, study


@dataclass(frozen=True)
class Point:
    kind: str = one_of("a", "b")
    rare: int = weighted(one_of(1, 2, 3), 3, 0, 1)
    count: int = integer(1, 3)
    rate: float = real(0.01, 1.0, log=True)


CANDIDATES = candidates_of(load_space("small_volumes"), Recipe())
RANDOM = RandomSearch(CANDIDATES)
A = start("a")


def reached(*dices: Sequence[float], last: int = 1) -> History:
    """A study of random members: of each, the Dice at every rung that it has reached."""
    of, generator = study(), Random(0)
    with of.at_work("cpu", lease=30) as worker:
        for number, values in enumerate(dices):
            action = RANDOM.next(of.history(), 0, generator)
            assert isinstance(action, Start)
            claim = of.start(Proposal(decisions=action.decisions, digest=str(number)), worker, most=999)
            for rung, dice in enumerate(values):
                if rung:
                    claim = of.go_on(number, RunKey(rung=rung), worker)
                assert isinstance(claim, Claim)
                _end(of, claim, dice, last=rung == last)
    return of.history()


def _end(of: MemoryStudy, claim: Claim, dice: float, *, last: bool) -> None:
    of.clock.sleep(1)
    of.finish(claim, Result(state=State.COMPLETE if last else State.PAUSED, values={"dice": dice}))


PROPOSERS = [
    RANDOM,
    QuasiRandomSearch(CANDIDATES),
    Evolution(CANDIDATES, DICE, RANDOM, population=3, drawn=2),
    LocalSearch(CANDIDATES, DICE, RANDOM, first=3),
]


@pytest.mark.parametrize("strategy", PROPOSERS, ids=lambda strategy: type(strategy).__name__)
@pytest.mark.parametrize("history", [History(), reached((0.5,), (0.6, 0.7), (0.4,))])
def test_a_proposal_is_a_member_and_follows_from_history_and_chance(strategy: Strategy, history: History) -> None:
    actions = [strategy.next(history, 0, Random(3)) for _ in range(2)]
    assert actions[0] == actions[1]
    assert isinstance(actions[0], Start)
    CANDIDATES.decide(actions[0].decisions)


@pytest.mark.parametrize("strategy", PROPOSERS[2:], ids=lambda strategy: type(strategy).__name__)
def test_a_child_differs_from_its_parent_in_one_decision_and_what_that_opens(strategy: Strategy) -> None:
    known = reached((0.5,), (0.6, 0.7), (0.4,))
    for seed in range(9):
        action = strategy.next(known, 0, Random(seed))
        assert isinstance(action, Start)
        assert action.parent is not None
        parent = known.by_number[action.parent].decisions or {}
        changed = [path for path in parent if path in action.decisions and parent[path] != action.decisions[path]]
        assert len(changed) == 1


def test_local_search_begins_with_the_best_and_goes_on_where_its_neighbours_are_known() -> None:
    known = reached((0.5,), (0.6, 0.7), (0.4,))
    strategy = LocalSearch(CANDIDATES, DICE, RANDOM, first=3)
    action = strategy.next(known, 0, Random(0))
    assert isinstance(action, Start)
    assert action.parent == 1
    best = known.by_number[1].decisions or {}
    neighbours = {frozenset(CANDIDATES.mutate(best, Random(seed)).items()) for seed in range(500)}
    of = study()
    with of.at_work("cpu", lease=30) as worker:
        for number, neighbour in enumerate(sorted(neighbours, key=repr)):
            of.start(
                Proposal(decisions=dict(neighbour), digest=f"n{number}", refusal=State.INFEASIBLE, reason="known"),
                worker,
                most=999,
            )
    others = [replace(trial, number=3 + trial.number) for trial in of.history().trials]
    action = strategy.next(History((*known.trials, *others), 99), 0, Random(0))
    assert isinstance(action, Start)
    assert action.parent == 0


def test_evolution_forgets_the_old() -> None:
    known = reached((0.9,), (0.5,), (0.6,), (0.4,))
    strategy = Evolution(CANDIDATES, DICE, RANDOM, population=3, drawn=3)
    action = strategy.next(known, 0, Random(0))
    assert isinstance(action, Start)
    assert action.parent == 2


def test_quasi_random_points_fall_evenly() -> None:
    space = Space("point", Point())
    decided = [space.decide(from_point((share,) * 4)) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 0.999)]
    assert [point.kind for point in decided] == ["a", "a", "a", "b", "b", "b"]
    assert [point.rare for point in decided] == [1, 1, 1, 1, 3, 3]
    assert [point.count for point in decided] == [1, 1, 2, 2, 3, 3]
    assert decided[0].rate == pytest.approx(0.01)
    assert decided[3].rate == pytest.approx(0.01 * 100**0.6)


@pytest.mark.parametrize(
    ("known", "running", "action"),
    [
        (reached(), 0, A),
        (reached((0.5,), (0.6,)), 0, A),
        (reached((0.5,), (0.6,), (0.4,)), 0, Continue(1, 1)),
        (reached((0.5,), (0.6, 0.1), (0.4,)), 0, Continue(0, 1)),
        (reached((0.5, 0.2), (0.6, 0.1), (0.4,)), 0, Done()),
        (reached((0.5, 0.2), (0.6, 0.1), (0.4,)), 1, Wait()),
    ],
)
def test_all_are_begun_before_the_best_are_finished(known: History, running: int, action: Action) -> None:
    strategy = BriefThenBest(ScriptedStrategy([A]), DICE, many=3, finished=2)
    assert strategy.next(known, running, Random(0)) == action


@pytest.mark.parametrize(
    ("known", "action"),
    [
        (reached(last=2), A),
        (reached((0.5,), last=2), A),
        (reached((0.5,), (0.6,), last=2), Continue(1, 1)),
        (reached((0.5,), (0.6, 0.1), last=2), A),
        (reached((0.5,), (0.6, 0.1), (0.4,), (0.3,), last=2), Continue(0, 1)),
        (reached((0.5, 0.2), (0.6, 0.1), (0.4,), (0.3,), last=2), Continue(0, 2)),
        (reached((0.5, 0.2, 0.3), (0.6, 0.1), (0.4,), (0.3,), last=2), A),
    ],
)
def test_the_best_of_a_rung_go_on_as_soon_as_it_holds_enough(known: History, action: Action) -> None:
    strategy = AsynchronousHalving(ScriptedStrategy([A]), DICE, rungs=3, share=2)
    assert strategy.next(known, 0, Random(0)) == action


def test_a_trial_that_climbs_changes_nothing_of_what_the_sampler_sees() -> None:
    strategy = TreeParzen(CANDIDATES, DICE)
    before = reached((0.5,), (0.6,), (0.4,), (0.3,))
    after = reached((0.5,), (0.6, 0.1), (0.4, 0.9), (0.3,), last=2)
    proposals = [strategy.next(known, 0, Random(7)) for known in (before, after)]
    assert proposals[0] == proposals[1]
    assert strategy._memory is not None
    assert len(strategy._memory.study.trials) == 4 + len(proposals)  # nothing was added anew


def test_the_points_of_a_sequence_are_the_same_however_many_are_drawn_at_once() -> None:
    for index in (0, 1, 127, 128, 300):
        sequence = Sobol(DIMENSIONS, seed=5)
        if index:
            sequence.fast_forward(index)
        assert _point(5, index) == sequence.random(1)[0].tolist()
