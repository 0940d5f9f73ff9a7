"""What every study promises to those who work on it, in a database or in memory."""

import math
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nas.clock import SimulatedClock
from nas.errors import InputError
from nas.study.history import History, Measurement, Origin, Result, RunKey, Split, State, Trial
from nas.study.memory import MemoryStudy
from nas.study.objective import Objective
from nas.study.protocol import (
    CHECKPOINT,
    MOST_FAILURES,
    WEIGHTS,
    ArchitectureRecord,
    Busy,
    Claim,
    LostClaimError,
    Proposal,
    Study,
    Worker,
)
from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.searching.stand_in import SETTINGS

LEASE = 30.0
COMPLETE = Result(state=State.COMPLETE, values={"dice": 0.5}, steps=10, seconds=2.0, peak_bytes=2**33)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def new_study(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[StudySettings], Study]]:
    """Makes empty studies of every kind, dated by a simulated clock."""
    clock = SimulatedClock()
    if request.param == "memory":
        yield lambda settings: MemoryStudy(settings, clock)
        return
    address = f"sqlite:///{tmp_path / 'nas.db'}"
    if request.param == "postgresql":
        address = request.getfixturevalue("empty_schema")
    with open_storage(address, artifacts=tmp_path / "artifacts", clock=clock) as storage:
        yield lambda settings: create_or_resume(storage, settings)


@pytest.fixture
def study(new_study: Callable[[StudySettings], Study]) -> Study:
    return new_study(SETTINGS)


@pytest.fixture
def worker(study: Study) -> Iterator[Worker]:
    with study.at_work("cpu", lease=LEASE) as worker:
        yield worker


@pytest.fixture
def other(study: Study, worker: Worker) -> Iterator[Worker]:
    with study.at_work("cuda:0", lease=LEASE) as worker:
        yield worker


def proposal(network: str | None, **changes: object) -> Proposal:
    record = network and ArchitectureRecord(network, {"of": network}, {"nodes": []}, 10, 2**40, 2**33)
    facts = {"decisions": {"width": network}, "digest": network, "architecture": record or None} | changes
    return Proposal(**facts)  # type: ignore[arg-type]


def claimed(study: Study, worker: Worker, network: str | None, **changes: object) -> Claim:
    claim = study.start(proposal(network, **changes), worker, most=99)
    assert isinstance(claim, Claim)
    return claim


def only(study: Study) -> Trial:
    (trial,) = study.history().trials
    return trial


def file(folder: Path, content: str) -> Path:
    path = folder / f"{uuid.uuid4().hex}.safetensors"
    path.write_text(content)
    return path


def test_a_trial_is_kept_as_it_was_proposed(study: Study, worker: Worker) -> None:
    study.start(
        proposal("a", recipe_digest="sgd", constraints={"macs": -0.5}, origin=Origin.PUBLISHED, reference="U-Net"),
        worker,
        most=9,
    )
    trial = only(study)
    assert (trial.number, trial.decisions, trial.training) == (0, {"width": "a"}, ("a", "sgd"))
    assert (trial.parameters, trial.macs, trial.training_bytes) == (10, 2**40, 2**33)
    assert (trial.origin, trial.reference, trial.parent, dict(trial.constraints)) == (
        Origin.PUBLISHED,
        "U-Net",
        None,
        {"macs": -0.5},
    )
    assert (trial.state, trial.created) == (State.RUNNING, study.clock.now())
    (run,) = trial.runs
    assert (run.key, run.worker_id, run.worker, run.device) == (RunKey(), worker.id, worker.name, "cpu")
    assert (run.claim, run.failures, run.started, run.finished) == (1, 0, study.clock.now(), None)
    assert study.architecture("a").document == {"of": "a"}


