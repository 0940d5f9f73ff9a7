"""Optuna's tables are an image of the study: whole, the same however often it is made, and made again at will."""

import optuna
import optuna_dashboard
import pytest
from optuna.trial import TrialState

from nas.study.history import Measurement, Result, RunKey, State
from nas.study.protocol import Worker
from nas.study.sql.study import SqlStudy
from tests.study.runs import begun, complete, duplicate, failed, image, proposal, refused, started


def told(study: SqlStudy, *, finished: bool = False) -> list[tuple[str, float | None]]:
    return [(trial.state.name, trial.value) for trial in image(study, finished=finished).trials]


def everything(study: SqlStudy) -> list[tuple[object, ...]]:
    """All that Optuna has of the study as it stands, but its own identities."""
    opened = optuna.load_study(study_name=study.name, storage=study.storage.optuna)
    return [
        (
            trial.number, trial.state, trial.values, trial.params, trial.distributions, trial.user_attrs,
            trial.constraints, trial.intermediate_values, note(opened, trial.number),
        )
        for trial in opened.trials
    ]  # fmt: skip


def note(opened: optuna.Study, number: int) -> str:
    identity = opened._storage.get_trial_id_from_study_id_trial_number(opened._study_id, number)
    return str(optuna_dashboard.get_note(optuna.trial.Trial(opened, identity)))


def one_of_each(study: SqlStudy) -> None:
    """A trial of each state, in the order of `STATES`."""
    complete(study, "complete", 0.75, decisions={"width": 4, "block": "plain"}, constraints={"macs": -0.5})
    refused(study, "infeasible", "too large", decisions={"width": 5}, constraints={"macs": 0.5})
    diverged = begun(study, "diverged", decisions={"width": 6})
    study.finish(diverged, Result(state=State.DIVERGED, reason="the loss is nan"))
    duplicate(study, "complete", decisions={"width": 4, "block": "dense"})
    failed(study, "failed", "Traceback (most recent call last):\n  x\nValueError: boom", decisions={"width": 7})
    with study.at_work("cpu", lease=30) as worker:
        paused = started(study, worker, "paused", decisions={"width": 3})
        study.finish(paused, Result(state=State.PAUSED, values={"training_dice": 0.25}))
        study.give_back(started(study, worker, "waiting", decisions={"width": 1}))
        started(study, worker, "running", decisions={"width": 2})


STATES = {
    State.COMPLETE: ("COMPLETE", 0.75),
    State.INFEASIBLE: ("COMPLETE", 0.0),
    State.DIVERGED: ("COMPLETE", 0.0),
    State.DUPLICATE: ("FAIL", None),
    State.FAILED: ("FAIL", None),
    State.PAUSED: ("WAITING", None),
    State.WAITING: ("RUNNING", None),
    State.RUNNING: ("RUNNING", None),
}


def test_each_state_has_its_image_under_the_same_number(study: SqlStudy) -> None:
    one_of_each(study)
    opened = image(study)
    trials = opened.trials
    assert [trial.number for trial in trials] == list(range(8)) == [t.number for t in study.history().trials]
    assert [(trial.state.name, trial.value) for trial in trials] == list(STATES.values())
    assert [trial.user_attrs["state"] for trial in trials] == [str(state) for state in STATES]
    assert trials[0].params == {"width": 4, "block": "plain"}
    assert [trial.constraints for trial in trials[:3]] == [{"macs": -0.5}, {"macs": 0.5}, {"diverged": 1.0}]
    assert opened.best_trial.number == 0
    assert told(study, finished=True)[5] == ("PRUNED", None)


def test_a_published_network_and_a_change_of_it_say_so(study: SqlStudy) -> None:
    complete(study, "a", 0.5, reference="U-Net", origin="published")
    complete(study, "b", 0.6, parent=0)
    attributes = [trial.user_attrs for trial in image(study).trials]
    assert (attributes[0]["reference"], attributes[0]["origin"]) == ("U-Net", "published")
    assert (attributes[1]["parent"], attributes[1]["origin"]) == (0, "strategy")


def test_each_trial_that_was_trained_has_a_note_in_the_dashboard(study: SqlStudy) -> None:
    complete(study, "a", 0.75, reference="`<b>` net", decisions={"width": 4})
    failed(study, "b", "Traceback (most recent call last):\n  x\nValueError: `boom` <script>", decisions={"width": 7})
    opened = image(study)
    words = note(opened, 0)
    for part in ("**`'<b>' net`**", "complete", "- dice: 0.7500", "- 1,000 parameters, 5,000,000,000 MACs"):
        assert part in words
    assert "- `ValueError: 'boom' <script>`" in note(opened, 1)


@pytest.mark.parametrize("metric", ["training_dice", "loss"])
def test_intermediate_values_are_what_was_measured_on_the_way(study: SqlStudy, metric: str) -> None:
    claim = begun(study, "a")
    study.report(claim, [Measurement(1, "loss", 0.25), Measurement(1, metric, 0.25), Measurement(1, metric, 0.1, 1)])
    assert image(study).trials[0].intermediate_values == {1: 0.25}
    study.report(claim, [Measurement(2, metric, 0.5)])
    assert image(study).trials[0].intermediate_values == {1: 0.25, 2: 0.5}
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
    (trial,) = image(study).trials
    assert (trial.state, trial.intermediate_values) == (TrialState.COMPLETE, {1: 0.25, 2: 0.5})


