"""What a study would have returned at any moment."""

import pytest

from nas.study.anytime import Step, anytime, spent
from nas.study.history import Result, RunKey, Split, State
from nas.study.memory import MemoryStudy
from nas.study.objective import DICE, Objective
from nas.study.protocol import Claim, Proposal
from tests.searching.stand_in import study

RUNS = (
    ("a", RunKey(rung=0), State.PAUSED, 0.9, 10.0),
    ("b", RunKey(rung=0), State.COMPLETE, 0.5, 20.0),
    ("c", RunKey(rung=0), State.DIVERGED, None, 5.0),
    ("a", RunKey(rung=1), State.COMPLETE, 0.7, 30.0),
    ("b", RunKey(split=Split.HOLDOUT), State.COMPLETE, 0.99, 40.0),
    ("d", RunKey(rung=0), State.COMPLETE, 0.6, 50.0),
)


def recorded() -> MemoryStudy:
    of = study()
    with of.at_work("cpu", lease=30) as worker:
        numbers: dict[str, int] = {}
        for name, key, state, dice, seconds in RUNS:
            if name in numbers:
                claim = of.go_on(numbers[name], key, worker)
            else:
                numbers[name] = len(numbers)
                claim = of.start(Proposal(decisions={}, digest=name, key=key), worker, most=99)
            assert isinstance(claim, Claim)
            of.clock.sleep(1)
            values = {} if dice is None else {"dice": dice}
            of.finish(claim, Result(state=state, values=values, seconds=seconds))
    return of


@pytest.mark.parametrize(
    ("objectives", "steps"),
    [
        (DICE, [Step(30.0, 1, 0.5), Step(65.0, 0, 0.7)]),
        ((Objective(direction="minimize"),), [Step(30.0, 1, 0.5)]),
    ],
)
def test_the_best_changes_where_a_training_to_the_end_was_better(
    objectives: tuple[Objective, ...], steps: list[Step]
) -> None:
    assert anytime(recorded().history(), objectives) == steps


def test_what_the_search_did_not_train_does_not_count() -> None:
    assert spent(recorded().history()) == 115.0


def test_of_nothing_there_is_nothing() -> None:
    assert anytime(study().history(), DICE) == []
