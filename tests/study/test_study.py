"""What a study promises, on every database."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import optuna
import pytest

from nas.errors import InputError
from nas.study.history import Measurement, Origin, Result, RunKey, Split, State
from nas.study.objective import DICE
from nas.study.protocol import ArchitectureRecord
from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy
from nas.study.summary import Counts, best, counts
from tests.study.runs import (
    begun,
    complete,
    duplicate,
    failed,
    image,
    proposal,
    refused,
    run_of,
    started,
    trial_of,
)


def test_a_run_is_kept_as_it_was_told(study: SqlStudy) -> None:
    before = datetime.now(UTC)
    key = RunKey(fold=1, seed=2**40)
    claim = begun(study, "unet", reference="U-Net", origin=Origin.PUBLISHED, key=key, decisions={"width": 8})
    study.finish(
        claim,
        Result(state=State.COMPLETE, values={"dice": 0.875}, seconds=12.5, peak_bytes=2**35, steps=10),
    )

    (trial,) = study.history().trials
    (run,) = trial.runs
    assert (trial.number, trial.digest, trial.reference, trial.origin) == (0, "unet", "U-Net", Origin.PUBLISHED)
    assert (trial.decisions, trial.parameters, trial.macs) == ({"width": 8}, 1_000, 5_000_000_000)
    assert (trial.state, trial.values, trial.seconds) == (State.COMPLETE, {"dice": 0.875}, 12.5)
    assert (run.id, run.key) == (claim.run, key)
    assert (run.device, (run.worker or "").rpartition(":")[2]) == ("cuda:0", str(os.getpid()))
    assert (run.state, run.reason, run.seconds, run.peak_bytes, run.steps) == (State.COMPLETE, None, 12.5, 2**35, 10)
    assert run.finished is not None
    assert before <= run.started <= run.finished <= datetime.now(UTC)


def test_a_proposal_that_cannot_be_traced_has_no_digest(study: SqlStudy) -> None:
    refused(study, None, "the patch is smaller than the stride", constraints={"traceable": 1.0})

    (trial,) = study.history().trials
    assert (trial.digest, trial.parameters, trial.macs) == (None, None, None)
    assert (trial.state, trial.explanation) == (State.INFEASIBLE, "the patch is smaller than the stride")
    assert not trial.feasible


def test_trials_come_in_the_order_of_their_numbers_which_have_no_gap(study: SqlStudy) -> None:
    complete(study, "a", 0.5)
    refused(study, "b", "too large")
    failed(study, "c", "boom")

    history = study.history()
    assert [trial.number for trial in history.trials] == [0, 1, 2]
    assert [trial.number for trial in history.in_state(State.INFEASIBLE, State.FAILED)] == [1, 2]


def test_a_trial_has_one_run_for_each_fold_and_seed_and_its_first_speaks_for_it(study: SqlStudy) -> None:
    first = complete(study, "unet", 0.5)
    with study.at_work("cpu", lease=30) as worker:
        for fold, seed, split, dice in [(1, 0, Split.SEARCH, 0.9), (0, 1, Split.SEARCH, 0.8), (0, 0, "holdout", 0.7)]:
            claim = study.go_on(0, RunKey(fold, seed, Split(split)), worker)
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": dice}))  # type: ignore[arg-type]

    history = study.history()
    assert counts(history) == Counts(
        trials=1,
        distinct=1,
        complete=1,
        paused=0,
        infeasible=0,
        diverged=0,
        duplicate=0,
        failed=0,
        running=0,
        waiting=0,
    )
    (trial,) = history.trials
    assert len(trial.runs) == 4
    assert trial.latest is not None
    assert (trial.latest.id, trial.values) == (first, {"dice": 0.5})
    found = best(history, DICE)
    assert found is not None
    assert found.values == {"dice": 0.5}


def test_a_complete_run_needs_a_finite_dice(study: SqlStudy) -> None:
    claim = begun(study, "unet")
    for values in ({}, {"dice": math.nan}, {"dice": math.inf}, {"loss": 0.5}):
        with pytest.raises(ValueError, match="finite dice"):
            study.finish(claim, Result(state=State.COMPLETE, values=values))


def test_counts(study: SqlStudy) -> None:
    complete(study, "a", 0.5)
    refused(study, "b", "too large")
    duplicate(study, "a")
    failed(study, "c", "boom")
    begun(study, "d")
    refused(study, None, "no graph")

    counted = counts(study.history())
    assert counted == Counts(
        trials=6,
        distinct=1,
        complete=1,
        paused=0,
        infeasible=2,
        diverged=0,
        duplicate=1,
        failed=1,
        running=1,
        waiting=0,
    )
    trials, states = study.counts()
    assert trials == counted.trials
    assert {str(state): number for state, number in states.items()} == {
        str(state): getattr(counted, state) for state in State
    }


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], None),
        ([("a", State.INFEASIBLE, 0.0)], None),
        ([("a", State.COMPLETE, 0.5), ("b", State.COMPLETE, 0.7)], "b"),
        ([("a", State.COMPLETE, 0.5), ("b", State.INFEASIBLE, 0.7)], "a"),
        ([("a", State.COMPLETE, 0.5), ("b", State.DIVERGED, 0.7)], "a"),
        ([("large", State.COMPLETE, 0.7), ("small", State.COMPLETE, 0.7)], "small"),
        ([("a", State.COMPLETE, 0.7), ("b", State.COMPLETE, 0.7)], "a"),
    ],
)
def test_the_best_is_complete_then_accurate_then_small_then_early(
    study: SqlStudy, results: list[tuple[str, State, float]], expected: str | None
) -> None:
    for digest, state, dice in results:
        claim = begun(study, digest, parameters={"large": 2_000, "small": 500}.get(digest, 1_000))
        study.finish(claim, Result(state=state, values={"dice": dice}))

    found = best(study.history(), DICE)
    assert (found.digest if found else None) == expected


@pytest.mark.parametrize(
    ("states", "known_as"),
    [
        ([], None),
        ([State.FAILED], None),
        ([State.INFEASIBLE], State.INFEASIBLE),
        ([State.FAILED, State.COMPLETE, State.DUPLICATE], State.COMPLETE),
    ],
)
def test_what_is_known_of_a_network(study: SqlStudy, states: list[State], known_as: State | None) -> None:
    for state in states:
        match state:
            case State.FAILED:
                failed(study, "a", "boom")
            case State.COMPLETE:
                complete(study, "a", 0.5)
            case State.DUPLICATE:
                assert duplicate(study, "a").twin == 1
            case _:
                refused(study, "a", "too large")

    found = study.history().of_training("a", None)
    assert (found.state if found else None) == known_as
    with study.at_work("cpu", lease=30) as worker:
        again = study.start(proposal("a"), worker, most=100)
    assert (getattr(again, "state", None) is State.DUPLICATE) == (known_as is not None)


def test_published_networks_are_told_from_others(study: SqlStudy) -> None:
    begun(study, "a", reference="U-Net")
    begun(study, "b")

    assert [trial.reference for trial in study.history().published] == ["U-Net"]


def test_failures_are_counted_and_the_latest_of_them_read(study: SqlStudy) -> None:
    complete(study, "a", 0.5)
    for number in range(1, 5):
        failed(study, f"net {number}", f"reason {number}")
    begun(study, "z")

    history = study.history()
    assert (len(history.in_state(State.COMPLETE)), len(history.in_state(State.FAILED))) == (1, 4)
    latest = [trial for trial in history.in_the_order_of_results() if trial.state is State.FAILED][-3:]
    assert [trial.explanation for trial in latest] == ["reason 2", "reason 3", "reason 4"]


def test_the_summary_is_the_json_contract(study: SqlStudy) -> None:
    empty = {"study": "hippocampus", "storage": study.storage.address, "trials": 0, "distinct": 0, "infeasible": 0}
    empty |= {"together": None, "held_out": {"cases": 0, "looks": 0}}
    assert study.summary() == empty | {"best": None}

    complete(study, "a", 0.9, parameters=31_042_369, macs=2**40, reference="U-Net")
    found = {"trial": 0, "digest": "a", "reference": "U-Net", "dice": 0.9, "parameters": 31_042_369, "macs": 2**40}
    assert study.summary() == empty | {"trials": 1, "distinct": 1, "best": found | {"recipe": {}}}

    decisions = {"width": 8, "recipe.loss": "dice", "recipe.augmentation.flips": True}
    complete(study, "a", 0.95, decisions=decisions, recipe_digest="other")
    told = study.summary()["best"]
    assert told["recipe"] == {"loss": "dice", "augmentation.flips": True}


def test_an_architecture_is_recorded_once_and_shared(study: SqlStudy) -> None:
    graph = {"nodes": [["conv", {"kernel": [3, 3]}]]}
    first = ArchitectureRecord(
        "a", {"kind": "unet", "width": 8}, graph, parameters=10, macs=2**40, training_bytes=2**33
    )
    begun(study, "a", architecture=first)
    other = ArchitectureRecord("a", {}, {}, parameters=0, macs=0, training_bytes=0)
    begun(study, "a", architecture=other, recipe_digest="another")

    assert study.architecture("a") == first
    with pytest.raises(InputError, match="no architecture 'b'"):
        study.architecture("b")


def test_an_architecture_recorded_without_its_graph_gains_it(study: SqlStudy) -> None:
    described = ArchitectureRecord("a", {"kind": "unet"}, {}, parameters=10, macs=20, training_bytes=30)
    traced = replace(described, graph={"nodes": [1, 2]})
    for number, architecture in enumerate((described, traced, described)):
        begun(study, "a", architecture=architecture, recipe_digest=f"recipe {number}")

    assert study.architecture("a") == traced


def test_a_document_must_be_json(study: SqlStudy) -> None:
    with pytest.raises(Exception, match="JSON compliant"):
        begun(study, "a", architecture=ArchitectureRecord("a", {"rate": math.nan}, {}, 0, 0, 0))
    assert study.history().trials == ()


CURVE = [
    Measurement(epoch=1, metric="dice", value=0.25),
    Measurement(epoch=1, metric="dice", value=0.125, class_index=1),
    Measurement(epoch=1, metric="loss", value=1.5),
    Measurement(epoch=2, metric="dice", value=0.5),
]
OF_A_CASE = Measurement(epoch=1, metric="dice", value=0.75, class_index=1, case="case_3")


def test_the_learning_curve_is_what_was_measured_over_all_classes_and_cases(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=30) as worker:
        claim, other = started(study, worker, "a"), started(study, worker, "b")
        study.report(claim, [*CURVE, OF_A_CASE])
        study.report(other, [Measurement(epoch=1, metric="dice", value=0.0)])
        study.report(claim, [])

    assert run_of(study, claim.run).curve == (CURVE[0], CURVE[2], CURVE[3])
    assert study.measurements(claim.run) == [*CURVE[:2], OF_A_CASE, *CURVE[2:]]
    assert study.measurements(claim.run, "loss") == [CURVE[2]]


def test_an_epoch_measured_again_replaces_what_it_said(study: SqlStudy) -> None:
    claim = begun(study, "a")
    study.report(claim, CURVE)
    study.report(claim, [Measurement(epoch=2, metric="dice", value=0.625)])

    assert study.measurements(claim.run) == [*CURVE[:3], Measurement(epoch=2, metric="dice", value=0.625)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_diverged_is_kept(study: SqlStudy, value: float) -> None:
    claim = begun(study, "a")
    study.report(claim, [Measurement(epoch=1, metric="loss", value=value)])

    (measurement,) = study.measurements(claim.run)
    assert math.isnan(measurement.value)


def test_a_history_grows_by_what_is_new(study: SqlStudy) -> None:
    complete(study, "a", 0.5)
    claim = begun(study, "b")
    earlier = study.history()
    assert study.history(earlier) is earlier
    study.report(claim, [CURVE[2]])
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.7}))
    refused(study, "c", "too large")

    grown = study.history(earlier)
    assert grown == study.history()
    assert grown.trials[0] is earlier.trials[0]
    assert [trial.state for trial in grown.trials] == [State.COMPLETE, State.COMPLETE, State.INFEASIBLE]


def test_optuna_has_the_study_under_the_same_name_and_direction(
    storage: Storage, study: SqlStudy, settings: Callable[..., StudySettings]
) -> None:
    told = image(study)
    assert (told.study_name, told.direction.name, len(told.trials)) == ("hippocampus", "MAXIMIZE", 0)
    fast = {"metric": "macs", "direction": "minimize", "limit": None}
    both = create_or_resume(storage, settings(name="both", objectives=[*study.settings.objectives, fast]))
    complete(both, "a", 0.5)
    told = image(both)
    assert [direction.name for direction in told.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert told.trials[0].values == [0.5, 5e9]
    assert set(optuna.get_all_study_names(storage.optuna)) == {"hippocampus", "both"}


def test_studies_of_one_storage_keep_apart(
    storage: Storage, study: SqlStudy, settings: Callable[..., StudySettings]
) -> None:
    other = create_or_resume(storage, settings(name="other"))
    run = complete(study, "a", 0.5)

    assert other.history().trials == ()
    assert other.history().of_training("a", None) is None
    assert (best(other.history(), DICE), other.counts()[0]) == (None, 0)
    assert open_study(storage, "hippocampus").counts()[0] == 1
    assert trial_of(study, run).number == 0
