"""From nnU-Net's plan and folds to a trained network, and back into a folder of nnU-Net's."""

import json
from pathlib import Path

import pytest

from nas.study.sql.opening import open_study
from nas.study.sql.storage import open_storage
from tests.architecture.test_plans import plans
from tests.cli.command import Command
from tests.data.factories import CASES, nnunet


def test_an_imported_network_is_trained_on_the_plan_s_folds_and_written_for_nnunet(
    nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # As nnU-Net lays them out: raw data in one folder, plans and folds in another.
    nnunet(tmp_path / "raw", (24, 22, 20), ".nii.gz")
    preprocessed = tmp_path / "preprocessed"
    preprocessed.mkdir()
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans(2, features_per_stage=[16, 32])))
    (preprocessed / "dataset.json").write_bytes((tmp_path / "raw" / "dataset.json").read_bytes())
    folds = [{"train": [CASES[1], CASES[2]], "val": [CASES[0]]}, {"train": [CASES[0]], "val": [CASES[1]]}]
    (preprocessed / "splits_final.json").write_text(json.dumps(folds))

    imported = nas("spaces", "import", str(preprocessed / "nnUNetPlans.json"), "--to", "network.json")
    assert imported.code == 0, imported.err
    (told,) = [line for line in imported.out.splitlines() if line.startswith("to train it: nas ")]
    command = told.removeprefix("to train it: nas ").replace("DIR", "raw").split()
    assert command[-1] == str(preprocessed / "splits_final.json")

    short = ("--steps", "2", "--budget", "1h", "--device", "cpu", "--study", "mine", "--patch", "16,16,16")
    ended = nas(*command, *short)
    assert ended.code == 0, ended.err
    with open_storage("runs/nas.db", create=False) as storage:
        study = open_study(storage, "mine")
        (trial,) = study.history().trials
        assert trial.reference == "nnUNetPlans 3d_fullres"
        (run,) = trial.runs
        assert {point.case for point in study.measurements(run.id, "dice") if point.case} == {CASES[0]}
    exported = nas("export", "mine", "--as", "nnunet", "--to", "for_nnunet")
    assert exported.code == 0, exported.err
    written = json.loads(Path("for_nnunet/plans.json").read_text())
    assert list(written["configurations"]) == ["3d_fullres"]