def test_a_result_is_kept_as_it_was_told(study: Study, worker: Worker) -> None:
    claim = claimed(study, worker, "a")
    study.clock.sleep(5)
    study.finish(claim, COMPLETE)
    (run,) = only(study).runs
    assert (run.state, dict(run.values), run.steps, run.seconds, run.peak_bytes) == (
        State.COMPLETE,
        {"dice": 0.5},
        10,
        2.0,
        2**33,
    )
    assert run.finished is not None
    assert (run.finished - run.started).total_seconds() == 5


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_complete_run_has_a_finite_value_of_the_first_objective(
    study: Study, worker: Worker, value: float | None
) -> None:
    claim = claimed(study, worker, "a")
    values = {} if value is None else {"dice": value}
    with pytest.raises(ValueError, match="finite dice"):
        study.finish(claim, Result(state=State.COMPLETE, values=values))


def test_trials_are_numbered_in_the_order_in_which_they_were_proposed(study: Study, worker: Worker) -> None:
    for network in "abc":
        study.finish(claimed(study, worker, network), COMPLETE)
    refused = study.start(proposal(None, refusal=State.INFEASIBLE, reason="an even kernel"), worker, most=9)
    assert isinstance(refused, Trial)
    assert (refused.number, refused.state, refused.cause) == (3, State.INFEASIBLE, "an even kernel")
    assert [trial.number for trial in study.history().trials] == [0, 1, 2, 3]


def test_a_history_grows_by_what_is_new(study: Study, worker: Worker) -> None:
    first = claimed(study, worker, "a")
    early = study.history()
    study.finish(first, COMPLETE)
    claimed(study, worker, "b")
    late = study.history(early)
    assert [trial.state for trial in early.trials] == [State.RUNNING]
    assert [trial.state for trial in late.trials] == [State.COMPLETE, State.RUNNING]
    assert late == study.history() == study.history(History())
    assert study.history(late) == late


def test_a_network_is_trained_once(study: Study, worker: Worker, other: Worker) -> None:
    claim = claimed(study, worker, "a")
    assert isinstance(study.start(proposal("a"), other, most=9), Busy)
    study.finish(claim, COMPLETE)
    again = study.start(proposal("a"), other, most=9)
    assert isinstance(again, Trial)
    assert (again.number, again.refusal, again.twin) == (1, State.DUPLICATE, 0)
    assert len(study.history().trials) == 2


def test_another_recipe_is_another_training(study: Study, worker: Worker) -> None:
    study.finish(claimed(study, worker, "a", recipe_digest="adam"), COMPLETE)
    claimed(study, worker, "a", recipe_digest="sgd")


def test_a_published_network_that_another_search_has_made_is_no_duplicate(study: Study, worker: Worker) -> None:
    study.finish(claimed(study, worker, "a", reference="U-Net"), COMPLETE)
    assert isinstance(study.start(proposal("a", reference="U-Net"), worker, most=9), Busy)
    assert len(study.history().trials) == 1


def test_no_more_networks_are_trained_than_are_wanted(study: Study, worker: Worker, other: Worker) -> None:
    first = study.start(proposal("a"), worker, most=2)
    second = study.start(proposal("b"), other, most=2)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert isinstance(study.start(proposal("c"), other, most=2), Busy)
    study.finish(first, COMPLETE)
    assert isinstance(study.start(proposal("c"), other, most=2), Busy)
    study.finish(second, Result(state=State.INFEASIBLE, reason="out of memory"))
    assert isinstance(study.start(proposal("c"), other, most=2), Claim)


def test_proposing_again_after_the_answer_was_lost_is_proposing_once(study: Study, worker: Worker) -> None:
    claim = claimed(study, worker, "a")
    assert study.start(proposal("a"), worker, most=9) in (claim, Busy("another worker has the network of trial 0"))
    assert len(study.history().trials) == 1


@pytest.mark.parametrize(
    "key", [RunKey(fold=1), RunKey(seed=2**40), RunKey(split=Split.HOLDOUT), RunKey(rung=1)], ids=str
)
def test_a_trial_has_a_run_for_each_fold_seed_split_and_rung(
    study: Study, worker: Worker, other: Worker, key: RunKey
) -> None:
    study.finish(claimed(study, worker, "a"), COMPLETE)
    claim = study.go_on(0, key, worker)
    assert isinstance(claim, Claim)
    assert isinstance(study.go_on(0, key, other), Busy)
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.9}))
    trial = only(study)
    assert [run.key for run in trial.runs] == [RunKey(), key]
    # One fold, or one seed, does not speak for another: the luckiest is not the result.
    assert dict(trial.values) == ({"dice": 0.9} if key.rung else {"dice": 0.5})


