"""Runs that are wanted beside a search: who takes them up, in which order, and with which seeds."""

from dataclasses import replace

import pytest

from nas.errors import InputError
from nas.searching.afterwards.contest import Contest, contest, enter, names_of
from nas.searching.assignments.assignment import Assignment, keys_of_folds, read, seeds_for, write_down
from nas.searching.loop import Search, work
from nas.searching.strategies.assigned import Assigned
from nas.study.history import History, Origin, Result, RunKey, Split, State
from nas.study.memory import MemoryStudy
from nas.study.objective import DICE
from tests.searching.stand_in import Behaviour, StandIn, complete, describe, search, start, study


def scoring(dice: float) -> Behaviour:
    return lambda *_: complete(dice)


def searched() -> MemoryStudy:
    """Three networks, the first of them published, the last one best."""
    of = study()
    results = {name: scoring(dice) for name, dice in (("a", 0.6), ("b", 0.5), ("c", 0.7))}
    actions = [replace(start("a"), origin=Origin.PUBLISHED, reference="U-Net"), start("b"), start("c")]
    search(of, actions, StandIn(results))
    return of


def carried_out(of: MemoryStudy, assignment: Assignment, evaluator: StandIn) -> History:
    whole = Search(
        of, Assigned(assignment.jobs), evaluator, 999, of.settings.space_digest, lambda _: None, takes=assignment.takes
    )
    work(whole, device="cpu", lease=30)
    return of.history()


KEYS = keys_of_folds(2, [1, 2])


def test_all_runs_are_trained_once_fold_after_fold() -> None:
    of, evaluator = searched(), StandIn()
    assignment = Assignment("confirm", (2, 0), KEYS, 10.0)
    carried_out(of, assignment, evaluator)
    carried_out(of, assignment, evaluator)
    assert [(training.trial, training.key.fold, training.key.seed) for training, _ in evaluator.runs] == [
        (2, 0, 1), (0, 0, 1), (2, 0, 2), (0, 0, 2), (2, 1, 1), (0, 1, 1), (2, 1, 2), (0, 1, 2),
    ]  # fmt: skip
    assert len(assignment.ended(of.history())) == 8


def test_what_the_search_found_stays_as_it_was() -> None:
    of = searched()
    before = {trial.number: (trial.state, trial.values, trial.seconds) for trial in of.history().trials}
    after = carried_out(of, Assignment("confirm", (0, 1, 2), KEYS, None), StandIn())
    assert {trial.number: (trial.state, trial.values, trial.seconds) for trial in after.trials} == before


def test_a_run_that_fails_does_not_keep_the_others_from_theirs() -> None:
    def fail(*_: object) -> Result:
        raise RuntimeError("broken")

    of = searched()
    assignment = Assignment("confirm", (1, 2), KEYS[:1], None)
    history = carried_out(of, assignment, StandIn({"b": fail}))
    states = {job[0]: run.state for job, run in assignment.ended(history).items()}
    assert states == {1: State.FAILED, 2: State.COMPLETE}


def test_search_and_confirmation_do_not_take_up_each_other_s_runs() -> None:
    of = searched()
    with of.at_work("cpu", lease=30) as worker:
        of.give_back(of.go_on(2, KEYS[0], worker))  # type: ignore[arg-type]
        assert of.take_up(worker, []) is None
        assert of.take_up(worker, [], Assignment("confirm", (0,), KEYS, None).takes) is None
        assert of.take_up(worker, [], Assignment("confirm", (2,), KEYS, None).takes) is not None


def test_a_search_goes_on_beside_a_confirmation_that_was_left() -> None:
    of = searched()
    with of.at_work("cpu", lease=30) as worker:
        of.give_back(of.go_on(2, KEYS[0], worker))  # type: ignore[arg-type]
    assert search(of, [start("d")]).by_number[3].state is State.COMPLETE


