"""What strategies decide: pure functions of the history, put around each other."""

from itertools import count
from random import Random

import pytest

from nas.catalog import load_space
from nas.graph import Task
from nas.searching.candidates import Candidates, candidates_of, graph_of
from nas.searching.references import Entry
from nas.searching.settings import STRATEGIES
from nas.searching.strategies import Action, Done, Start, Strategy, Wait
from nas.searching.strategies.counted import MISSES_BEFORE_A_FAULT, MISSES_BEFORE_THE_END, Counted
from nas.searching.strategies.novel import Novel
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.searching.strategies.published import PublishedFirst
from nas.searching.strategies.tree_parzen import BLOCK, TreeParzen
from nas.study.history import Document, History, Origin, Result, RunKey, State, Trial
from nas.study.memory import MemoryStudy
from nas.study.objective import DICE
from nas.study.protocol import Claim, Proposal
from nas.training import Recipe
from tests.searching.stand_in import ScriptedStrategy, start, study

TINY = load_space("tiny")
TASK = Task(2, 1, 2, (32, 32), ((2, 2),) * 2)
CANDIDATES: Candidates = candidates_of(TINY, Recipe())
A = start("a")


def identify(decisions: Document) -> tuple[str | None, str | None]:
    graph, _ = graph_of(CANDIDATES.decide(decisions).architecture, TASK)
    return (graph.digest if graph else None), "recipe"


def trial(number: int, **changes: object) -> Trial:
    facts = {"number": number, "decisions": {}, "digest": str(number), "recipe_digest": None} | changes
    return Trial(**facts)  # type: ignore[arg-type]


def refused(number: int, state: State = State.INFEASIBLE) -> Trial:
    return trial(number, refusal=state, reason="too many MACs", constraints={"macs": 1.0 + number})


def history(*trials: Trial) -> History:
    return History(trials, len(trials))


def trained(dices: int, generator: Random, wanted: int | None = None) -> MemoryStudy:
    """A study of random members with results that follow from them."""
    of = study()
    with of.at_work("cpu", lease=30) as worker:
        while len(of.history().in_state(State.COMPLETE)) < dices:
            decisions = dict(TINY.sample(generator))
            digest, recipe = identify(decisions)
            claim = of.start(Proposal(decisions=decisions, digest=digest, recipe_digest=recipe), worker, most=999)
            if isinstance(claim, Claim):
                of.clock.sleep(1)
                of.finish(claim, Result(state=State.COMPLETE, values={"dice": len(str(decisions)) / 1000}))
    return of


def running(number: int) -> Trial:
    with (of := study()).at_work("cpu", lease=30) as worker:
        of.start(Proposal(decisions={}, digest="a"), worker, most=9)
        return of.history().trials[0]


@pytest.mark.parametrize(
    ("known", "under_way", "action"),
    [
        (history(), 0, A),
        (history(), 1, A),
        (history(), 2, Wait()),
        (history(refused(0), refused(1)), 0, A),
        (history(*[refused(n) for n in range(MISSES_BEFORE_A_FAULT)]), 0, Done),
        (history(*[refused(n) for n in range(MISSES_BEFORE_A_FAULT)]), 1, A),
    ],
)
def test_so_many_networks_are_wanted_and_no_more(known: History, under_way: int, action: Action | type) -> None:
    said = Counted(ScriptedStrategy([A]), wanted=2).next(known, under_way, Random(0))
    assert said == action or isinstance(said, action if isinstance(action, type) else ())


def test_a_search_of_which_nothing_can_be_trained_names_the_limit_and_the_nearest() -> None:
    known = history(*[refused(n) for n in range(MISSES_BEFORE_A_FAULT)])
    said = Counted(ScriptedStrategy([A]), wanted=2).next(known, 0, Random(0))
    assert isinstance(said, Done)
    assert said.fault
    assert "the nearest, trial 0: too many MACs" in (said.reason or "")


def test_a_space_that_seems_exhausted_ends_the_search() -> None:
    of = trained(1, Random(0))
    known = History((*of.history().trials, *[refused(n + 1, State.DUPLICATE) for n in range(MISSES_BEFORE_THE_END)]))
    said = Counted(ScriptedStrategy([A]), wanted=2).next(known, 0, Random(0))
    assert isinstance(said, Done)
    assert not said.fault
    assert "exhausted" in (said.reason or "")


def test_enough_is_done() -> None:
    assert Counted(ScriptedStrategy([A]), wanted=2).next(trained(2, Random(0)).history(), 0, Random(0)) == Done()