def test_what_is_given_back_is_taken_up_at_once(study: Study, worker: Worker, other: Worker) -> None:
    claim = claimed(study, worker, "a")
    study.give_back(claim)
    assert study.take_up(other, []) == Claim(claim.run, 2)
    (run,) = only(study).runs
    assert (run.state, run.claim, run.failures, run.worker_id) == (State.RUNNING, 2, 0, other.id)
    assert study.take_up(worker, []) is None


def test_the_living_are_left_alone_and_the_dead_are_replaced(study: Study, worker: Worker, other: Worker) -> None:
    claim = claimed(study, worker, "a")
    assert study.take_up(other, []) is None
    assert study.take_up(other, [worker.id]) == Claim(claim.run, 2)
    assert only(study).failures == 1


def test_runs_that_wait_come_in_the_order_of_their_trials(study: Study, worker: Worker) -> None:
    claims = [claimed(study, worker, network) for network in "abc"]
    for claim in reversed(claims):
        study.give_back(claim)
    assert [study.take_up(worker, []) for _ in range(1)] == [Claim(claims[0].run, 2)]


def test_what_raises_is_tried_again_and_then_given_up(study: Study, worker: Worker) -> None:
    claim: Claim | None = claimed(study, worker, "a")
    for attempt in range(1, MOST_FAILURES):
        assert claim is not None
        assert study.give_up(claim, "Traceback: boom") is State.WAITING
        assert only(study).failures == attempt
        claim = study.take_up(worker, [])
    assert claim is not None
    assert study.give_up(claim, "Traceback: boom") is State.FAILED
    assert study.take_up(worker, []) is None
    assert (only(study).state, only(study).explanation) == (State.FAILED, "Traceback: boom")


def test_what_kills_its_workers_is_given_up(study: Study, worker: Worker, other: Worker) -> None:
    claimed(study, worker, "a")
    turns = [(other, worker), (worker, other)]
    for attempt in range(MOST_FAILURES - 1):
        taker, dead = turns[attempt % 2]
        assert study.take_up(taker, [dead.id]) is not None
    taker, dead = turns[(MOST_FAILURES - 1) % 2]
    assert study.take_up(taker, [dead.id]) is None
    assert (only(study).state, only(study).failures) == (State.FAILED, MOST_FAILURES)


def test_who_has_lost_a_run_cannot_write_to_it(study: Study, worker: Worker, other: Worker, tmp_path: Path) -> None:
    lost = claimed(study, worker, "a")
    held = study.take_up(other, [worker.id])
    assert held is not None
    for write in (
        lambda: study.report(lost, [Measurement(1, "loss", 1.0)]),
        lambda: study.keep(lost, CHECKPOINT, file(tmp_path, "old")),
        lambda: study.finish(lost, Result(state=State.COMPLETE, values={"dice": 0.1})),
        lambda: study.give_up(lost, "Traceback"),
    ):
        with pytest.raises(LostClaimError):
            write()
    study.give_back(lost)
    study.report(held, [Measurement(1, "loss", 0.5)])
    study.finish(held, COMPLETE)
    (run,) = only(study).runs
    assert (dict(run.values), [point.value for point in run.curve]) == ({"dice": 0.5}, [0.5])


def test_finishing_again_after_the_answer_was_lost_is_finishing_once(study: Study, worker: Worker) -> None:
    claim = claimed(study, worker, "a")
    for _ in range(2):
        study.finish(claim, COMPLETE)
    assert only(study).state is State.COMPLETE


def test_an_end_may_make_a_trial_infeasible(study: Study, worker: Worker) -> None:
    claim = claimed(study, worker, "a", constraints={"macs": -0.5})
    study.finish(claim, Result(state=State.INFEASIBLE, reason="out of memory", constraints={"out_of_memory": 1.0}))
    assert dict(only(study).constraints) == {"macs": -0.5, "out_of_memory": 1.0}
    assert not only(study).feasible