def test_final_trainings_are_scored_on_no_case() -> None:
    of = searched()
    key = RunKey(0, 1, Split.ALL)
    history = carried_out(
        of, Assignment("train", (2,), (key,), None), StandIn({"c": lambda *_: Result(state=State.COMPLETE)})
    )
    assert next(run for run in history.by_number[2].runs if run.key == key).state is State.COMPLETE
    with of.at_work("cpu", lease=30) as worker, pytest.raises(ValueError, match="finite dice"):
        of.finish(of.go_on(2, KEYS[0], worker), Result(state=State.COMPLETE))  # type: ignore[arg-type]


def test_seeds_are_never_the_search_s_and_stand_for_one_length() -> None:
    of = study(seed=7)
    assert seeds_for(of, 10.0, 2) == (8, 9)
    write_down(of, Assignment("confirm", (0,), keys_of_folds(2, (8, 9)), 10.0))
    assert seeds_for(of, 10.0, 3) == (8, 9, 10)
    assert seeds_for(of, 20.0, 2) == (10, 11)
    write_down(of, Assignment("confirm", (0,), keys_of_folds(2, (10, 11)), 20.0))
    assert seeds_for(of, 10.0, 3) == (8, 9, 12)
    assert seeds_for(of, 10.0, 1) == (8,)


def test_an_assignment_is_written_down_once_and_read_by_its_number() -> None:
    of = study()
    assignment = Assignment("confirm", (3, 1), (*KEYS, RunKey(0, 1, Split.HOLDOUT)), 1.5, {"a": "p", "b": "p"})
    number = write_down(of, assignment)
    assert write_down(of, assignment) == number
    assert read(of, number) == assignment
    with pytest.raises(InputError, match=f"has no assignment 99; it has {number}"):
        read(of, 99)


@pytest.mark.parametrize(
    ("top", "plain", "expected"),
    [
        (2, None, Contest(((2,), (1,)), ((0,),))),
        (1, 0, Contest(((2,),), ((0,),))),
        (3, 1, Contest(((2,),), ((0,), (1,)))),
    ],
    ids=["found against published", "plain is the best published", "both"],
)
def test_who_is_compared(top: int, plain: int | None, expected: Contest) -> None:
    assert contest(searched().history(), DICE, top, plain) == expected


def test_the_mean_of_several_comes_first_and_then_what_was_trained_to_full_length() -> None:
    chosen = contest(searched().history(), DICE, 2, 0, average=(2, 0))
    assert chosen == Contest(((2, 0), (2,)), ((0,),))
    assert (chosen.trials, chosen.averages) == ((2, 0), ((2, 0),))
    assert contest(searched().history(), DICE, 1, 0, average=(2, 0)).finalists == ((2, 0),)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(InputError, match="top: found 3, but of the 0 networks"):
        contest(History(), DICE, 3, None)


def test_one_network_is_enough_beside_another_tool() -> None:
    of = study()
    search(of, [replace(start("a"), origin=Origin.PUBLISHED, reference="U-Net")], StandIn())
    assert contest(of.history(), DICE, 3, 0, others=True) == Contest(((0,),), ())
    with pytest.raises(InputError, match="of the 1 networks that are trained 0 can be compared"):
        contest(of.history(), DICE, 3, 0)


def test_networks_are_called_as_published_or_by_number() -> None:
    assert names_of(searched().history(), (2, 0)) == {2: "trial 2", 0: "U-Net"}


def test_a_published_network_that_was_not_tried_waits_for_the_confirmation() -> None:
    of = searched()
    new, known = start("new"), start("b")
    number = enter(of, replace(new, origin=Origin.PUBLISHED, reference="plain"), describe(new.decisions), KEYS[0])
    assert number == 3
    assert of.history().by_number[3].runs[0].key == KEYS[0]
    assert enter(of, replace(known, reference="b"), describe(known.decisions), KEYS[0]) == 1
    assert carried_out(of, Assignment("confirm", (3,), KEYS, None), StandIn()).by_number[3].values == {}
