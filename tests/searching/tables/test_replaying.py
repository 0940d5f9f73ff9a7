"""Strategies replayed on a table that nobody trained."""

import math
from pathlib import Path
from random import Random

import pytest

from nas.errors import InputError
from nas.searching.strategies import Action, Continue, Done, Start, Wait
from nas.searching.tables.regret import Contest, Standing, contest, near_after
from nas.searching.tables.replaying import Course, Lookup, replay
from nas.searching.tables.table import first_line, line_of
from nas.study.history import History, State
from tests.searching.tables.synthetic import synthetic

LOOKUP = Lookup(synthetic())
ROWS = LOOKUP.table.rows
RUNGS = (1 / 16, 1 / 4, 1.0)


class Scripted:
    """Says one action after the other, and keeps the histories that it saw."""

    def __init__(self, *actions: Action) -> None:
        self.actions, self.seen = list(actions), list[History]()

    def next(self, history: History, running: int, generator: Random) -> Action:
        self.seen.append(history)
        return self.actions.pop(0) if self.actions else Done()


def start(number: int) -> Start:
    return Start(ROWS[number].decisions)


def test_a_run_is_paused_at_each_rung_with_a_few_cases_and_complete_with_all() -> None:
    strategy = Scripted(start(0), Continue(0, 1), Continue(0, 2))
    moments = replay(LOOKUP, strategy, Course(RUNGS), 0)
    assert [(moment.spent, moment.dice) for moment in moments] == [(1.0, ROWS[0].dice)]
    (trial,) = strategy.seen[-1].trials
    assert [run.state for run in trial.runs] == [State.PAUSED, State.PAUSED, State.COMPLETE]
    looks = [ROWS[0].looks[rung][0][0] for rung in (0, 2)]
    assert [run.values["dice"] for run in trial.runs] == pytest.approx([*looks, ROWS[0].dice])
    assert sum(run.seconds or 0 for run in trial.runs) == 1.0
    assert [measurement.epoch for measurement in trial.runs[2].curve[::2]] == list(range(3, 11))


def test_what_is_known_or_not_in_the_table_costs_nothing() -> None:
    strategy = Scripted(start(0), start(0), Start({"family": "unheard of"}), start(1))
    moments = replay(LOOKUP, strategy, Course(), 0)
    assert moments[-1].spent == (2.0 if ROWS[1].dice > ROWS[0].dice else 1.0)
    assert [trial.refusal for trial in strategy.seen[-1].trials] == [None, State.DUPLICATE, State.DUPLICATE, None]


def test_workers_train_side_by_side_and_wait_for_each_other() -> None:
    strategy = Scripted(start(0), start(1), Wait(), start(2))
    replay(LOOKUP, strategy, Course(workers=3), 0)
    assert [len(history.trials) for history in strategy.seen[:4]] == [0, 1, 2, 2]
    assert [history.in_state(State.RUNNING) != () for history in strategy.seen[2:4]] == [True, True]
    assert len(strategy.seen[3].in_state(State.COMPLETE)) == 1


def test_no_more_is_begun_than_may_be_spent() -> None:
    strategy = Scripted(*(start(number) for number in range(9)))
    assert replay(LOOKUP, strategy, Course(trainings=2.5), 0)[-1].spent <= 2
    assert len(strategy.seen[-1].in_state(State.COMPLETE, State.RUNNING)) == 2


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("tables") / "synthetic.jsonl"
    table = synthetic(share=0.5)
    file.write_text(first_line(table.making) + "".join(map(line_of, table.rows)))
    return str(file)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "whole:quasi_random",
        "brief:random",
        "halving:evolution",
        "asynchronous:local_search",
        "asynchronous:tree_parzen",
    ],
)
def test_every_contestant_spends_what_it_may_and_is_the_same_for_the_same_seed(
    name: str, workers: int, file: str
) -> None:
    of = Contest(file, (name,), seeds=2, workers=workers, budgets=(5,))
    (standing,) = contest(of)
    assert contest(of) == [standing]
    assert all(0 <= regret < 0.3 for regret in standing.regrets)


def test_training_all_briefly_beats_training_each_to_the_end(file: str) -> None:
    whole, brief = contest(Contest(file, ("whole:random", "brief:random"), seeds=12, budgets=(16,)))
    assert brief.middle < whole.middle


@pytest.mark.parametrize("name", ["brief:random", "halving:random"])
def test_where_all_of_a_table_is_begun_the_best_are_finished(name: str, tmp_path: Path) -> None:
    table = synthetic(share=0.02)
    (tmp_path / "few.jsonl").write_text(first_line(table.making) + "".join(map(line_of, table.rows)))
    (standing,) = contest(Contest(str(tmp_path / "few.jsonl"), (name,), seeds=1, budgets=(6,)))
    assert standing.middle < math.inf


def test_one_long_replay_shows_what_less_would_have_reached(file: str) -> None:
    of = Contest(file, ("whole:random",), seeds=4, budgets=(1, 4, 8))
    regrets = [standing.regrets for standing in contest(of)]
    assert all(one >= two >= three for one, two, three in zip(*regrets, strict=True))


def test_the_middle_half_of_seeds_and_when_half_came_near() -> None:
    before = Standing("a", 2, (math.inf, 0.02, 0.01, 0.0))
    after = Standing("a", 4, (0.004, 0.003, 0.002, 0.001))
    assert before.to_json() == {"strategy": "a", "trainings": 2, "median": 0.015, "low": 0.01, "high": None, "seeds": 4}
    assert after.quartiles == pytest.approx((0.00175, 0.00325))
    assert near_after([before, after]) == 4
    assert near_after([before]) is None


@pytest.mark.parametrize("name", ["whole:randm", "hole:random", "random"])
def test_a_strategy_that_is_not_there_is_said(name: str, file: str) -> None:
    with pytest.raises(InputError, match="is unknown"):
        contest(Contest(file, (name,)))
