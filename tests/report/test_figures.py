"""Every figure of every kind of study: plain values, a sentence, a table and a picture, or a sentence why not."""

import csv
import io
import json
import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.report import Material, figures
from nas.report.figures import Missing
from nas.report.figures.agreement import spearman
from nas.report.figures.importance import Importances
from nas.report.figures.progress import expected_best
from nas.report.pareto import not_beaten
from nas.study.history import State
from nas.study.objective import Objective
from tests.report.factories import HOSTILE, Stored, changed, in_state, stored

THREE = [
    Objective().to_json(),
    Objective("parameters", "minimize").to_json(),
    Objective("seconds", "minimize").to_json(),
]
RUNGS = (0.1, 0.3, 1.0)


def running(study: Stored) -> Stored:
    """The last network is still in training."""
    last = study.trials[-1]
    runs = (replace(last.runs[0], state=State.RUNNING, values={}, seconds=None, finished=None),)
    return replace(study, trials=(*study.trials[:-1], replace(last, runs=runs)))


STUDIES: dict[str, Callable[[], Stored]] = {
    "whole": lambda: stored(30),
    "with rungs": lambda: stored(40, RUNGS),
    "three objectives": lambda: stored(30, objectives=THREE),
    "one network": lambda: stored(1),
    "no network": lambda: stored(0),
    "all infeasible": lambda: in_state(stored(4), State.INFEASIBLE, "over the limit"),
    "all failed": lambda: in_state(stored(4), State.FAILED, "Traceback (most recent call last):\n  x\nValueError: no"),
    "all diverged": lambda: in_state(stored(4), State.DIVERGED, "loss is nan"),
    "all paused": lambda: in_state(stored(4), State.PAUSED, ""),
    "running": lambda: running(stored(6)),
    "without cases and graphs": lambda: replace(stored(30), cases={}, graphs={}),
    "hostile": lambda: changed(
        stored(30, RUNGS, name=HOSTILE, data=HOSTILE),
        lambda trial: replace(trial, reference=HOSTILE, decisions={**(trial.decisions or {}), HOSTILE: HOSTILE}),
    ),
}


@pytest.fixture(params=list(STUDIES), scope="module")
def material(request: pytest.FixtureRequest) -> Material:
    return STUDIES[request.param]().material


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_shows_a_study_or_says_why_not(name: str, material: Material) -> None:
    figure = figures.figure_of(name)
    values = figure.values(material)
    if isinstance(values, Missing):
        assert values.reason.endswith(".")
        with pytest.raises(InputError, match=name):
            figures.draw(name, material)
        return
    assert figure.words(values).rstrip().endswith(".")
    rows = list(csv.reader(io.StringIO(figure.table(values).to_csv())))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    picture = figure.draw(values).to_plotly_json()
    assert picture["data"]
    assert HOSTILE[:9] not in json.dumps(picture, default=str)


@pytest.mark.parametrize("name", figures.names())
def test_a_whole_study_has_each_figure(name: str) -> None:
    assert not isinstance(figures.figure_of(name).values(stored(60, RUNGS).material), Missing)


def test_a_figure_that_does_not_exist_is_told_with_one_that_may_be_meant() -> None:
    with pytest.raises(InputError, match="did you mean 'front'"):
        figures.draw("fronts", stored(3).material)


def test_the_front_has_those_that_nothing_beats_in_both() -> None:
    points = [(0, 3.0, 1.0), (1, 2.0, 2.0), (2, 2.5, 3.0), (3, 1.0, 4.0), (4, 1.0, 5.0)]
    assert not_beaten(points) == [0, 1, 3]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_no_point_of_a_front_is_beaten_and_every_other_one_is(pairs: list[tuple[int, int]]) -> None:
    front = {pairs[number] for number in not_beaten([(n, float(a), float(b)) for n, (a, b) in enumerate(pairs)])}
    for a, b in pairs:
        beaten = any((c, d) != (a, b) and c <= a and d <= b for c, d in pairs)
        assert ((a, b) in front) is not beaten


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_the_best_of_all_is_the_highest_and_of_one_the_mean(values: list[float]) -> None:
    expected = expected_best(values)
    assert expected[0] == (1, pytest.approx(sum(values) / len(values)))
    assert expected[-1] == (len(values), pytest.approx(max(values)))


def test_ranks_that_agree_correlate() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 1, 2, 3], [1, 1, 2, 3]) == pytest.approx(1)
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))


def test_a_choice_that_decides_is_the_most_important_one_where_it_is_there() -> None:
    """`gate` is there for all; `inside` only where it is open, and alone decides."""
    chance = random.Random(0)
    study = stored(60)

    def decided(trial):  # type: ignore[no-untyped-def]
        gate = chance.choice(["open", "shut"])
        decisions = {"gate": gate, "noise": chance.random()} | ({"inside": chance.random()} if gate == "open" else {})
        runs = (replace(trial.runs[0], values={"dice": decisions.get("inside", 0.3)}),)
        return replace(trial, decisions=decisions, runs=runs)

    values = figures.figure_of("importance").values(changed(study, decided).material)
    assert isinstance(values, Importances)
    assert values.choices[0].path == "inside"
    assert {choice.path for choice in values.choices} == {"gate", "inside", "noise"}
    assert sum(choice.share for choice in values.choices) == pytest.approx(1)


def test_a_text_that_a_spreadsheet_would_carry_out_is_quoted() -> None:
    text = changed(stored(3), lambda trial: replace(trial, reference="=2+5")).material
    assert "'=2+5" in figures.table("front", text).to_csv()
