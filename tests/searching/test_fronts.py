"""Searches after several objectives: what is proposed, who goes on, and who cannot serve them."""

from dataclasses import replace
from random import Random

import pytest

from nas.catalog import load_space
from nas.errors import InputError
from nas.searching.candidates import candidates_of
from nas.searching.settings import ONE_OBJECTIVE, STRATEGIES, SearchSettings
from nas.searching.strategies import Start
from nas.searching.strategies.genetic import Genetic
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.searching.strategies.random import RandomSearch
from nas.searching.strategies.spread import spread_out
from nas.searching.strategies.standing import standing
from nas.searching.strategies.tree_parzen import BLOCK
from nas.study.history import History, Result, State
from nas.study.objective import read_objectives
from nas.study.protocol import ArchitectureRecord, Claim, Proposal
from nas.training import Recipe
from tests.searching.stand_in import study

CANDIDATES = candidates_of(load_space("small_volumes"), Recipe())
GOALS = read_objectives("dice,parameters")
SEVERAL = tuple(name for name in STRATEGIES if name not in ONE_OBJECTIVE)


def known(*results: tuple[float, int]) -> History:
    """Random members that are paused at the first rung, by Dice and parameters."""
    of, generator = study(objectives=[goal.to_json() for goal in GOALS]), Random(0)
    with of.at_work("cpu", lease=30) as worker:
        for number, (dice, parameters) in enumerate(results):
            action = RandomSearch(CANDIDATES).next(of.history(), 0, generator)
            assert isinstance(action, Start)
            record = ArchitectureRecord(str(number), {}, {}, parameters, 1, 1)
            claim = of.start(
                Proposal(decisions=action.decisions, digest=str(number), architecture=record), worker, most=999
            )
            assert isinstance(claim, Claim)
            of.clock.sleep(1)
            of.finish(claim, Result(state=State.PAUSED, values={"dice": dice}))
    return of.history()


def many(count: int) -> History:
    generator = Random(1)
    return known(*((generator.random(), generator.randrange(1, 1000)) for _ in range(count)))


def identify(decisions: dict[str, object]) -> tuple[str, str]:
    return repr(sorted(decisions.items())), "recipe"


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("history", [History(), many(30)], ids=["nothing", "something"])
def test_what_serves_several_objectives_proposes_members_by_history_and_chance_alone(
    name: str, history: History
) -> None:
    strategies = [PROPOSERS[name](Ground(CANDIDATES, GOALS, identify)) for _ in range(2)]
    strategies[0].next(many(9), 0, Random(8))
    actions = [strategy.next(history, 0, Random(3)) for strategy in strategies]
    assert actions[0] == actions[1]
    assert isinstance(actions[0], Start)
    CANDIDATES.decide(actions[0].decisions)


def test_a_long_history_is_looked_at_by_pareto_rank() -> None:
    strategy = PROPOSERS["tree_parzen"](Ground(CANDIDATES, GOALS, identify))
    assert isinstance(strategy.next(many(3 * BLOCK), 0, Random(0)), Start)


def test_children_have_the_decisions_of_the_best_but_for_a_few() -> None:
    """Where all that may be parents share their decisions, children differ from them in few."""
    history = many(60)
    best = [trial.number for trial in standing(history, GOALS, 0)[:40]]
    decisions = history.by_number[best[0]].decisions or {}
    alike = [trial if trial.number not in best else replace(trial, decisions=decisions) for trial in history.trials]
    strategy = Genetic(CANDIDATES, GOALS)
    children = [strategy.next(History(tuple(alike)), 0, Random(seed)) for seed in range(20)]
    families = [child.decisions["family"] for child in children if isinstance(child, Start)]
    assert families.count(decisions["family"]) >= 12


def test_those_that_go_on_from_a_rung_cover_the_front() -> None:
    history = known((0.9, 1000), (0.89, 900), (0.88, 800), (0.5, 10), (0.4, 2000), (0.7, 100))
    assert [trial.number for trial in standing(history, GOALS, 0)] == [0, 3, 2, 1, 5, 4]
    assert [trial.number for trial in standing(history, GOALS[:1], 0)] == [0, 1, 2, 5, 3, 4]


def test_trials_of_a_rank_are_spread_by_their_places_and_never_lost() -> None:
    trials = list(many(12).trials)
    spread = spread_out(trials, GOALS)
    assert spread[0] is trials[0]
    assert sorted(trial.number for trial in spread) == list(range(12))


@pytest.mark.parametrize("name", ONE_OBJECTIVE)
def test_a_strategy_that_serves_one_objective_is_refused_for_several(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} serves one objective, and objective names 2") as refused:
        SearchSettings(strategy=name, objective="dice,latency")
    assert "nsga2" in str(refused.value)
    assert SearchSettings(strategy=name).strategy == name
