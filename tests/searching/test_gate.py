"""The life of a trial, whatever becomes of it: on a study in memory, with nothing trained."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from nas.errors import InputError
from nas.searching.evaluators import Beginning, Recorder, Resume, Training
from nas.searching.events import Event, Note, TrialEnded
from nas.searching.failures import MOST_FAILED
from nas.searching.loop import Search, work
from nas.searching.strategies import Continue, Done, Start, Wait
from nas.study.history import Measurement, Origin, Result, RunKey, State
from nas.study.protocol import CHECKPOINT, MOST_FAILURES, Claim, Proposal
from tests.searching.stand_in import Behaviour, ScriptedStrategy, StandIn, complete, search, start, study


def raising(times: int, error: type[BaseException] = RuntimeError) -> Behaviour:
    """A training that raises so often before it succeeds."""
    calls = count()

    def behave(*_: object) -> Result:
        if next(calls) < times:
            raise error("boom")
        return complete(0.5)

    return behave


OUT_OF_MEMORY = Result(state=State.INFEASIBLE, reason="out of memory", constraints={"out_of_memory": 1.0})
DIVERGED = Result(state=State.DIVERGED, reason="the loss is nan")


@pytest.mark.parametrize(
    ("proposal", "behaviour", "state", "cause", "feasible"),
    [
        (start("a"), None, State.COMPLETE, "no reason given", True),
        (start("a", untraceable="an even kernel"), None, State.INFEASIBLE, "an even kernel", False),
        (start("a", refusal="too many MACs"), None, State.INFEASIBLE, "too many MACs", False),
        (start("a"), lambda *_: OUT_OF_MEMORY, State.INFEASIBLE, "out of memory", False),
        (start("a"), lambda *_: DIVERGED, State.DIVERGED, "the loss is nan", True),
        (start("a"), raising(1), State.COMPLETE, "no reason given", True),
        (start("a"), raising(MOST_FAILURES), State.FAILED, "RuntimeError: boom", True),
    ],
    ids=["complete", "untraceable", "over a limit", "out of memory", "diverged", "retried", "given up"],
)
def test_how_a_trial_ends(
    proposal: Start, behaviour: Behaviour | None, state: State, cause: str, feasible: bool
) -> None:
    evaluator = StandIn({} if behaviour is None else {"a": behaviour})
    (trial,) = search(study(), [proposal], evaluator).trials
    assert (trial.state, trial.cause, trial.feasible) == (state, cause, feasible)
    assert (trial.refusal is None) == bool(evaluator.runs)


@pytest.mark.parametrize(
    ("first", "behaviour", "known_infeasible"),
    [
        (start("a"), None, False),
        (start("a", refusal="too many MACs"), None, True),
        (start("a"), lambda *_: OUT_OF_MEMORY, True),
    ],
    ids=["of a result", "of what was over a limit", "of what ran out of memory"],
)
def test_a_duplicate_is_put_on_record_and_not_trained(
    first: Start, behaviour: Behaviour | None, known_infeasible: bool
) -> None:
    evaluator = StandIn({} if behaviour is None else {"a": behaviour})
    known, again = search(study(), [first, first], evaluator).trials
    assert (again.state, again.twin, again.cause) == (State.DUPLICATE, known.number, "the network of trial 0")
    assert again.constraints.get("known_infeasible", 0.0) == float(known_infeasible)
    assert len(evaluator.runs) == (known.refusal is None)


def test_a_network_that_failed_may_be_tried_again_by_another_trial() -> None:
    evaluator = StandIn({"a": raising(MOST_FAILURES)})
    failed, again = search(study(), [start("a"), start("a")], evaluator).trials
    assert (failed.state, again.state) == (State.FAILED, State.COMPLETE)


def test_a_trial_knows_where_it_comes_from() -> None:
    published = Start({"network": "a"}, origin=Origin.PUBLISHED, reference="U-Net")
    changed = Start({"network": "b"}, parent=0)
    first, second = search(study(), [published, changed]).trials
    assert (first.origin, first.reference, first.parent) == (Origin.PUBLISHED, "U-Net", None)
    assert (second.origin, second.reference, second.parent) == (Origin.STRATEGY, None, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError], ids=["stopped", "what the user must mend"])
def test_what_ends_the_search_lets_the_run_wait_and_the_next_search_takes_it_up(error: type[BaseException]) -> None:
    of, evaluator = study(), StandIn({"a": raising(1, error)})
    with pytest.raises(error):
        search(of, [start("a")], evaluator)
    (waiting,) = of.history().trials
    assert (waiting.state, waiting.failures) == (State.WAITING, 0)
    (trial,) = search(of, [], evaluator).trials
    assert trial.state is State.COMPLETE
    assert trial.latest is not None
    assert trial.latest.claim == 2


def test_a_run_of_a_dead_worker_is_taken_over() -> None:
    of = study()
    with of.at_work("cpu", lease=30) as dead:
        assert isinstance(of.start(Proposal(decisions={"network": "a"}, digest="a"), dead, most=9), Claim)
    (trial,) = search(of, []).trials
    assert (trial.state, trial.failures) == (State.COMPLETE, 1)


def test_a_network_that_takes_its_workers_with_it_is_given_up() -> None:
    of = study()
    for attempt in range(MOST_FAILURES):
        with of.at_work("cpu", lease=30) as worker:
            if attempt == 0:
                of.start(Proposal(decisions={"network": "a"}, digest="a"), worker, most=9)
            else:
                of.take_up(worker, of.watch(30).look(worker.id)[0])
    evaluator = StandIn()
    (trial,) = search(of, [], evaluator).trials
    assert (trial.state, trial.failures) == (State.FAILED, MOST_FAILURES)
    assert "its worker ended without a word" in trial.cause
    assert not evaluator.runs


def test_two_workers_at_one_moment_train_two_networks() -> None:
    of = study()

    def meanwhile(*_: object) -> Result:
        inner = StandIn()
        search(of, [start("a"), start("b")], inner)
        assert [training.decisions["network"] for training, _ in inner.runs] == ["b"]
        return complete(0.7)

    trials = search(of, [start("a")], StandIn({"a": meanwhile})).trials
    assert [(trial.digest, trial.state) for trial in trials] == [("a", State.COMPLETE), ("b", State.COMPLETE)]


def test_no_more_are_trained_than_are_wanted_whoever_trains_them() -> None:
    of = study()

    def meanwhile(*_: object) -> Result:
        search(of, [start("b"), start("c")], wanted=2)
        return complete(0.7)

    trials = search(of, [start("a")], StandIn({"a": meanwhile}), wanted=2).trials
    assert [trial.digest for trial in trials] == ["a", "b"]


def test_a_worker_that_was_taken_for_dead_writes_nothing_and_goes_on() -> None:
    of, heard = study(), list[Event]()

    def slow(*_: object) -> Result:
        with of.at_work("cpu", lease=30) as other:
            of.take_up(other, [1])
        return complete(0.1)

    trials = search(of, [start("a"), start("b")], StandIn({"a": slow}), hear=heard.append).trials
    taken, following = trials
    assert taken.latest is not None
    assert (taken.values, taken.latest.worker) != ({"dice": 0.1}, "worker 1")
    assert following.state is State.COMPLETE
    assert any(isinstance(event, Note) and "no longer this worker's" in event.text for event in heard)


def test_a_training_does_not_wait_until_optunas_tables_show_it() -> None:
    of, order = study(), list[str]()

    def training(_: Training, __: Beginning, recorder: Recorder) -> Result:
        order.append("training")
        recorder.measured([Measurement(0, "loss", 1.0)])
        order.append("trained")
        return complete(0.5)

    def project(finished: bool) -> None:
        order.append("the end" if finished else "shown")

    strategy, evaluator = ScriptedStrategy([start("a")]), StandIn({"a": training})
    everything = Search(of, strategy, evaluator, 9, of.settings.space_digest, lambda _: None, project=project)
    work(everything, device="cpu", lease=30)
    assert order == ["training", "shown", "trained", "shown", "the end"]


def pausing(tmp_path: Path) -> Behaviour:
    """A training in two rungs, the first of which leaves a checkpoint."""

    def behave(training: Training, _: Beginning, recorder: Recorder) -> Result:
        if training.key.rung == 1:
            return complete(0.9)
        file = tmp_path / "checkpoint"
        file.write_text("half way")
        recorder.keep(CHECKPOINT, file)
        return Result(state=State.PAUSED, values={"training_dice": 0.4})

    return behave


def test_a_paused_trial_keeps_its_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    of, evaluator = study(rungs=[0.5, 1.0]), StandIn({"a": pausing(tmp_path)})
    (paused,) = search(of, [start("a")], evaluator).trials
    assert (paused.state, paused.values) == (State.PAUSED, {"training_dice": 0.4})
    assert paused.latest is not None
    assert of.file(paused.latest.id, CHECKPOINT).read_text() == "half way"

    (trial,) = search(of, [Continue(0, 1)], evaluator).trials
    assert (trial.state, trial.values) == (State.COMPLETE, {"dice": 0.9})
    assert [run.key for run in trial.runs] == [RunKey(rung=0), RunKey(rung=1)]
    assert isinstance(evaluator.runs[1][1], Resume)
    with pytest.raises(InputError, match="left no artifact"):
        of.file(paused.latest.id, CHECKPOINT)


def test_a_rung_is_trained_once(tmp_path: Path) -> None:
    of, evaluator = study(rungs=[0.5, 1.0]), StandIn({"a": pausing(tmp_path)})
    search(of, [start("a"), Continue(0, 1), Continue(0, 1)], evaluator)
    assert len(evaluator.runs) == 2


def test_waiting_takes_time_on_the_clock_and_nothing_else() -> None:
    of = study()
    search(of, [Wait(), Wait()])
    assert of.clock.steady() == pytest.approx(1.0)


def test_seconds_are_those_of_the_clock() -> None:
    of = study()

    def train(*_: object) -> Result:
        of.clock.sleep(12.5)
        return complete(0.5)

    (trial,) = search(of, [start("a")], StandIn({"a": train})).trials
    assert trial.seconds == 12.5


def test_a_search_whose_every_training_raises_ends_and_says_why() -> None:
    of = study()
    behaviours: dict[str, Behaviour] = {f"net {n}": raising(99) for n in range(9)}
    with pytest.raises(InputError, match=f"{MOST_FAILED} trials in a row failed") as ended:
        search(of, [start(name) for name in behaviours for _ in range(1)], StandIn(behaviours))
    assert "RuntimeError: boom" in str(ended.value)
    assert len(of.history().in_state(State.FAILED)) == MOST_FAILED


def test_failures_between_which_a_network_is_trained_end_nothing() -> None:
    names = ["bad", "bad", "bad", "bad", "good"] * 3
    behaviours: dict[str, Behaviour] = {f"{n} bad": raising(99) for n in range(len(names))}
    history = search(study(), [start(f"{n} {name}") for n, name in enumerate(names)], StandIn(behaviours))
    assert len(history.in_state(State.COMPLETE)) == 3


def test_such_a_search_goes_on_once_the_cause_is_mended() -> None:
    of = study()
    with pytest.raises(InputError, match="in a row failed"):
        search(of, [start(f"{n}") for n in range(9)], StandIn({f"{n}": raising(99) for n in range(9)}))
    assert len(search(of, [start(f"{n}") for n in range(9)]).in_state(State.COMPLETE)) == 9


def test_a_fault_that_the_strategy_sees_is_the_users_to_mend() -> None:
    with pytest.raises(InputError, match="nothing fits"):
        search(study(), [Done("nothing fits", fault=True)])


def test_each_trial_is_told_of_once_with_the_count_of_what_is_trained() -> None:
    heard: list[Event] = []
    search(study(), [start("a"), start("a"), start("b")], hear=heard.append)
    told = [(event.trial.number, event.complete) for event in heard if isinstance(event, TrialEnded)]
    assert told == [(0, 1), (1, 1), (2, 2)]


def test_a_space_that_was_widened_meanwhile_ends_the_worker() -> None:
    of = study()
    widened: Callable[[str], bool] = lambda digest: False  # noqa: E731
    of.is_current = widened  # type: ignore[method-assign]
    with pytest.raises(InputError, match="was widened meanwhile"):
        search(of, [])