def test_a_curve_is_what_was_measured_over_all_classes_and_cases(study: Study, worker: Worker) -> None:
    claim = claimed(study, worker, "a")
    study.report(claim, [Measurement(1, "dice", 0.25), Measurement(1, "dice", 0.125, class_index=1)])
    study.report(claim, [Measurement(2, "dice", 0.5), Measurement(2, "dice", 0.75, class_index=1, case="case_3")])
    study.report(claim, [Measurement(2, "dice", 0.625), Measurement(2, "loss", math.inf)])
    study.report(claim, [])
    (run,) = only(study).runs
    assert [(point.epoch, point.metric) for point in run.curve] == [(1, "dice"), (2, "dice"), (2, "loss")]
    assert [point.value for point in run.curve[:2]] == [0.25, 0.625]
    assert math.isnan(run.curve[2].value)


def test_a_paused_run_keeps_its_checkpoint_until_a_further_rung_has_ended(
    study: Study, worker: Worker, tmp_path: Path
) -> None:
    first = claimed(study, worker, "a")
    assert study.checkpoint(first) is None
    for content in ("one", "two"):
        study.keep(first, CHECKPOINT, file(tmp_path, content))
    study.finish(first, Result(state=State.PAUSED, values={"training_dice": 0.4}))
    second = study.go_on(0, RunKey(rung=1), worker)
    assert isinstance(second, Claim)
    before = study.checkpoint(second)
    assert before is not None
    assert before.read_text() == "two"
    study.keep(second, CHECKPOINT, file(tmp_path, "three"))
    study.keep(second, WEIGHTS, file(tmp_path, "weights"))
    study.finish(second, COMPLETE)
    assert study.file(second.run, WEIGHTS).read_text() == "weights"
    for claim in (first, second):
        with pytest.raises(InputError, match="left no artifact"):
            study.file(claim.run, CHECKPOINT)


def test_another_fold_does_not_go_on_from_this_ones_checkpoint(study: Study, worker: Worker, tmp_path: Path) -> None:
    first = claimed(study, worker, "a")
    study.keep(first, CHECKPOINT, file(tmp_path, "fold 0"))
    study.finish(first, Result(state=State.PAUSED))
    elsewhere = study.go_on(0, RunKey(fold=1, rung=1), worker)
    assert isinstance(elsewhere, Claim)
    assert study.checkpoint(elsewhere) is None


def test_the_weights_of_the_best_and_the_published_are_kept(study: Study, worker: Worker, tmp_path: Path) -> None:
    claims = {}
    for network, dice in {"published": 0.1, "worst": 0.2, "best": 0.9}.items():
        reference = "U-Net" if network == "published" else None
        claims[network] = claimed(study, worker, network, reference=reference)
        study.keep(claims[network], WEIGHTS, file(tmp_path, network))
        study.finish(claims[network], Result(state=State.COMPLETE, values={"dice": dice}))
    assert study.prune(1) == 1
    assert [study.file(claims[name].run, WEIGHTS).read_text() for name in ("published", "best")] == [
        "published",
        "best",
    ]
    with pytest.raises(InputError, match="left no artifact"):
        study.file(claims["worst"].run, WEIGHTS)
    assert study.prune(1) == 0


def test_where_less_is_better_the_weights_of_the_least_are_kept(
    new_study: Callable[[StudySettings], Study], tmp_path: Path
) -> None:
    distance = Objective("hausdorff95", "minimize").to_json()
    study = new_study(replace(SETTINGS, objectives=[distance]))
    claims = {}
    with study.at_work("cpu", lease=LEASE) as worker:
        for network, millimetres in {"near": 1.5, "far": 20.0}.items():
            claims[network] = claimed(study, worker, network)
            study.keep(claims[network], WEIGHTS, file(tmp_path, network))
            study.finish(claims[network], Result(state=State.COMPLETE, values={"hausdorff95": millimetres}))
    assert study.prune(1) == 1
    assert study.file(claims["near"].run, WEIGHTS).read_text() == "near"


