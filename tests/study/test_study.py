"""What a study promises, on every database."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import optuna
import pytest

from nas.errors import InputError
from nas.study import claims
from nas.study.opening import create_or_resume, open_study
from nas.study.records import ArchitectureRecord, Counts, Measurement, State, StudySettings
from nas.study.storage import Storage
from nas.study.study import Study
from tests.study.evaluations import begun, ended

Known = Callable[..., str]


def test_an_evaluation_is_kept_as_it_was_told(study: Study, known: Known) -> None:
    before = datetime.now(UTC)
    claim = begun(study, 3, known("unet"), reference="U-Net", fold=1, seed=2**40)
    claims.end(study, claim, State.COMPLETE, dice=0.875, seconds=12.5, peak_bytes=2**35, epochs=10)

    (evaluation,) = study.evaluations()
    assert (evaluation.id, evaluation.trial, evaluation.digest) == (claim.evaluation, 3, "unet")
    assert (evaluation.reference, evaluation.fold, evaluation.seed, evaluation.rung) == ("U-Net", 1, 2**40, 0)
    assert (evaluation.device, (evaluation.worker or "").rpartition(":")[2]) == ("cuda:0", str(os.getpid()))
    assert (evaluation.state, evaluation.reason, evaluation.dice) == (State.COMPLETE, None, 0.875)
    assert (evaluation.seconds, evaluation.peak_bytes, evaluation.epochs) == (12.5, 2**35, 10)
    assert (evaluation.parameters, evaluation.macs) == (1_000, 5_000_000_000)
    assert evaluation.finished is not None
    assert before <= evaluation.started <= evaluation.finished <= datetime.now(UTC)


def test_an_evaluation_is_found_by_its_id(study: Study, known: Known) -> None:
    first, second = (ended(study, trial, known(str(trial)), State.FAILED) for trial in (7, 2))
    assert (study.evaluation(first).trial, study.evaluation(second).trial) == (7, 2)
    with pytest.raises(InputError, match="has no evaluation"):
        study.evaluation(second + 1)


def test_a_proposal_that_cannot_be_traced_has_no_digest(study: Study) -> None:
    ended(study, 0, None, State.INFEASIBLE, reason="the patch is smaller than the stride")

    (evaluation,) = study.evaluations()
    assert (evaluation.digest, evaluation.parameters, evaluation.macs) == (None, None, None)
    assert evaluation.reason == "the patch is smaller than the stride"


def test_evaluations_come_in_the_order_of_their_trials(study: Study, known: Known) -> None:
    for trial in (2, 0, 1):
        ended(study, trial, known(f"net {trial}"), State.FAILED if trial == 1 else State.INFEASIBLE)

    assert [evaluation.trial for evaluation in study.evaluations()] == [0, 1, 2]
    assert [evaluation.trial for evaluation in study.evaluations(State.INFEASIBLE)] == [0, 2]
    assert study.evaluations(State.COMPLETE) == []


def test_one_trial_is_evaluated_once_per_fold_and_seed(study: Study, known: Known) -> None:
    for fold, seed in [(0, 0), (0, 1), (1, 0)]:
        begun(study, 7, known("unet"), fold=fold, seed=seed)

    assert study.counts() == Counts(trials=1, distinct=0, complete=0, infeasible=0, duplicate=0, failed=0, running=3)


def test_a_complete_evaluation_needs_a_finite_dice(study: Study, known: Known) -> None:
    claim = begun(study, 0, known("unet"))
    for dice in (None, math.nan, math.inf):
        with pytest.raises(ValueError, match="finite dice"):
            claims.end(study, claim, State.COMPLETE, dice=dice)


def test_counts(study: Study, known: Known) -> None:
    ended(study, 0, known("a"), State.COMPLETE, dice=0.5)
    ended(study, 1, known("b"), State.INFEASIBLE)
    ended(study, 2, known("a"), State.DUPLICATE, dice=0.5)
    ended(study, 3, known("c"), State.FAILED)
    begun(study, 4, known("d"))
    ended(study, 5, None, State.INFEASIBLE)

    assert study.counts() == Counts(trials=6, distinct=1, complete=1, infeasible=2, duplicate=1, failed=1, running=1)


@pytest.mark.parametrize(
    ("results", "best"),
    [
        ([], None),
        ([("a", State.INFEASIBLE, None)], None),
        ([("a", State.COMPLETE, 0.5), ("b", State.COMPLETE, 0.7)], "b"),
        ([("a", State.COMPLETE, 0.5), ("b", State.DUPLICATE, 0.7)], "a"),
        ([("large", State.COMPLETE, 0.7), ("small", State.COMPLETE, 0.7)], "small"),
        ([("a", State.COMPLETE, 0.7), ("b", State.COMPLETE, 0.7)], "a"),
    ],
)
def test_the_best_is_complete_then_accurate_then_small_then_early(
    study: Study, known: Known, results: list[tuple[str, State, float | None]], best: str | None
) -> None:
    for trial, (digest, state, dice) in enumerate(results):
        known(digest, parameters={"large": 2_000, "small": 500}.get(digest, 1_000))
        ended(study, trial, digest, state, dice=dice)

    found = study.best()
    assert (found.digest if found else None) == best


@pytest.mark.parametrize(
    ("states", "known_as"),
    [
        ([], None),
        ([State.FAILED], None),
        ([State.RUNNING], None),
        ([State.INFEASIBLE], State.INFEASIBLE),
        ([State.FAILED, State.INFEASIBLE, State.COMPLETE, State.DUPLICATE], State.COMPLETE),
    ],
)
def test_what_is_known_of_a_network(study: Study, known: Known, states: list[State], known_as: State | None) -> None:
    known("a")
    for trial, state in enumerate(states):
        if state is State.RUNNING:
            begun(study, trial, "a")
        else:
            ended(study, trial, "a", state, dice=0.5)

    found = study.evaluation_of("a")
    assert (found.state if found else None) == known_as


def test_references_are_the_published_networks(study: Study, known: Known) -> None:
    begun(study, 0, known("a"), reference="U-Net")
    begun(study, 1, known("b"))

    assert [evaluation.reference for evaluation in study.references()] == ["U-Net"]


def test_failures_are_counted_and_the_latest_of_them_read(study: Study, known: Known) -> None:
    known("a")
    assert claims.outcomes(study) == (0, 0)
    ended(study, 0, "a", State.COMPLETE, dice=0.5)
    for trial in range(1, 5):
        ended(study, trial, None, State.FAILED, f"reason {trial}")
    begun(study, 5, None)

    assert claims.outcomes(study) == (1, 4)
    assert [each.reason for each in study.latest(State.FAILED, 3)] == ["reason 4", "reason 3", "reason 2"]


def test_the_summary_is_the_json_contract(study: Study, known: Known) -> None:
    empty = {"study": "hippocampus", "storage": study.storage.address, "trials": 0, "distinct": 0, "infeasible": 0}
    assert study.summary() == empty | {"best": None}

    known("a", parameters=31_042_369, macs=2**40)
    ended(study, 0, "a", State.COMPLETE, dice=0.9, reference="U-Net")
    best = {"trial": 0, "digest": "a", "reference": "U-Net", "dice": 0.9, "parameters": 31_042_369, "macs": 2**40}
    assert study.summary() == empty | {"trials": 1, "distinct": 1, "best": best | {"recipe": {}}}

    decisions = {"width": 8, "recipe.loss": "dice", "recipe.augmentation.flips": True}
    ended(study, 1, "a", State.COMPLETE, dice=0.95, decisions=decisions)
    assert study.summary()["best"]["recipe"] == {"loss": "dice", "augmentation.flips": True}


def test_an_architecture_is_recorded_once_and_shared(study: Study) -> None:
    graph = {"nodes": [["conv", {"kernel": [3, 3]}]]}
    first = ArchitectureRecord(
        "a", {"kind": "unet", "width": 8}, graph, parameters=10, macs=2**40, training_bytes=2**33
    )
    study.record_architecture(first)
    study.record_architecture(ArchitectureRecord("a", {}, {}, parameters=0, macs=0, training_bytes=0))

    assert study.architecture("a") == first
    with pytest.raises(InputError, match="no architecture 'b'"):
        study.architecture("b")


def test_an_architecture_recorded_without_its_graph_gains_it(study: Study) -> None:
    described = ArchitectureRecord("a", {"kind": "unet"}, {}, parameters=10, macs=20, training_bytes=30)
    study.record_architecture(described)
    traced = replace(described, graph={"nodes": [1, 2]})
    study.record_architecture(traced)
    study.record_architecture(described)

    assert study.architecture("a") == traced


def test_a_document_must_be_json(study: Study) -> None:
    with pytest.raises(Exception, match="JSON compliant"):
        study.record_architecture(ArchitectureRecord("a", {"rate": math.nan}, {}, 0, 0, 0))


CURVE = [
    Measurement(epoch=1, metric="dice", value=0.25),
    Measurement(epoch=1, metric="dice", value=0.125, class_index=1),
    Measurement(epoch=1, metric="loss", value=1.5),
    Measurement(epoch=2, metric="dice", value=0.5),
]


def test_the_learning_curve_is_what_was_measured_over_all_cases(study: Study, known: Known) -> None:
    evaluation = begun(study, 0, known("a")).evaluation
    other = begun(study, 1, known("b")).evaluation
    study.measure(evaluation, [*CURVE, Measurement(epoch=1, metric="dice", value=0.75, class_index=1, case="case_3")])
    study.measure(other, [Measurement(epoch=1, metric="dice", value=0.0)])
    study.measure(evaluation, [])

    assert study.learning_curve(evaluation) == CURVE
    assert study.learning_curve(evaluation, "loss") == [CURVE[2]]


def test_an_epoch_measured_again_replaces_what_it_said(study: Study, known: Known) -> None:
    evaluation = begun(study, 0, known("a")).evaluation
    study.measure(evaluation, CURVE)
    study.measure(evaluation, [Measurement(epoch=2, metric="dice", value=0.625)])

    assert study.learning_curve(evaluation) == [*CURVE[:3], Measurement(epoch=2, metric="dice", value=0.625)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_diverged_is_kept(study: Study, known: Known, value: float) -> None:
    evaluation = begun(study, 0, known("a")).evaluation
    study.measure(evaluation, [Measurement(epoch=1, metric="loss", value=value)])

    (measurement,) = study.learning_curve(evaluation)
    assert math.isnan(measurement.value)


def test_optuna_has_the_study_under_the_same_name_and_maximizes(study: Study) -> None:
    sampler = optuna.samplers.RandomSampler(seed=0)
    told = study.optuna_study(sampler)
    told.tell(told.ask(), 0.5)

    again = study.optuna_study()
    assert (again.study_name, again.direction.name, len(again.trials)) == ("hippocampus", "MAXIMIZE", 1)
    assert told.sampler is sampler


def test_studies_of_one_storage_keep_apart(
    storage: Storage, study: Study, known: Known, settings: Callable[..., StudySettings]
) -> None:
    other = create_or_resume(storage, settings(name="other"))
    ended(study, 0, known("a"), State.COMPLETE, dice=0.5)

    assert other.evaluations() == []
    assert other.evaluation_of("a") is None
    assert (other.best(), other.counts().trials) == (None, 0)
    assert open_study(storage, "hippocampus").counts().trials == 1
