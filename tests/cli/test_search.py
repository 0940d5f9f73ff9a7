"""Whole searches as a person types them, on tiny data of their own, to the exported network."""

import json
from pathlib import Path

import pytest

from nas.cli.output import OUT
from nas.study.sql.opening import open_study
from nas.study.sql.storage import open_storage
from nas.study.summary import best
from tests.cli.command import Command
from tests.data.factories import describing, msd, nnunet_regions, pairs

BOX = (24, 20, 18)
CASES = tuple(f"case_{number}" for number in range(5))
SHORT = ("--steps", "2", "--budget", "1h", "--device", "cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(OUT, "_width", 200)
    return tmp_path


@pytest.mark.parametrize(("dimensions", "channels"), [("2", 1), ("2.5", 3)])
def test_volumes_are_searched_slice_by_slice_and_exported(
    nas: Command, folder: Path, dimensions: str, channels: int
) -> None:
    msd(folder / "data", BOX, cases=CASES)
    options = ("--space", "tiny", "--data", "data", "--dimensions", dimensions, "--trials", "2", "--study", "cut")
    ended = nas("search", *options, *SHORT)
    assert ended.code == 0, ended.err
    assert "2/2" in ended.err
    assert "cut: 2 networks trained" in ended.out
    assert nas("export", "cut", "--to", "best").code == 0
    assert nas("report", "cut", "--to", "cut.html").code == 0
    assert "Best case: case_" in Path("cut.html").read_text(encoding="utf-8")
    written = json.loads(Path("best/architecture.json").read_text())
    assert (written["graph"]["task"]["axes"], written["graph"]["task"]["channels"]) == (2, channels)
    assert {file.name for file in Path("best").iterdir()} >= {"model.py", "weights.safetensors"}


def test_regions_are_what_is_searched_for_recorded_and_shown(nas: Command, folder: Path) -> None:
    nnunet_regions(folder / "data")
    command = ("search", "--space", "tiny", "--data", "data", "--dimensions", "2", "--study", "regions", *SHORT)
    ended = nas(*command, "--trials", "1")
    assert ended.code == 0, ended.err
    with open_storage("runs/nas.db", create=False) as storage:
        study = open_study(storage, "regions")
        trial = best(study.history(), study.settings.goals)
        assert trial is not None
        (run,) = trial.runs
        dice = {m.class_index: m.value for m in study.measurements(run.id, "dice") if m.case is None}
        training = [m.class_index for m in study.measurements(run.id, "training_dice") if m.epoch == 2]
    assert study.settings.objective == "mean region Dice on whole validation cases, fold 0"
    assert study.settings.task["classes"] == 3
    assert training == [None, 1, 2]
    assert dice.keys() == {None, 1, 2}
    assert dice[None] == trial.values["dice"] == pytest.approx((dice[1] + dice[2]) / 2)
    assert f"Dice: whole {dice[1]:.4f}, core {dice[2]:.4f}" in nas("best", "regions").out

    again = nas(*command, "--trials", "2")
    assert "going on after 1 finished trials" in again.err
    describing(labels={"background": 0, "core": [2], "whole": [1, 2], "ignore": 3})(folder / "data")
    told = "regions were whole = whole alone + core, core = core and are core = core, whole = whole alone + core"
    other = nas(*command, "--trials", "2")
    assert other.code == 2
    assert told in other.err


SWEEP = ("search", "--recipe", "sweep", "--reference", "DeepLabv3+ R50", "--slim", "9", "--data", "data")
SEARCHED = {"loss", "optimiser", "learning_rate", "augmentation.strength", "augmentation.flips"}


def test_one_command_sweeps_loss_and_learning_rate_of_one_network(nas: Command, folder: Path) -> None:
    pairs(folder / "data")
    first = nas(*SWEEP, "--trials", "3", *SHORT)
    assert first.code == 0, first.err
    assert "recipe: loss, loss.tversky.alpha, optimiser, learning_rate, " in first.err
    assert "published networks first: DeepLabv3+ R50, base 4" in first.err
    name = "sweep-DeepLabv3-R50-data"
    assert f"{name}: 3 trainings of DeepLabv3+ R50, base 4" in first.out
    again = nas(*SWEEP, "--trials", "4", *SHORT)
    assert "going on after 3 finished trials" in again.err
    assert "published networks first" not in again.err

    trials = nas("trials", name, "--format", "json").json["trials"]
    assert len(trials) == 4
    assert all(trial["recipe"].keys() >= SEARCHED for trial in trials)
    assert len({trial["recipe"]["learning_rate"] for trial in trials}) == 4
    assert len({trial["parameters"] for trial in trials}) == 1
    assert trials[0]["recipe"]["loss"] == "dice_cross_entropy"
    table, columns = nas("trials", name).out, nas("trials", name, "--format", "csv").out.splitlines()[0]
    for trial in trials:
        assert f"loss {trial['recipe']['loss']}" in table
        assert f"learning_rate {trial['recipe']['learning_rate']:.3g}" in table
    assert {f"recipe.{field}" for field in SEARCHED} <= set(columns.split(","))

    winner = max(trials, key=lambda trial: trial["dice"])
    shown = nas("best", name).out
    assert f"best: trial {winner['trial']}" in shown
    assert f"recipe: loss {winner['recipe']['loss']}, " in shown


def test_what_is_said_of_the_data_is_kept_with_the_study(nas: Command, folder: Path) -> None:
    msd(folder / "data", BOX, cases=CASES)
    (folder / "groups.csv").write_text("case,group\n" + "".join(f"{case},{case[-1] in '01'}\n" for case in CASES))
    command = ("search", "--space", "tiny", "--data", "data", "--study", "said", "--dimensions", "2", *SHORT)
    said = ("--labels", "1,2=organ", "--groups", "groups.csv", "--fold", "1")
    ended = nas(*command, *said, "--trials", "1")
    assert ended.code == 0, ended.err
    with open_storage("runs/nas.db", create=False) as storage:
        study = open_study(storage, "said")
        assert study.settings.task["classes"] == 2
        assert study.settings.plan["data_options"]["groups"] == {case: str(case[-1] in "01") for case in CASES}
    again = nas(*command, "--fold", "1", "--trials", "2")
    assert again.code == 0, again.err
    for other, message in (
        (("--labels", "1=organ;2=other", "--groups", "groups.csv"), "is not what study 'said' was made with"),
        (("--labels", "1,2=organ"), "parted into other folds than study 'said'"),
    ):
        refused = nas(*command, *other, "--fold", "1", "--trials", "3")
        assert refused.code == 2
        assert message in refused.err