def test_with_several_objectives_the_weights_of_what_no_other_network_beats_are_kept(
    new_study: Callable[[StudySettings], Study], tmp_path: Path
) -> None:
    goals = [Objective().to_json(), Objective("latency", "minimize").to_json()]
    study = new_study(replace(SETTINGS, objectives=goals))
    claims = {}
    with study.at_work("cpu", lease=LEASE) as worker:
        for network, dice, latency in (("accurate", 0.9, 2.0), ("beaten", 0.8, 3.0), ("fast", 0.7, 1.0)):
            claims[network] = claimed(study, worker, network)
            study.keep(claims[network], WEIGHTS, file(tmp_path, network))
            result = Result(state=State.COMPLETE, values={"dice": dice, "latency": latency})
            study.finish(claims[network], result)
    assert study.prune(1) == 1
    assert [study.file(claims[name].run, WEIGHTS).read_text() for name in ("accurate", "fast")] == ["accurate", "fast"]
    assert study.prune(0) == 2


def test_who_lives_and_who_has_ended(study: Study, worker: Worker) -> None:
    watch = study.watch(LEASE)
    with study.at_work("cpu", lease=LEASE) as other:
        claimed(study, other, "a")
        assert watch.look(worker.id) == ([], [other.id])
        assert (worker.rank, other.rank) == (0, 1)
    assert watch.look(worker.id) == ([other.id], [])


def test_workers_that_grab_at_once_get_one_each(study: Study, worker: Worker, other: Worker) -> None:
    for network in "abcdef":
        study.give_back(claimed(study, worker, network))
    taken: list[Claim | None] = []
    threads = [
        threading.Thread(target=lambda taker=taker: taken.append(study.take_up(taker, []))) for taker in (worker, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in taken
    assert len({claim.run for claim in taken if claim}) == 2


def test_what_is_not_there_is_said(study: Study, worker: Worker) -> None:
    with pytest.raises(InputError, match="no architecture 'b'"):
        study.architecture("b")
    claim = claimed(study, worker, "a")
    with pytest.raises(InputError, match="left no artifact 'weights'; it has: none"):
        study.file(claim.run, WEIGHTS)


def test_nothing_is_left_of_a_study_in_memory(tmp_path: Path) -> None:
    study = MemoryStudy(SETTINGS)
    with study.at_work("cpu", lease=LEASE) as worker:
        claim = claimed(study, worker, "a")
        study.keep(claim, WEIGHTS, file(tmp_path, "weights"))
    kept = study.file(claim.run, WEIGHTS)
    assert kept.exists()
    del study
    assert not kept.parent.exists()


def test_the_journal_grows_and_is_read_by_kind(study: Study) -> None:
    assert study.journal("look") == ()
    first = study.write_down("look", {"cases": 3})
    study.write_down("assignment", {"trials": [1]})
    second = study.write_down("look", {"cases": 4})
    assert study.journal("look") == (first, second)
    assert (first.number, second.number, second.content) == (1, 3, {"cases": 4})
    assert study.journal("assignment")[0].moment == study.clock.now()


def test_a_network_that_a_confirmation_entered_is_begun_when_the_search_proposes_it(
    study: Study, worker: Worker
) -> None:
    beside = claimed(study, worker, "plain", key=RunKey(1, 1, Split.CONFIRM))
    study.finish(beside, COMPLETE)
    assert only(study).is_beside_the_search
    assert study.history().of_the_search.trials == ()
    own = claimed(study, worker, "plain")
    assert [run.key.split for run in only(study).runs] == [Split.CONFIRM, Split.SEARCH]
    study.finish(own, COMPLETE)
    assert only(study).state is State.COMPLETE
    assert study.history().of_the_search is study.history() or study.history().of_the_search.trials
    assert isinstance(study.start(proposal("plain"), worker, most=99), Trial)


def test_only_wanted_runs_are_taken_up(study: Study, worker: Worker, other: Worker) -> None:
    key = RunKey(1, 1, Split.CONFIRM)
    own = claimed(study, worker, "a")
    beside = study.go_on(0, key, worker)
    assert isinstance(beside, Claim)
    for claim in (own, beside):
        study.give_back(claim)
    assert study.take_up(other, [], lambda trial, wanted: (trial, wanted) == (0, key)) == Claim(beside.run, 2)
    assert study.take_up(other, []) == Claim(own.run, 2)
