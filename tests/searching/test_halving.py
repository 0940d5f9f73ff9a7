"""How a time is divided, and that what climbs, ends and is returned follows from the history alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.clock import SimulatedClock
from nas.searching.evaluators import Description
from nas.searching.evaluators.tabular import Row, TabularEvaluator
from nas.searching.loop import Search, kept, work
from nas.searching.schedule import BRIEFEST, Schedule, between, fit_schedule
from nas.searching.strategies import Action, Continue, Done, Start, Wait
from nas.searching.strategies.counted import Counted
from nas.searching.strategies.halving import Halving
from nas.study.history import Document, History, Origin, Run, State, Trial
from nas.study.memory import MemoryStudy
from nas.study.objective import DICE, ranked
from tests.searching.stand_in import SETTINGS, describe


@pytest.mark.parametrize(
    ("seconds", "workers", "trials", "rungs", "survivors"),
    [
        (60, 1, None, 1, (1,)),  # too short to tell networks apart
        (60, 1, 1, 1, (1,)),
        (60, 1, 3, 2, (3, 2)),  # the user wants a few
        (60, 1, 100, 2, (4, 2)),
        (200, 1, None, 2, (4, 2)),
        (900, 1, None, 3, (8, 2, 2)),
        (900, 1, 1, 1, (1,)),
        (900, 1, 3, 2, (3, 2)),
        (900, 1, 10, 3, (8, 2, 2)),
        (900, 2, None, 3, (8, 2, 2)),  # a finalist for each worker
        (900, 4, None, 3, (16, 4, 4)),
        (900, 3, 10, 3, (10, 3, 3)),
        (7200, 1, None, 4, (32, 8, 2, 2)),
        (14 * 3600, 1, None, 5, (128, 32, 8, 2, 2)),
        (14 * 3600, 1, 100, 5, (100, 25, 7, 2, 2)),
    ],
)
def test_rungs_follow_from_the_time(
    seconds: float, workers: int, trials: int | None, rungs: int, survivors: tuple[int, ...]
) -> None:
    schedule = fit_schedule(seconds, workers=workers, trials=trials)
    assert (len(schedule.rungs), schedule.survivors) == (rungs, survivors)


@given(st.floats(1, 1e6), st.integers(1, 20), st.none() | st.integers(1, 1000))
def test_every_schedule_uses_its_time_and_ends_with_whole_trainings(
    seconds: float, workers: int, trials: int | None
) -> None:
    schedule = fit_schedule(seconds, workers=workers, trials=trials)
    climbs = range(1, len(schedule.rungs))
    total = schedule.waves(schedule.survivors[0]) * schedule.first
    total += sum(schedule.waves(schedule.survivors[rung]) * schedule.climb(rung) for rung in climbs)
    assert total == pytest.approx(0.97 * seconds)
    assert schedule.rungs[-1] == 1
    assert list(schedule.rungs) == sorted(schedule.rungs)
    assert list(schedule.survivors) == sorted(schedule.survivors, reverse=True)
    assert trials is None or schedule.survivors[0] <= trials
    assert len(schedule.rungs) < 3 or schedule.first >= BRIEFEST
    assert Schedule.from_json(schedule.to_json()) == schedule


SCHEDULE = Schedule(seconds=100.0, length=32.0, rungs=(0.0625, 0.25, 1.0), survivors=(8, 4, 2))


@dataclass(frozen=True)
class Proposals:
    """Proposes networks 0, 1, 2 ...; some are published."""

    published: frozenset[int] = frozenset()

    def next(self, history: History, running: int, generator: Random) -> Action:
        number = len(history.trials)
        reference = f"published {number}" if number in self.published else None
        origin = Origin.PUBLISHED if reference else Origin.STRATEGY
        return Start({"network": str(number)}, origin=origin, reference=reference)


def row(brief: float, middle: float, full: float, **changes: object) -> Row:
    values = [{"dice": value} for value in (brief, middle, full)]
    return replace(Row(values, seconds=SCHEDULE.length), **changes)  # type: ignore[arg-type]


def searched(
    rows: Sequence[Row],
    schedule: Schedule = SCHEDULE,
    *,
    published: frozenset[int] = frozenset(),
    wanted: int = 100,
    begun: MemoryStudy | None = None,
    beside: float = 0.0,
) -> MemoryStudy:
    study = begun or MemoryStudy(replace(SETTINGS, rungs=list(schedule.rungs)), SimulatedClock())
    table = {(str(number), "recipe"): rows[number % len(rows)] for number in range(1000)}
    evaluator = TabularEvaluator(_describe, table, study.clock, schedule.rungs, beside)
    strategy = Halving(Counted(Proposals(published), wanted), schedule, DICE)
    work(Search(study, strategy, evaluator, wanted, "space", lambda _: None, schedule), device="cpu", lease=30)
    return study


def _describe(decisions: Document) -> Description:
    return describe(decisions)


def reached(study: MemoryStudy) -> list[list[int]]:
    """The trials that have reached each rung."""
    trials = study.history().trials
    return [
        [trial.number for trial in trials if any(run.key.rung == rung for run in trial.runs)]
        for rung in range(len(SCHEDULE.rungs))
    ]


def steady(dice: float) -> Row:
    return row(dice / 2, dice * 0.8, dice)


ROWS = [steady(dice) for dice in (0.5, 0.6, 0.9, 0.7, 0.65, 0.8, 0.55, 0.85)]


def test_the_best_climb_and_the_time_is_used() -> None:
    study = searched(ROWS)
    begun, middle, full = reached(study)
    best = sorted(begun, key=lambda number: -ROWS[number % len(ROWS)].values[0]["dice"])
    assert set(middle) == set(best[:4])
    assert full == [number for number in begun if number in best[:2]]
    assert 0.95 <= SCHEDULE.used(study.history()) <= 1.02
    assert all(trial.state in (State.PAUSED, State.COMPLETE) for trial in study.history().trials)
    assert ranked(study.history(), DICE)[0].values == {"dice": 0.9}


def test_the_best_published_network_is_trained_to_full_length_however_it_does() -> None:
    study = searched([*ROWS[2:], steady(0.1)], published=frozenset({6, 0}))
    full = reached(study)[-1]
    assert 0 in full
    assert len(full) == 2
    study = searched([steady(0.1), *ROWS[1:]], published=frozenset({0}))
    assert {0} < set(reached(study)[-1])


def test_one_that_is_lost_on_the_way_makes_room_for_the_next() -> None:
    rows = [*ROWS]
    rows[2] = row(0.45, 0.72, 0.9, state=State.DIVERGED)
    study = searched(rows)
    states = {trial.number: trial.state for trial in study.history().trials}
    assert list(states.values()).count(State.COMPLETE) == 2


def test_a_search_that_is_given_more_time_explores_and_climbs_on() -> None:
    study = searched(ROWS)
    before = {trial.number: trial for trial in study.history().trials}
    searched([*ROWS, steady(0.95)], SCHEDULE.given(200.0), begun=study)
    after = study.history()
    assert len(after.trials) > len(before)
    assert all(after.by_number[number].runs[0] == trial.runs[0] for number, trial in before.items())
    assert SCHEDULE.given(200.0).used(after) >= 0.95


def test_a_search_of_so_many_networks_trains_the_next_best_with_what_is_left() -> None:
    study = searched(ROWS, wanted=3)
    assert len(study.history().trials) == 3
    assert reached(study)[-1] == [0, 1, 2]


def test_what_runs_take_beside_their_training_leaves_less_to_explore() -> None:
    study = searched(ROWS, beside=0.5)
    assert len(reached(study)[0]) < len(reached(searched(ROWS))[0])
    assert 0.95 <= SCHEDULE.used(study.history()) <= 1.02


def test_what_lies_between_runs_counts_and_a_search_that_was_stopped_does_not() -> None:
    study = searched(ROWS, SCHEDULE, wanted=1)
    (trial,) = study.history().trials
    first, *_ = trial.runs
    assert first.finished is not None
    other = replace(trial, number=1, runs=(replace(first, id=99, started=first.finished, finished=first.finished),))
    alone = History((replace(trial, runs=(first,)), other))
    assert between(alone) == 0
    for seconds, counted in ((5, 5), (3600, 0)):
        later = replace(other, runs=tuple(_later(run, seconds) for run in other.runs))
        history = History((alone.trials[0], later))
        assert between(history) == counted
        assert SCHEDULE.used(history) == pytest.approx(SCHEDULE.used(alone) + counted / SCHEDULE.seconds)


def _later(run: Run, seconds: int) -> Run:
    shift = timedelta(seconds=seconds)
    return replace(run, started=run.started + shift, finished=run.finished and run.finished + shift)


def test_a_worker_waits_while_another_trains_to_the_rung_that_it_chooses_from() -> None:
    schedule = replace(SCHEDULE, workers=2)
    strategy = Halving(Counted(Proposals(), 100), schedule, DICE)
    study = searched(ROWS)
    trials = tuple(_first_rung(trial) for trial in study.history().trials)
    full = replace(schedule, seconds=len(trials))  # nothing left to explore with
    begun = (*trials[:-1], _running(trials[-1]))
    assert Halving(Counted(Proposals(), 100), full, DICE).next(History(begun), 1, Random(0)) == Wait()
    assert isinstance(Halving(Counted(Proposals(), 100), full, DICE).next(History(trials), 0, Random(0)), Continue)
    assert isinstance(strategy.next(History(), 0, Random(0)), Start)


@pytest.mark.parametrize(("begun", "room", "action"), [(8, 1.5, Continue), (8, 2.5, Start), (7, 1.5, Start)])
def test_no_network_is_begun_for_which_another_worker_would_wait_longer_than_there_is_time(
    begun: int, room: float, action: type[Action]
) -> None:
    trials = tuple(_first_rung(trial) for trial in searched(ROWS).history().trials[:begun])
    first, climbs = SCHEDULE.first, 2 * SCHEDULE.climb(1) + SCHEDULE.climb(2)
    schedule = replace(SCHEDULE, workers=2, seconds=begun * first / 2 + climbs + room)
    assert isinstance(Halving(Counted(Proposals(), 100), schedule, DICE).next(History(trials), 0, Random(0)), action)


@pytest.mark.parametrize("workers", [1, 4])
def test_all_that_may_climb_keep_their_checkpoints(workers: int) -> None:
    schedule = fit_schedule(7200.0, workers=workers)
    assert kept(schedule) >= schedule.survivors[1]
    assert kept(None) == kept(fit_schedule(10.0))


def test_no_time_is_the_end() -> None:
    assert Halving(Counted(Proposals(), 0), SCHEDULE, DICE).next(History(), 0, Random(0)) == Done()


def _first_rung(trial: Trial) -> Trial:
    return trial.as_of(0)


def _running(trial: Trial) -> Trial:
    return replace(trial, runs=(replace(trial.runs[0], state=State.RUNNING, values={}),))