def test_projecting_again_changes_nothing_and_anew_makes_the_same(study: SqlStudy) -> None:
    one_of_each(study)
    image(study, finished=True)
    before = everything(study)
    image(study)
    assert everything(study) == before
    image(study, finished=True)
    assert everything(study) == before
    image(study, finished=True, afresh=True)
    assert everything(study) == before


def test_step_by_step_comes_to_the_same_as_at_once(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=30) as worker:
        claim = started(study, worker, "a", decisions={"width": 1}, constraints={"macs": -0.5})
        image(study)
        study.report(claim, [Measurement(1, "loss", 2.0)])
        image(study)
        study.finish(claim, Result(state=State.PAUSED, values={"training_dice": 0.3}))
        image(study)
        claim = started(study, worker, "b", decisions={"width": 2})
        image(study)
        memory = {"out_of_memory": 1.0}
        study.finish(claim, Result(state=State.INFEASIBLE, reason="out of memory", constraints=memory))
        image(study)
        go_on(study, worker)
        image(study)
    step_by_step = everything(study)
    assert [trial[6] for trial in step_by_step] == [{"macs": -0.5}, memory]
    image(study, afresh=True)
    assert everything(study) == step_by_step


def go_on(study: SqlStudy, worker: Worker) -> None:
    claim = study.go_on(0, RunKey(rung=1), worker)
    assert not isinstance(claim, str)
    study.report(claim, [Measurement(1, "loss", 2.0), Measurement(2, "loss", 1.0)])  # type: ignore[arg-type]
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))  # type: ignore[arg-type]


def test_a_search_that_goes_on_shows_what_was_pruned_again(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=30) as worker:
        study.finish(started(study, worker, "a"), Result(state=State.PAUSED, values={"training_dice": 0.3}))
        assert told(study, finished=True) == [("PRUNED", None)]
        go_on(study, worker)
    assert told(study) == [("COMPLETE", 0.5)]


def delete(study: SqlStudy) -> None:
    optuna.delete_study(study_name=study.name, storage=study.storage.optuna)


def add(study: SqlStudy) -> None:
    opened = optuna.load_study(study_name=study.name, storage=study.storage.optuna)
    opened.tell(opened.ask(), 0.99)


def end(study: SqlStudy) -> None:
    optuna.load_study(study_name=study.name, storage=study.storage.optuna).tell(1, 0.99)


@pytest.mark.parametrize("spoil", [delete, add, end])
@pytest.mark.parametrize("meanwhile", [False, True], ids=["nothing new", "something new"])
def test_what_was_deleted_or_contradicted_there_is_restored(study: SqlStudy, spoil: object, meanwhile: bool) -> None:
    complete(study, "a", 0.5, decisions={"width": 1})
    claim = begun(study, "b", decisions={"width": 2})
    complete(study, "c", 0.6, decisions={"width": 3})
    image(study)
    spoil(study)  # type: ignore[operator]
    if spoil is end:
        study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.7}))
    if meanwhile:
        complete(study, "d", 0.8, decisions={"width": 4})
    image(study, finished=not meanwhile)
    restored = everything(study)
    assert [trial[2] for trial in restored] == [list(t.values.values()) or None for t in study.history().trials]
    image(study, afresh=True)
    assert everything(study) == restored


def test_numbers_of_an_earlier_nas_that_no_trial_has_are_nothing_there(study: SqlStudy) -> None:
    complete(study, "a", 0.5)
    complete(study, "b", 0.6)
    move(study, 1, 3)
    assert told(study) == [("COMPLETE", 0.5), ("FAIL", None), ("FAIL", None), ("COMPLETE", 0.6)]
    complete(study, "c", 0.7)
    assert told(study)[4:] == [("COMPLETE", 0.7)]
    assert told(study, finished=True)[4:] == [("COMPLETE", 0.7)]


def test_an_image_that_an_earlier_nas_made_is_taken_over(study: SqlStudy) -> None:
    """It told duplicates with their twin's value, and gave numbers to proposals that were never trained."""
    backend = study.storage.optuna
    opened = optuna.create_study(storage=backend, study_name=study.name, direction="maximize")
    for value in (0.5, None, 0.5, None):
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        opened.add_trial(optuna.trial.create_trial(state=state, value=value))
    complete(study, "a", 0.5)
    duplicate(study, "a")
    move(study, 1, 2)
    assert told(study) == [("COMPLETE", 0.5), ("FAIL", None), ("FAIL", None)]
    assert optuna.load_study(study_name=study.name, storage=backend).trials[2].user_attrs["state"] == "duplicate"


def move(study: SqlStudy, number: int, to: int) -> None:
    """Give a trial another number, as an earlier nas might have."""
    from sqlalchemy import update

    from nas.study.sql.tables import TrialRow

    with study.storage.begin() as session:
        session.execute(update(TrialRow).where(TrialRow.number == number).values(number=to))


def test_a_worker_that_is_turned_away_leaves_no_trace(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=30) as worker, study.at_work("cpu", lease=30) as other:
        started(study, worker, "a")
        study.start(proposal("a"), other, most=10)
    assert told(study) == [("RUNNING", None)]
