"""Copies, other names, deletion, pruning and repair, on every database."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nas.study.opening import find_study, open_study
from nas.study.records import Claim, Measurement, Proposal, State
from nas.study.storage import Storage, open_storage
from nas.study.study import Study
from nas.study.tables import Base
from nas.study.workers import at_work
from sqlalchemy import func, select

from nas.errors import InputError
from nas.study import artifacts, claims, mirror
from nas.study.upkeep import check, copy, prune_artifacts, remove_study, rename
from tests.study.evaluations import begun

Known = Callable[..., str]


def train(study: Study, known: Known, tmp_path: Path, dices: list[float], reference: str | None = None) -> list[int]:
    """Trained networks with their weights and their trials in Optuna."""
    ids = []
    with at_work(study, "cpu", lease=30) as worker:
        for dice in dices:
            digest = known(f"net {study.next_trial()}")
            proposal = Proposal(decisions={}, digest=digest, reference=reference)
            trial = mirror.make(study, proposal, {}, worker.id)
            claim = claims.begin(study, worker.id, trial, proposal, wanted=99, device="cpu")
            assert isinstance(claim, Claim)
            file = tmp_path / "weights.safetensors"
            file.write_text(f"{digest} {dice}")
            study.add_artifact(claim.evaluation, "weights", file)
            study.measure(claim.evaluation, [Measurement(1, "dice", dice)])
            claims.end(study, claim, State.COMPLETE, dice=dice)
            mirror.tell(study, study.evaluation(claim.evaluation))
            ids.append(claim.evaluation)
    return ids


def files(storage: Storage) -> list[Path]:
    return sorted(path for path in storage.artifacts.rglob("*") if path.is_file())


def test_losers_weights_are_pruned_and_the_best_and_published_kept(study: Study, known: Known, tmp_path: Path) -> None:
    published = train(study, known, tmp_path, [0.1], reference="U-Net")
    found = train(study, known, tmp_path, [0.3, 0.9, 0.5])
    assert prune_artifacts(study, keep=2) == 1
    assert [study.artifact(id, "weights").read_text()[-3:] for id in (published[0], *found[1:])] == [
        "0.1",
        "0.9",
        "0.5",
    ]
    with pytest.raises(InputError, match="left no artifact"):
        study.artifact(found[0], "weights")
    assert prune_artifacts(study, keep=2) == 0


def test_a_renamed_study_keeps_everything(study: Study, known: Known, tmp_path: Path) -> None:
    (id,) = train(study, known, tmp_path, [0.5])
    renamed = rename(study, "other name")
    assert find_study(study.storage, "hippocampus") is None
    assert renamed.artifact(id, "weights").is_file()
    assert [trial.value for trial in renamed.optuna_study().trials] == [0.5]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_a_copy_holds_the_same_and_stands_alone(study: Study, known: Known, tmp_path: Path, elsewhere: bool) -> None:
    train(study, known, tmp_path, [0.5, 0.7])
    begun(study, 99, known("running"))
    with open_storage(tmp_path / "second" / "nas.db") as second:
        copied = copy(study, "copy", second if elsewhere else study.storage)
        remove_study(study, force=True)
        assert [each.dice for each in copied.evaluations()] == [0.5, 0.7]
        for each in copied.evaluations():
            assert copied.artifact(each.id, "weights").read_text().endswith(str(each.dice))
            assert [m.value for m in copied.learning_curve(each.id)] == [each.dice]
            assert copied.architecture(each.digest or "").digest == each.digest
        assert [trial.value for trial in copied.optuna_study().trials] == [0.5, 0.7]


@pytest.mark.parametrize("name", ["", "..", "a/b", "../evil", "hippocampus"])
def test_names_that_are_refused(study: Study, name: str) -> None:
    study.optuna_study()
    for act in (lambda: rename(study, name), lambda: copy(study, name, study.storage)):
        with pytest.raises(InputError, match=r"study name|there is a study"):
            act()


def test_a_deleted_study_leaves_nothing(study: Study, known: Known, tmp_path: Path) -> None:
    train(study, known, tmp_path, [0.5])
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


def test_a_study_that_is_worked_on_is_not_deleted(study: Study) -> None:
    with at_work(study, "cpu", lease=30), pytest.raises(InputError, match="workers are at study"):
        remove_study(study)
    remove_study(study)


def test_a_sound_study_has_no_faults(study: Study, known: Known, tmp_path: Path) -> None:
    train(study, known, tmp_path, [0.5])
    assert check(study) == []


def test_faults_are_found_and_repaired(study: Study, known: Known, tmp_path: Path) -> None:
    poisoned, missing = train(study, known, tmp_path, [0.5, 0.6])
    study.artifact(poisoned, "weights").write_text("poison")
    study.artifact(missing, "weights").unlink()
    orphan = study.storage.artifacts / study.name / "77" / "weights.part"
    orphan.parent.mkdir(parents=True)
    orphan.write_text("half")
    stale = begun(study, 9, known("stale")).evaluation

    words = [fault.what for fault in check(study)]
    assert len(words) == 4
    for word in ("trial 9 is running", "has changed", "cannot be read", "no trial names the file"):
        assert any(word in each for each in words)
    assert orphan.exists()
    check(study, repair=True)
    assert check(study) == []
    assert not orphan.exists()
    assert study.evaluation(stale).state is State.WAITING
    assert open_study(study.storage, study.name).counts().complete == 2


def test_nothing_is_forgotten_where_a_file_cannot_be_read_for_now(
    study: Study, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(study, known, tmp_path, [0.5, 0.6])

    def stale(path: Path) -> str:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "_sha256", stale)
        with pytest.raises(InputError, match="cannot be read: Stale file handle"):
            check(study, repair=True)
    assert check(study) == []


def test_no_file_outside_the_folder_is_touched(study: Study, known: Known, tmp_path: Path) -> None:
    train(study, known, tmp_path, [0.5])
    outside = tmp_path / "precious"
    outside.write_text("precious")
    shutil.rmtree(study.storage.artifacts)
    study.storage.artifacts.mkdir()
    check(study, repair=True)
    remove_study(study)
    assert outside.exists()
