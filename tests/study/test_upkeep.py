"""Copies, other names, deletion, pruning and repair, on every database."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from nas.errors import InputError
from nas.study.files import artifacts
from nas.study.history import Measurement, Result, RunKey, Split, State
from nas.study.protocol import Claim
from nas.study.sql.opening import find_study, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArtifactRow, Base
from nas.study.upkeep.checking import check
from nas.study.upkeep.copying import copy, remove_study, rename
from tests.study.runs import begun, image, run_of, started


def train(study: SqlStudy, tmp_path: Path, dices: list[float], **about: Any) -> list[int]:
    """Runs of trained networks, with their weights, and their images in Optuna."""
    ids = []
    with study.at_work("cpu", lease=30) as worker:
        for dice in dices:
            digest = f"net {len(study.history().trials)}"
            claim = started(study, worker, digest, **about)
            file = tmp_path / "weights.safetensors"
            file.write_text(f"{digest} {dice}")
            study.keep(claim, "weights", file)
            study.report(claim, [Measurement(1, "dice", dice)])
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": dice}))
            image(study)
            ids.append(claim.run)
    return ids


def files(storage: Storage) -> list[Path]:
    return sorted(path for path in storage.artifacts.rglob("*") if path.is_file() and not path.name.startswith("."))


def test_losers_weights_are_pruned_and_the_best_and_published_kept(study: SqlStudy, tmp_path: Path) -> None:
    published = train(study, tmp_path, [0.1], reference="U-Net")
    found = train(study, tmp_path, [0.3, 0.9, 0.5])
    assert study.prune(keep=2) == 1
    assert [study.file(id, "weights").read_text()[-3:] for id in (published[0], *found[1:])] == [
        "0.1",
        "0.9",
        "0.5",
    ]
    with pytest.raises(InputError, match="left no artifact"):
        study.file(found[0], "weights")
    assert study.prune(keep=2) == 0


def confirm(study: SqlStudy, tmp_path: Path, run: int, *, finished: bool = True, fold: int = 1) -> int:
    """A run beside the search of the trial of a run."""
    with study.at_work("cpu", lease=30) as worker:
        claim = study.go_on(run_of(study, run).trial, RunKey(fold=fold, seed=7, split=Split.CONFIRM), worker)
        assert isinstance(claim, Claim)
        for kind in ("weights", "checkpoint"):
            (tmp_path / kind).write_text(f"{kind} of fold {fold}")
            study.keep(claim, kind, tmp_path / kind)
        if finished:
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.4}))
    return claim.run


def kinds(study: SqlStudy, run: int) -> set[str]:
    with study.storage.begin() as session:
        return set(session.scalars(select(ArtifactRow.kind).where(ArtifactRow.run_id == run)))


def test_runs_beside_the_search_are_pruned_with_their_trial(study: SqlStudy, tmp_path: Path) -> None:
    (published,) = train(study, tmp_path, [0.1], reference="U-Net")
    loser, winner = train(study, tmp_path, [0.3, 0.9])
    beside = {run: confirm(study, tmp_path, run) for run in (published, loser, winner)}
    going_on = confirm(study, tmp_path, loser, finished=False, fold=2)
    before = len(files(study.storage))
    deleted = study.prune(keep=1)
    assert kinds(study, loser) == kinds(study, beside[loser]) == set()
    for run in (published, winner):
        assert kinds(study, run) == kinds(study, beside[run]) == {"weights"}
    assert kinds(study, going_on) == {"weights", "checkpoint"}
    assert len(files(study.storage)) == before - deleted
    assert check(study, repair=False)[0].what.startswith("trial 1 is running")  # and no file is anybody's fault


def test_a_trial_that_is_being_confirmed_is_copied_without_the_run_that_goes_on(
    study: SqlStudy, tmp_path: Path
) -> None:
    (run,) = train(study, tmp_path, [0.5])
    confirm(study, tmp_path, run)
    confirm(study, tmp_path, run, finished=False, fold=2)
    begun(study, "running")
    copied = copy(study, "copy", study.storage)
    (trial,) = copied.history().trials
    assert [(run.key.split, run.key.fold) for run in trial.runs] == [(Split.SEARCH, 0), (Split.CONFIRM, 1)]
    assert [run.state for run in trial.runs] == [State.COMPLETE, State.COMPLETE]
    assert copied.file(trial.runs[1].id, "weights").read_text() == "weights of fold 1"


def test_a_renamed_study_keeps_everything(study: SqlStudy, tmp_path: Path) -> None:
    (id,) = train(study, tmp_path, [0.5])
    renamed = rename(study, "other name")
    assert find_study(study.storage, "hippocampus") is None
    assert renamed.file(id, "weights").is_file()
    assert [trial.value for trial in image(renamed).trials] == [0.5]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_a_copy_holds_the_same_and_stands_alone(study: SqlStudy, tmp_path: Path, elsewhere: bool) -> None:
    train(study, tmp_path, [0.5, 0.7])
    begun(study, "running")
    study.write_down("look", {"cases": 3})
    with open_storage(tmp_path / "second" / "nas.db") as second:
        copied = copy(study, "copy", second if elsewhere else study.storage)
        assert [line.content for line in copied.journal("look")] == [{"cases": 3}]
        original = {trial.number: trial for trial in study.history().trials}
        remove_study(study, force=True)
        assert [trial.values["dice"] for trial in copied.history().trials] == [0.5, 0.7]
        for trial in copied.history().trials:
            (run,) = trial.runs
            assert copied.file(run.id, "weights").read_text().endswith(str(run.values["dice"]))
            assert [point.value for point in copied.measurements(run.id)] == [run.values["dice"]]
            assert run.curve == original[trial.number].runs[0].curve
            assert copied.architecture(trial.digest or "").digest == trial.digest
        assert [trial.value for trial in image(copied).trials] == [0.5, 0.7]


@pytest.mark.parametrize("name", ["", "..", "a/b", "../evil", "hippocampus"])
def test_names_that_are_refused(study: SqlStudy, name: str) -> None:
    image(study)
    for act in (lambda: rename(study, name), lambda: copy(study, name, study.storage)):
        with pytest.raises(InputError, match=r"study name|there is a study"):
            act()


def test_a_deleted_study_leaves_nothing(study: SqlStudy, tmp_path: Path) -> None:
    train(study, tmp_path, [0.5])
    remove_study(study)
    assert files(study.storage) == []
    assert study.storage.optuna.get_all_studies() == []
    with study.storage.begin() as session:
        left = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
            if table.name != "nas_place"  # which is the database's
        }
    assert set(left.values()) == {0}


def test_a_study_that_is_worked_on_is_not_deleted(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=30), pytest.raises(InputError, match="workers are at study"):
        remove_study(study)
    remove_study(study)


def test_a_sound_study_has_no_faults(study: SqlStudy, tmp_path: Path) -> None:
    train(study, tmp_path, [0.5])
    assert check(study) == []


def test_faults_are_found_and_repaired(study: SqlStudy, tmp_path: Path) -> None:
    poisoned, missing = train(study, tmp_path, [0.5, 0.6])
    study.file(poisoned, "weights").write_text("poison")
    study.file(missing, "weights").unlink()
    orphan = study.storage.artifacts / study.storage.part / study.name / "77" / "weights.part"
    orphan.parent.mkdir(parents=True)
    orphan.write_text("half")
    stale = begun(study, "stale").run

    words = [fault.what for fault in check(study)]
    assert len(words) == 4
    for word in ("trial 2 is running", "has changed", "cannot be read", "no trial names the file"):
        assert any(word in each for each in words)
    assert orphan.exists()
    check(study, repair=True)
    assert check(study) == []
    assert not orphan.exists()
    assert run_of(study, stale).state is State.WAITING
    assert open_study(study.storage, study.name).counts()[1][State.COMPLETE] == 2


def test_nothing_is_forgotten_where_a_file_cannot_be_read_for_now(
    study: SqlStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(study, tmp_path, [0.5, 0.6])

    def stale(path: Path) -> str:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "_sha256", stale)
        with pytest.raises(InputError, match="cannot be read: Stale file handle"):
            check(study, repair=True)
    assert check(study) == []


def test_no_file_outside_the_folder_is_touched(study: SqlStudy, tmp_path: Path) -> None:
    train(study, tmp_path, [0.5])
    outside = tmp_path / "precious"
    outside.write_text("precious")
    shutil.rmtree(study.storage.artifacts)
    study.storage.artifacts.mkdir()
    check(study, repair=True)
    remove_study(study)
    assert outside.exists()
