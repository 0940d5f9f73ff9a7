"""Strategies replayed on a table that nobody trained."""

import math
from dataclasses import replace
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from nas.errors import InputError
from nas.searching.strategies import Action, Continue, Done, Start, Wait
from nas.searching.tables.contestants import contestant, names, without
from nas.searching.tables.drawing import drawing
from nas.searching.tables.regret import NEAR, Contest, _ring, contest
from nas.searching.tables.replaying import Course, Lookup, replay
from nas.searching.tables.table import first_line, line_of
from nas.study.history import History, State
from nas.study.objective import read_objectives
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


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table of a few members, which random ones find soon."""
    file: Path = tmp_path_factory.mktemp("tables") / "few.jsonl"
    table = synthetic(share=0.1)
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
    of = Contest(file, (name,), seeds=2, workers=workers, budgets=(5,), patient=False)
    (standing,) = contest(of).standings
    assert contest(of).standings == [standing]
    assert all(0 <= regret < 0.3 for regret in standing.regrets)


def test_training_all_briefly_beats_training_each_to_the_end(file: str) -> None:
    whole, brief = contest(
        Contest(file, ("whole:random", "brief:random"), seeds=12, budgets=(16,), patient=False)
    ).standings
    assert brief.middle < whole.middle


@pytest.mark.parametrize("name", ["brief:random", "halving:random"])
def test_where_all_of_a_table_is_begun_the_best_are_finished(name: str, tmp_path: Path) -> None:
    table = synthetic(share=0.02)
    (tmp_path / "few.jsonl").write_text(first_line(table.making) + "".join(map(line_of, table.rows)))
    (standing,) = contest(Contest(str(tmp_path / "few.jsonl"), (name,), seeds=1, budgets=(6,))).standings
    assert standing.middle < math.inf


def test_one_long_replay_shows_what_less_would_have_reached(file: str) -> None:
    of = Contest(file, ("whole:random",), seeds=4, budgets=(1, 4, 8), patient=False)
    regrets = [standing.regrets for standing in contest(of).standings]
    assert all(one >= two >= three for one, two, three in zip(*regrets, strict=True))


def test_what_plans_nothing_is_replayed_until_it_is_near_the_best(few: str) -> None:
    results = contest(Contest(few, ("whole:random", "brief:random"), seeds=3, budgets=(4,)))
    whole, brief = results.arrivals
    assert whole.low <= whole.middle <= whole.high
    assert whole.middle > 4
    assert brief.middle in (4, math.inf)
    arrived = [moments[-1].dice >= results.best - NEAR for job, moments in results.moments.items() if "whole" in job[0]]
    assert sum(arrived) >= 2


@pytest.mark.parametrize("name", ["optuna:tpe", "optuna:tpe_hyperband", "optuna:nsga2"])
@pytest.mark.parametrize("workers", [1, 3])
def test_optuna_alone_is_replayed_by_its_own_loop(name: str, workers: int, file: str) -> None:
    lookup, ring = LOOKUP, replace(_ring(file), seed=5)
    course = Course(contestant(name, ring)[1], workers, 3)
    moments = [replay(lookup, contestant(name, ring)[0], course, 5) for _ in range(2)]
    assert moments[0] == moments[1]
    assert moments[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("whole:random", (1.0,)),
        ("brief:random", (0.25, 1.0)),
        ("halving:random", (0.25, 0.5, 1.0)),
        ("asynchronous:random", (0.25, 0.5, 1.0)),
        ("optuna:tpe", (1.0,)),
        ("optuna:tpe_hyperband", (0.25, 0.5, 1.0)),
    ],
)
def test_networks_are_compared_at_the_rungs_that_are_wished(name: str, expected: tuple[float, ...], file: str) -> None:
    wished = (0.25, 0.5, 1.0)
    assert contestant(name, replace(_ring(file), trainings=4.0, rungs=wished))[1] == expected
    (standing,) = contest(Contest(file, (name,), seeds=1, budgets=(16,), patient=False, rungs=wished)).standings
    assert standing.middle < 0.3


def test_a_part_that_is_switched_off_is_another_search(file: str) -> None:
    off = without("halving:tree_parzen")
    assert set(off.values()) == {
        "whole:tree_parzen",
        "halving:tree_parzen-published",
        "halving:tree_parzen-changes",
        "halving:random",
    }
    of = Contest(file, ("halving:random", "halving:random-published"), seeds=2, budgets=(4,))
    whole, bare = contest(of).standings
    assert whole.regrets != bare.regrets


def test_replays_that_are_kept_are_not_replayed_again(file: str, tmp_path: Path) -> None:
    kept, heard = tmp_path / "runs.jsonl", list[tuple[int, int]]()
    of = Contest(file, ("whole:random",), seeds=3, budgets=(2,), file=kept, patient=False)
    before = contest(of)
    text = kept.read_text()
    kept.write_text(text[:-9])  # stopped while it wrote
    after = contest(of, done=lambda count, total: heard.append((count, total)))
    assert heard == [(2, 3), (3, 3)]
    assert kept.read_text() == text
    assert [s.regrets for s in after.standings] == [pytest.approx(s.regrets, abs=1e-5) for s in before.standings]
    assert contest(Contest(file, ("brief:random",), 1, 1, (2,), file=kept, patient=False)).standings
    with pytest.raises(InputError, match="holds replays of another contest"):
        contest(Contest(file, ("whole:random",), 3, 2, (2,), file=kept, patient=False))


@pytest.mark.parametrize("text", ["", "[]\n", '{"format": 1}\n', "\x00\n"])
def test_a_file_of_something_else_is_refused(text: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text(text)
    with pytest.raises(InputError, match="name another file"):
        contest(Contest(file, ("whole:random",), seeds=1, budgets=(2,), file=tmp_path / "other.jsonl"))


def test_a_contest_is_drawn(file: str) -> None:
    results = contest(Contest(file, ("whole:random", "brief:random"), seeds=3, budgets=(2, 4), patient=False))
    svg = ElementTree.fromstring(drawing(results, "two <strategies>"))
    words = " ".join(svg.itertext())
    assert all(name in words for name in ("two <strategies>", "whole:random", "brief:random", "whole trainings spent"))
    assert len(svg.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def test_the_names_of_all_contestants_are_known(file: str) -> None:
    for name in names():
        assert contestant(name, replace(_ring(file), trainings=4.0))


def test_fronts_are_measured_by_the_share_of_the_tables_volume(file: str) -> None:
    goals = read_objectives("dice,parameters")
    of = Contest(file, ("optuna:nsga2", "halving:nsga2", "brief:random"), seeds=2, budgets=(2, 6), objectives=goals)
    results = contest(of)
    assert all(0 <= regret <= 1 for standing in results.standings for regret in standing.regrets)
    less, more = (results.standing("optuna:nsga2", budget).regrets for budget in (2, 6))
    assert all(one >= other for one, other in zip(less, more, strict=True))


@pytest.mark.parametrize(
    ("name", "objective", "message"),
    [
        ("halving:local_search", "dice,parameters", "serves one objective, not 2"),
        ("optuna:tpe_hyperband", "dice,macs", "serves one objective, not 2"),
        ("halving:random", "dice,latency", "which a table does not have; expected dice, parameters, macs"),
        ("halving:random-changes", "dice", "random has no such part"),
        ("optuna:tpe-published", "dice", "Optuna's own has no such part"),
        ("halving:random-nothing", "dice", "'nothing' is unknown"),
    ],
)
def test_what_cannot_be_replayed_is_said(name: str, objective: str, message: str, file: str) -> None:
    with pytest.raises(InputError, match=message):
        contest(Contest(file, (name,), seeds=1, budgets=(1,), objectives=read_objectives(objective)))


def test_a_table_that_does_not_fit_its_space_is_refused(tmp_path: Path) -> None:
    table = synthetic(share=0.02)
    making = replace(table.making, space_digest="other")
    (tmp_path / "old.jsonl").write_text(first_line(making) + "".join(map(line_of, table.rows)))
    with pytest.raises(InputError, match="is of another space"):
        contest(Contest(str(tmp_path / "old.jsonl"), ("whole:random",), seeds=1, budgets=(1,)))


@pytest.mark.parametrize("name", ["whole:randm", "hole:random", "random"])
def test_a_strategy_that_is_not_there_is_said(name: str, file: str) -> None:
    with pytest.raises(InputError, match="is unknown"):
        contest(Contest(file, (name,)))
