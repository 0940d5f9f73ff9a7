"""Files beside the database: kept whole, found unchanged, never outside their folder."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from nas.errors import InputError
from nas.study import artifacts
from nas.study.study import Study
from nas.study.tables import ArtifactRow
from tests.study.evaluations import begun

WEIGHTS = b"not really weights"


@pytest.fixture
def evaluation(study: Study, known: Callable[..., str]) -> int:
    return begun(study, 0, known("a")).evaluation


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "made" / "weights.safetensors"
    file.parent.mkdir()
    file.write_bytes(WEIGHTS)
    return file


def files(study: Study) -> list[str]:
    root = study.storage.artifacts
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def point(study: Study, address: str) -> None:
    """What someone who can write to the database could do."""
    with study.storage.begin() as session:
        session.execute(update(ArtifactRow).values(address=address))


def test_a_file_is_moved_in_and_found_again(study: Study, evaluation: int, file: Path) -> None:
    path = study.add_artifact(evaluation, "weights", file)

    assert study.artifact(evaluation, "weights") == path
    assert path.read_bytes() == WEIGHTS
    assert not file.exists()
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert files(study) == [f"hippocampus/{evaluation}/weights-{digest[:16]}.safetensors"]
    with study.storage.begin() as session:
        row = session.scalars(select(ArtifactRow)).one()
        assert (row.kind, row.sha256, row.bytes) == ("weights", digest, len(WEIGHTS))


def test_a_newer_file_of_the_same_kind_takes_the_place_of_the_old(study: Study, evaluation: int, file: Path) -> None:
    for contents in (b"first", b"second", b"second"):
        file.write_bytes(contents)
        study.add_artifact(evaluation, "checkpoint", file)
        assert study.artifact(evaluation, "checkpoint").read_bytes() == contents
        assert len(files(study)) == 1


def test_a_file_from_another_file_system_is_moved_too(
    study: Study, evaluation: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def across(source: Path, target: Path) -> Path:
        if source == file:
            raise OSError(artifacts.errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", across)
    assert study.add_artifact(evaluation, "weights", file).read_bytes() == WEIGHTS
    assert not file.exists()
    assert len(files(study)) == 1


def test_a_file_that_is_not_there_is_refused(study: Study, evaluation: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        study.add_artifact(evaluation, "weights", tmp_path / "nothing")
    assert files(study) == []


@pytest.mark.parametrize("kind", ["", "..", "../weights", "a/b", "/etc/passwd"])
def test_kinds_that_are_refused(study: Study, evaluation: int, file: Path, kind: str) -> None:
    with pytest.raises(InputError, match="artifact kind"):
        study.add_artifact(evaluation, kind, file)
    assert file.exists()


def test_an_unknown_kind_names_what_there_is(study: Study, evaluation: int, file: Path) -> None:
    with pytest.raises(InputError, match="left no artifact 'weights'; it has: none"):
        study.artifact(evaluation, "weights")
    study.add_artifact(evaluation, "checkpoint", file)
    with pytest.raises(InputError, match="it has: checkpoint"):
        study.artifact(evaluation, "weights")


def test_a_file_that_has_changed_is_refused(study: Study, evaluation: int, file: Path) -> None:
    study.add_artifact(evaluation, "weights", file).write_bytes(WEIGHTS + b"!")
    with pytest.raises(InputError, match="has changed: its SHA-256 is"):
        study.artifact(evaluation, "weights")


def test_a_file_that_is_gone_is_refused(study: Study, evaluation: int, file: Path) -> None:
    study.add_artifact(evaluation, "weights", file).unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        study.artifact(evaluation, "weights")


@pytest.mark.parametrize("outside", ["../outside", "hippocampus/../../outside", "/etc/passwd", "link/outside"])
def test_an_address_that_leaves_the_folder_is_refused(
    study: Study, evaluation: int, file: Path, tmp_path: Path, outside: str
) -> None:
    study.add_artifact(evaluation, "weights", file)
    (tmp_path / "outside").write_bytes(WEIGHTS)
    (study.storage.artifacts / "link").symlink_to(tmp_path)
    point(study, outside)

    with pytest.raises(InputError, match=r"leaves .*artifacts; the database was tampered with"):
        study.artifact(evaluation, "weights")


def test_an_old_file_outside_the_folder_is_never_deleted(
    study: Study, evaluation: int, file: Path, tmp_path: Path
) -> None:
    study.add_artifact(evaluation, "weights", file)
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    point(study, "../outside")

    file.write_bytes(b"newer")
    study.add_artifact(evaluation, "weights", file)
    assert outside.read_bytes() == b"precious"