def test_published_networks_come_first_and_each_once() -> None:
    entries = [Entry(member.name, member.architecture) for member in TINY.members]
    strategy = PublishedFirst(ScriptedStrategy([A]), CANDIDATES, entries)
    first = strategy.next(history(), 0, Random(0))
    assert isinstance(first, Start)
    assert (first.reference, first.origin) == (entries[0].name, Origin.PUBLISHED)
    assert CANDIDATES.decide(first.decisions).architecture == entries[0].architecture
    tried = [trial(n, reference=entry.name) for n, entry in enumerate(entries)]
    assert strategy.next(history(*tried), 0, Random(0)) == A


def tree_parzen() -> TreeParzen:
    return TreeParzen(CANDIDATES, DICE)


@pytest.mark.parametrize("trials", [0, 5, 20, BLOCK + 5, 3 * BLOCK])
def test_what_is_proposed_follows_from_history_and_chance_alone(trials: int) -> None:
    of = trained(trials, Random(1)) if trials < 60 else _many(trials)
    known = of.history()
    asked_before = tree_parzen()
    for size in range(0, len(known.trials), 7):
        asked_before.next(History(known.trials[:size], size), 0, Random(size))
    assert asked_before.next(known, 0, Random(3)) == tree_parzen().next(known, 0, Random(3))
    assert asked_before.next(known, 0, Random(3)) == tree_parzen().next(known, 0, Random(3))


def _many(trials: int) -> MemoryStudy:
    """More trials than the space has networks: digests that differ all the same."""
    of, generator = study(), Random(1)
    with of.at_work("cpu", lease=30) as worker:
        for number in range(trials):
            decisions = dict(TINY.sample(generator))
            claim = of.start(Proposal(decisions=decisions, digest=str(number)), worker, most=999)
            assert isinstance(claim, Claim)
            of.clock.sleep(1)
            of.finish(claim, Result(state=State.COMPLETE, values={"dice": generator.random()}))
    return of


def test_what_is_under_way_is_taken_into_account_and_leaves_no_trace() -> None:
    known = trained(15, Random(1)).history()
    busy = of_running(known)
    strategy = tree_parzen()
    alone = strategy.next(known, 0, Random(3))
    strategy.next(busy, 1, Random(3))
    assert strategy.next(known, 0, Random(3)) == alone


def of_running(known: History) -> History:
    best = known.in_state(State.COMPLETE)[0]
    under_way = trial(len(known.trials), decisions=best.decisions, runs=running(0).runs)
    return History((*known.trials, under_way), known.cursor + 1)


def test_every_proposal_is_a_member() -> None:
    known = trained(12, Random(1)).history()
    for seed in range(5):
        action = tree_parzen().next(known, 0, Random(seed))
        assert isinstance(action, Start)
        CANDIDATES.decide(action.decisions)


def test_what_is_known_gives_way_to_a_change_of_a_good_network() -> None:
    known = trained(20, Random(1)).history()
    best = max(known.in_state(State.COMPLETE), key=lambda trial: trial.values["dice"])
    stubborn: Strategy = ScriptedStrategy([Start(best.decisions or {})])
    action = Novel(stubborn, CANDIDATES, identify, DICE).next(known, 0, Random(0))
    assert isinstance(action, Start)
    assert action.parent is not None
    assert identify(action.decisions) not in {trial.training for trial in known.trials}


def test_where_all_that_is_near_the_best_is_known_any_other_network_is_proposed() -> None:
    known = trained(20, Random(1)).history()
    digest, recipe_digest = known.trials[0].training
    asked = count()

    def all_near_is_known(decisions: Document) -> tuple[str | None, str | None]:
        return (digest, recipe_digest) if next(asked) < 26 else ("another", "recipe")

    stubborn: Strategy = ScriptedStrategy([Start(known.trials[0].decisions or {})])
    action = Novel(stubborn, CANDIDATES, all_near_is_known, DICE).next(known, 0, Random(0))
    assert isinstance(action, Start)
    assert action.parent is None
    CANDIDATES.decide(action.decisions)


def test_what_is_new_passes() -> None:
    known = trained(3, Random(1)).history()
    fresh = next(
        decisions
        for decisions in (dict(TINY.sample(Random(seed))) for seed in range(99))
        if identify(decisions) not in {trial.training for trial in known.trials}
    )
    action = Novel(ScriptedStrategy([Start(fresh)]), CANDIDATES, identify, DICE).next(known, 0, Random(0))
    assert action == Start(fresh)


def test_the_key_of_a_first_run_is_the_studys() -> None:
    assert study(fold=3, seed=5).settings.first_run == RunKey(fold=3, seed=5)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_proposer_that_settings_name_proposes_members(name: str) -> None:
    proposing = PROPOSERS[name](Ground(CANDIDATES, DICE, identify))
    for known in (history(), trained(25, Random(0)).history()):
        action = proposing.next(known, 0, Random(1))
        assert isinstance(action, Start)
        assert CANDIDATES.decide(action.decisions).architecture


def test_settings_name_all_proposers() -> None:
    assert set(STRATEGIES) == set(PROPOSERS)
