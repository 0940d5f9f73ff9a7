"""A small confirmation from end to end: what is trained, what is said, and what is refused before that."""

import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import nas
from nas.cli.schema import schema_of
from nas.errors import InputError
from nas.searching import SearchSettings
from nas.searching.afterwards.confirming import FOLDS, HELD_OUT, ConfirmSettings, confirm
from nas.searching.afterwards.together import finalists
from nas.searching.events import Event, Note, silent
from nas.study.settings import TOGETHER
from nas.study.sql.study import SqlStudy
from tests.cli.command import Command

WISHES = ConfirmSettings(top=1, folds=2, seeds=1)


def runs(of: SqlStudy) -> int:
    return sum(len(trial.runs) for trial in of.history().trials)


def test_finalist_and_published_network_are_trained_on_every_fold_and_on_what_was_held_out(
    found: SqlStudy, data: Path, machine: SearchSettings
) -> None:
    said: list[str] = []
    before = runs(found)
    first = confirm(found, WISHES, machine, lambda event: said.append(event.text) if isinstance(event, Note) else None)
    assert runs(found) == before + 6
    assert [part.cases for part in first.parts] == [FOLDS, HELD_OUT]
    assert any(line.startswith("  6/6") for line in said)
    searched = {case for score in first.parts[0].scores["all"] for case in score.cases}
    held = {case for score in first.parts[1].scores["all"] for case in score.cases}
    assert held == set(found.settings.held_out)
    assert not searched & held
    assert first.held_out == {"cases": 2, "looks": 1}
    jsonschema.validate(json.loads(json.dumps(first.to_json(), allow_nan=False)), schema_of("confirm"))
    shutil.rmtree(data)  # what is done needs no data
    assert confirm(found, WISHES, machine, silent).to_json() == first.to_json()


def test_a_stop_costs_the_run_in_hand_and_no_look_is_counted_twice(found: SqlStudy, machine: SearchSettings) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Note) and event.text.startswith("  5/6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        confirm(found, WISHES, machine, stop)
    before = runs(found)
    assert confirm(found, WISHES, machine, silent).held_out["looks"] == 1
    assert runs(found) == before + 1


def test_held_out_cases_are_not_looked_at_where_that_is_refused(found: SqlStudy, machine: SearchSettings) -> None:
    confirmed = confirm(found, ConfirmSettings(top=1, folds=2, seeds=1, holdout=False), machine, silent)
    assert confirmed.held_out == {"cases": 2, "looks": 0}
    assert [part.cases for part in confirmed.parts] == [FOLDS]


def test_the_mean_of_the_finalists_is_compared_where_it_did_better(
    found: SqlStudy, folder: Path, data: Path, machine: SearchSettings
) -> None:
    best = [trial.number for trial in finalists(found.history(), found.settings.goals)]
    found.want(found.wanted(), {TOGETHER: {"trials": best, "dice": 1.0}})
    found = nas.open_study("small", str(folder / "nas.db")).study
    assert found.summary()["together"] == {"trials": best, "dice": 1.0}
    first = confirm(found, WISHES, machine, silent)
    assert (first.networks[0].name, first.networks[0].trials) == ("mean of the best 2", tuple(best))
    assert first.networks[0].parameters == sum(trial.parameters or 0 for trial in found.history().trials)
    mean, *single = (score.values for score in first.parts[0].scores["all"])
    assert not any(np.array_equal(mean, one) for one in single)
    jsonschema.validate(json.loads(json.dumps(first.to_json(), allow_nan=False)), schema_of("confirm"))
    shutil.rmtree(data)  # what is done needs no data
    assert confirm(found, WISHES, machine, silent).to_json() == first.to_json()


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"folds": 6}, "folds: found 6, expected 2 to 5, the folds that 8 cases make"),
        ({"against": "case,theirs\nother,0.5\n"}, "theirs: lacks 10 of 10 cases"),
        ({"against": "name,theirs\nother,0.5\n"}, "expected 'case'"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(
    wishes: dict[str, object], message: str, found: SqlStudy, machine: SearchSettings, tmp_path: Path
) -> None:
    if "against" in wishes:
        (tmp_path / "theirs.csv").write_text(str(wishes["against"]))
        wishes = {"folds": 5, "against": tmp_path / "theirs.csv"}
    before = runs(found)
    with pytest.raises(InputError, match=message):
        confirm(found, ConfirmSettings(**{"top": 1, "seeds": 1, **wishes}), machine, silent)  # type: ignore[arg-type]
    assert runs(found) == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top": 0}, "top: found 0"),
        ({"seconds": 1.0, "budget": 2.0}, "length: found with budget"),
        ({"margin": 2}, "a part of a Dice"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ConfirmSettings(**values)  # type: ignore[arg-type]


def test_the_command_prints_tables_and_sentences_and_writes_every_case(
    folder: Path, nas_command: Command, tmp_path: Path
) -> None:
    where = (
        "--storage",
        str(folder / "nas.db"),
        "--data",
        str(folder / "pictures"),
        "--top",
        "1",
        "--folds",
        "2",
        "--seeds",
        "1",
    )
    csv = tmp_path / "cases.csv"
    ended = nas_command("confirm", "small", *where, "--csv", str(csv))
    assert ended.code == 0, ended.err
    assert "Tiny U-Net" in ended.out
    assert "held out: 2 cases, looked at once" in ended.out
    again = nas_command("confirm", "small", *where, "--against", str(csv), "--json")
    assert again.code == 0, again.err
    assert len(again.json["parts"][0]["judged"][0]["comparisons"]) > 1
    wrong = nas_command("confirm", "small", *where[:4], "--folds", "9")
    assert wrong.code == 2
    assert "--folds: found 9" in wrong.err
    csv.write_text("case,theirs\nnobody,0.5\n")
    other = nas_command("confirm", "small", *where, "--against", str(csv))
    assert other.code == 2
    assert "lacks" in other.err


@pytest.fixture
def nas_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)
