"""Ranking by one objective and by several."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.study.history import History, Run, RunKey, Split, State, Trial
from nas.study.objective import DICE, Objective, fronts, objectives_of, ranked, read_objectives

SMALL = (Objective(), Objective("parameters", "minimize"))


def run(number: int, key: RunKey = RunKey(), state: State = State.COMPLETE, **values: float) -> Run:  # noqa: B008
    from datetime import UTC, datetime

    return Run(
        id=number,
        trial=number,
        key=key,
        state=state,
        reason=None,
        values=values,
        steps=None,
        seconds=None,
        peak_bytes=None,
        device=None,
        worker=None,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        finished=None,
    )


def trial(number: int, dice: float, parameters: int = 10, state: State = State.COMPLETE) -> Trial:
    runs = (run(number, state=state, dice=dice),)
    return Trial(number=number, decisions={}, digest=str(number), recipe_digest=None, parameters=parameters, runs=runs)


def numbers(trials: Sequence[Trial]) -> list[int]:
    return [trial.number for trial in trials]


def climbed(number: int, *dices: float, state: State = State.PAUSED) -> Trial:
    """A trial with a run at each rung; the last one stands so."""
    states = [State.PAUSED] * (len(dices) - 1) + [state]
    runs = [
        run(10 * number + rung, RunKey(rung=rung), stands, dice=dice)
        for rung, (dice, stands) in enumerate(zip(dices, states, strict=True))
    ]
    return Trial(number=number, decisions={}, digest=str(number), recipe_digest=None, parameters=10, runs=tuple(runs))


@pytest.mark.parametrize(
    ("trials", "order"),
    [
        ([climbed(0, 0.9), climbed(1, 0.5, 0.6), climbed(2, 0.4, 0.5, 0.55, state=State.COMPLETE)], [2, 1, 0]),
        ([climbed(0, 0.5, 0.8), climbed(1, 0.6, 0.7)], [0, 1]),
        ([climbed(0, 0.5, 0.0, state=State.RUNNING), climbed(1, 0.6)], [1, 0]),
        ([climbed(0, 0.5, 0.0, state=State.WAITING), climbed(1, 0.4)], [0, 1]),
        ([climbed(0, 0.5, 0.9, state=State.DIVERGED), climbed(1, 0.4)], [1]),
    ],
)
def test_what_was_trained_further_comes_first_and_what_is_trained_further_now_stands_where_it_stood(
    trials: list[Trial], order: list[int]
) -> None:
    assert numbers(ranked(History(tuple(trials)), DICE)) == order


@pytest.mark.parametrize(
    ("trials", "order"),
    [
        ([], []),
        ([trial(0, 0.5), trial(1, 0.7)], [1, 0]),
        ([trial(0, 0.7, 20), trial(1, 0.7, 10)], [1, 0]),
        ([trial(0, 0.7), trial(1, 0.7)], [0, 1]),
        ([trial(0, 0.9, state=State.PAUSED), trial(1, 0.5), trial(2, 0.9, state=State.RUNNING)], [1, 0]),
    ],
)
def test_the_best_is_complete_then_accurate_then_small_then_early(trials: list[Trial], order: list[int]) -> None:
    assert numbers(ranked(History(tuple(trials)), DICE)) == order


def test_a_lucky_fold_or_seed_does_not_speak_for_a_trial() -> None:
    lucky = Trial(
        number=0,
        decisions={},
        digest="a",
        recipe_digest=None,
        runs=(run(1, dice=0.5), run(2, RunKey(fold=1), dice=0.99), run(3, RunKey(split=Split.HOLDOUT), dice=0.98)),
    )
    assert Objective().value(lucky) == 0.5
    assert numbers(ranked(History((lucky, trial(1, 0.6))), DICE)) == [1, 0]


def test_fronts_of_accuracy_and_size() -> None:
    trials = [trial(0, 0.9, 100), trial(1, 0.8, 10), trial(2, 0.7, 10), trial(3, 0.8, 100), trial(4, 0.6, 1)]
    assert [numbers(front) for front in fronts(trials, SMALL)] == [[0, 1, 4], [2, 3]]


WIDE = (*SMALL, Objective("macs", "minimize"))
results = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4]), st.integers(1, 4), st.integers(1, 4)), max_size=16)


@given(results, st.sampled_from([DICE, SMALL, WIDE]))
def test_each_front_is_what_no_other_trial_beats_once_those_before_it_are_gone(
    measured: list[tuple[float, int, int]], objectives: tuple[Objective, ...]
) -> None:
    trials = [
        replace(trial(number, dice, parameters), macs=macs) for number, (dice, parameters, macs) in enumerate(measured)
    ]
    losses = {one.number: [objective.loss(one) for objective in objectives] for one in trials}

    def beaten(one: Trial, rest: list[Trial]) -> bool:
        pairs = [(losses[other.number], losses[one.number]) for other in rest]
        return any(loss != own and all(a <= b for a, b in zip(loss, own, strict=True)) for loss, own in pairs)

    rest = trials
    for front in fronts(trials, objectives):
        assert numbers(front) == [one.number for one in rest if not beaten(one, rest)]
        rest = [one for one in rest if one not in front]
    assert not rest


def test_what_was_not_measured_comes_last() -> None:
    assert Objective("hd95", "minimize").loss(trial(0, 0.5)) == math.inf


def test_objectives_are_data() -> None:
    goals = (Objective("hd95", "minimize", 5.0), Objective())
    assert objectives_of([goal.to_json() for goal in goals]) == goals


@pytest.mark.parametrize("facts", [{"direction": "sideways"}, {"limit": math.nan}])
def test_objectives_that_cannot_be_used(facts: dict[str, object]) -> None:
    with pytest.raises(InputError, match="objective dice"):
        Objective(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "objectives"),
    [
        ("dice", DICE),
        ("dice, latency", (Objective(), Objective("latency", "minimize"))),
        ("hausdorff95,parameters", (Objective("hausdorff95", "minimize"), Objective("parameters", "minimize"))),
    ],
)
def test_objectives_are_read_with_their_directions(text: str, objectives: tuple[Objective, ...]) -> None:
    assert read_objectives(text) == objectives


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dise", "objective: found 'dise'; did you mean 'dice'"),
        ("dice,dice", "name each objective once"),
        ("latency", "expected a first one that says how well a network segments"),
        ("", "objective: found ''"),
    ],
)
def test_objectives_that_cannot_be_used_are_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_objectives(text)
