"""Files beside the database: kept whole, found unchanged, never outside their folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from nas.errors import InputError
from nas.study.files import artifacts
from nas.study.protocol import Claim
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArtifactRow
from tests.study.runs import started

WEIGHTS = b"not really weights"


@pytest.fixture
def claim(study: SqlStudy) -> Iterator[Claim]:
    with study.at_work("cpu", lease=30) as worker:
        yield started(study, worker, "a")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "made" / "weights.safetensors"
    file.parent.mkdir()
    file.write_bytes(WEIGHTS)
    return file


def kept(study: SqlStudy, claim: Claim, kind: str, file: Path) -> Path:
    study.keep(claim, kind, file)
    return study.file(claim.run, kind)


def files(study: SqlStudy) -> list[str]:
    """What is in the folder, but for the word on whose the files in it are."""
    root = study.storage.artifacts
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path.relative_to(root).as_posix() for path in paths)


def point(study: SqlStudy, address: str) -> None:
    """What someone who can write to the database could do."""
    with study.storage.begin() as session:
        session.execute(update(ArtifactRow).values(address=address))


def test_a_file_is_moved_in_and_found_again(study: SqlStudy, claim: Claim, file: Path) -> None:
    path = kept(study, claim, "weights", file)

    assert path.read_bytes() == WEIGHTS
    assert not file.exists()
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert files(study) == [f"{study.storage.part}/hippocampus/{claim.run}/weights-{digest[:16]}.safetensors"]
    with study.storage.begin() as session:
        row = session.scalars(select(ArtifactRow)).one()
        assert (row.kind, row.sha256, row.bytes) == ("weights", digest, len(WEIGHTS))


def test_a_newer_file_of_the_same_kind_takes_the_place_of_the_old(study: SqlStudy, claim: Claim, file: Path) -> None:
    for contents in (b"first", b"second", b"second"):
        file.write_bytes(contents)
        kept(study, claim, "checkpoint", file)
        assert study.file(claim.run, "checkpoint").read_bytes() == contents
        assert len(files(study)) == 1


def test_a_file_from_another_file_system_is_moved_too(
    study: SqlStudy, claim: Claim, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def across(source: Path, target: Path) -> Path:
        if source == file:
            raise OSError(artifacts.errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", across)
    assert kept(study, claim, "weights", file).read_bytes() == WEIGHTS
    assert not file.exists()
    assert len(files(study)) == 1


def test_a_file_that_is_not_there_is_refused(study: SqlStudy, claim: Claim, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        kept(study, claim, "weights", tmp_path / "nothing")
    assert files(study) == []


@pytest.mark.parametrize("kind", ["", "..", "../weights", "a/b", "/etc/passwd"])
def test_kinds_that_are_refused(study: SqlStudy, claim: Claim, file: Path, kind: str) -> None:
    with pytest.raises(InputError, match="artifact kind"):
        kept(study, claim, kind, file)
    assert file.exists()


def test_an_unknown_kind_names_what_there_is(study: SqlStudy, claim: Claim, file: Path) -> None:
    with pytest.raises(InputError, match="left no artifact 'weights'; it has: none"):
        study.file(claim.run, "weights")
    kept(study, claim, "checkpoint", file)
    with pytest.raises(InputError, match="it has: checkpoint"):
        study.file(claim.run, "weights")


def test_a_file_that_has_changed_is_refused(study: SqlStudy, claim: Claim, file: Path) -> None:
    kept(study, claim, "weights", file).write_bytes(WEIGHTS + b"!")
    with pytest.raises(InputError, match="has changed: its SHA-256 is"):
        study.file(claim.run, "weights")


def test_a_file_that_is_gone_is_refused(study: SqlStudy, claim: Claim, file: Path) -> None:
    kept(study, claim, "weights", file).unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        study.file(claim.run, "weights")


@pytest.mark.parametrize("outside", ["../outside", "hippocampus/../../outside", "/etc/passwd", "link/outside"])
def test_an_address_that_leaves_the_folder_is_refused(
    study: SqlStudy, claim: Claim, file: Path, tmp_path: Path, outside: str
) -> None:
    kept(study, claim, "weights", file)
    (tmp_path / "outside").write_bytes(WEIGHTS)
    (study.storage.artifacts / "link").symlink_to(tmp_path)
    point(study, outside)

    with pytest.raises(InputError, match=r"leaves .*artifacts; the database was tampered with"):
        study.file(claim.run, "weights")


def test_an_old_file_outside_the_folder_is_never_deleted(
    study: SqlStudy, claim: Claim, file: Path, tmp_path: Path
) -> None:
    kept(study, claim, "weights", file)
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    point(study, "../outside")

    file.write_bytes(b"newer")
    kept(study, claim, "weights", file)
    assert outside.read_bytes() == b"precious"
