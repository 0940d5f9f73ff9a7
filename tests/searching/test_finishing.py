"""The network that stays: trained on all cases or as the ensemble of the folds, and written to be used."""

import json
from pathlib import Path

import jsonschema
import pytest

from nas.cli.schema import schema_of
from nas.errors import InputError
from nas.model import load_model
from nas.searching import SearchSettings
from nas.searching.afterwards.confirming import ConfirmSettings, confirm
from nas.searching.afterwards.finishing import FinalSettings, train_finally
from nas.searching.events import Event, Note, silent
from nas.searching.opened import OpenedStudy
from nas.study.history import Split
from nas.study.sql.study import SqlStudy


def test_the_winner_is_trained_on_all_cases_and_its_folder_says_so(
    found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    written = train_finally(found, FinalSettings(seeds=2), machine, tmp_path / "model", silent)
    model = load_model(tmp_path / "model")
    assert len(model.states) == len(written.states) == 2
    assert model.provenance["trained"] == written.provenance["trained"]
    assert (model.provenance["trained"]["on"], model.provenance["trained"]["seeds"]) == ("all", [1, 2])
    printed = {"folder": "model", "members": len(model.states), **model.provenance["trained"]}
    jsonschema.validate(json.loads(json.dumps(printed)), schema_of("train"))
    assert "on all cases" in (tmp_path / "model" / "MODEL_CARD.md").read_text()
    runs = [run for trial in found.history().trials for run in trial.runs if run.key.split is Split.ALL]
    assert [run.values for run in runs] == [{}, {}]


def test_an_ensemble_takes_what_a_confirmation_has_trained(
    found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    confirm(found, ConfirmSettings(top=1, folds=2, seeds=1, holdout=False), machine, silent)
    said: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    finalist = next(trial.number for trial in found.history().trials if trial.reference is None)
    wishes = FinalSettings(trial=finalist, together=True)
    model = train_finally(found, wishes, machine, tmp_path / "model", hear)
    assert any("3 of 5 trainings to do" in text for text in said)
    assert (len(model.states), model.provenance["trained"]["folds"]) == (5, [0, 1, 2, 3, 4])
    assert "fold" not in model.provenance


def test_what_was_pruned_is_trained_again(found: SqlStudy, machine: SearchSettings, tmp_path: Path) -> None:
    finalist = next(trial.number for trial in found.history().trials if trial.reference is None)
    wishes, said = FinalSettings(trial=finalist), []
    for name in ("before", "after"):
        model = train_finally(found, wishes, machine, tmp_path / name, lambda event: said.append(str(event)))
        found.prune(keep=0)
        assert len(model.states) == 1
    assert model.provenance["trained"]["seeds"] == [2]
    assert sum("are deleted, as by nas studies prune-artifacts" in text for text in said) == 1
    with pytest.raises(InputError, match="nas train --trial NUMBER trains this one again"):
        OpenedStudy(found).trial(finalist).module()


def test_the_best_of_a_search_are_trained_and_averaged(
    found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    model = train_finally(found, FinalSettings(top=2), machine, tmp_path / "model", silent)
    trained = {run.trial for trial in found.history().trials for run in trial.runs if run.key.split is Split.ALL}
    assert (len(model.states), len(trained)) == (2, 2)
    assert len(load_model(tmp_path / "model").graphs) == 2


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"top": 9}, "top: found 9, but study 'small' has 2 networks"),
        ({"top": 2, "trial": 0}, "top: found 2 with trial"),
        ({"trial": 99}, "trial 99 trained no network"),
        ({"reference": "Tiny U Net"}, "has trained no 'Tiny U Net'.*Tiny U-Net"),
        ({"reference": "Tiny U-Net", "trial": 0}, "trial: found with reference"),
        ({"seeds": 0}, "seeds: found 0"),
        ({"seconds": 1.0, "budget": 1.0}, "length: found with budget"),
    ],
)
def test_a_network_that_is_not_there_is_refused(
    wishes: dict[str, object], message: str, found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        train_finally(found, FinalSettings(**wishes), machine, tmp_path / "model", silent)  # type: ignore[arg-type]


def test_a_folder_of_something_else_is_refused_before_the_work(
    found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="exists and is no earlier nas model"):
        train_finally(found, FinalSettings(), machine, tmp_path, silent)
