"""A disk that is full ends a command with 2 and what to do; what was finished is kept, and goes on when there is room.

The disk is a real one of a few megabytes, in memory; where this user may not mount one, the tests are skipped.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.data.factories import msd, pairs
from tests.model.factories import nifti, saved, voxels

MEBIBYTE = 2**20
SEARCH = ("search", "--space", "tiny", "--data", "data", "--study", "s", "--steps", "2", "--budget", "1h")


class Disk:
    """A small file system."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, but: int = 0) -> None:
        """Fill it, all but some bytes."""
        self._ballast.touch()
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(MEBIBYTE // 16))
            except OSError:
                pass
            file.truncate(max(file.tell() - but, 0))

    def clear(self) -> None:
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.chdir(tmp_path)
    pairs(tmp_path / "data")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def no_traceback(text: str) -> bool:
    return "Traceback" not in text and text.count("\nerror: ") == 1


@pytest.mark.parametrize(("left", "begins"), [(0, False), (3 * MEBIBYTE // 8, True)])
def test_a_study_whose_disk_fills_is_kept_and_goes_on(nas: Command, disk: Disk, left: int, begins: bool) -> None:
    search = (*SEARCH, "--storage", "disk/nas.db")
    assert nas(*search, "--trials", "2").code == 0
    before = nas("best", "s", "--storage", "disk/nas.db", "--json").json
    disk.fill(but=left)
    ended = nas(*search, "--trials", "200")
    assert ended.code == 2, ended.err
    assert no_traceback(ended.err), ended.err
    assert ("/200" in ended.err) == begins
    assert "disk is full); free some space and give the same command again; what was stored is kept" in ended.err
    if begins:
        assert nas("best", "s", "--storage", "disk/nas.db", "--json").json["distinct"] >= 2  # readable meanwhile
    disk.clear()
    shown = nas("best", "s", "--storage", "disk/nas.db", "--json").json
    assert shown["distinct"] >= before["distinct"] == 2
    assert shown["best"]["dice"] >= before["best"]["dice"]
    assert nas("export", "s", "--storage", "disk/nas.db", "--to", "best").code == 0
    wanted = shown["distinct"] + 1
    ended = nas(*search, "--trials", str(wanted))
    assert ended.code == 0, ended.err
    assert nas("status", "s", "--storage", "disk/nas.db", "--json").json["complete"] == wanted
    assert nas("studies", "check", "s", "--storage", "disk/nas.db").out == "all is well\n"


def test_a_full_folder_for_temporary_files_is_no_fault_of_a_network(
    nas: Command, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    disk.fill()
    ended = nas(*SEARCH, "--trials", "1")
    assert ended.code == 2, ended.err
    assert no_traceback(ended.err), ended.err
    assert "cannot be written" in ended.err
    assert "make room there, or set TMPDIR" in ended.err
    found = nas("status", "s", "--json").json
    assert (found["complete"], found["failed"]) == (0, 0)
    disk.clear()
    assert nas(*SEARCH, "--trials", "1").code == 0
    assert nas("status", "s", "--json").json["complete"] == 1


def test_no_space_while_caching_leaves_no_part_of_a_cache(nas: Command, disk: Disk, tmp_path: Path) -> None:
    large = str(msd(tmp_path / "large", (96, 96, 96)))
    ended = nas("data", "prepare", large, "--cache", "disk/cache")
    assert ended.code == 2
    assert "disk/cache: no space left; the cache of this data takes about 13.1 MiB" in ended.err
    assert "give a folder on another disk" in ended.err
    assert not [path for path in (disk.folder / "cache").iterdir() if path.is_dir()]


def test_predictions_that_were_finished_are_kept_and_gone_on_with(nas: Command, disk: Disk, tmp_path: Path) -> None:
    saved(tmp_path)
    for number in range(3):
        nifti(tmp_path / "images" / f"case_{number}.nii.gz", voxels(number))
    command = ("predict", "model", "--images", "images", "--to", "disk/out", "--device", "cpu")
    (tmp_path / "images" / "case_2.nii.gz").rename(tmp_path / "later.nii.gz")
    assert nas(*command).code == 0
    (tmp_path / "later.nii.gz").rename(tmp_path / "images" / "case_2.nii.gz")
    disk.fill()
    ended = nas(*command)
    assert ended.code == 2, ended.err
    assert no_traceback("\n" + ended.err), ended.err
    assert "free space and give the same command again: what is finished is kept" in ended.err
    assert sorted(path.name for path in (disk.folder / "out").glob("*.nii.gz")) == ["case_0.nii.gz", "case_1.nii.gz"]
    disk.clear()
    ended = nas(*command)
    assert ended.code == 0, ended.err
    assert "1 of 3 images to segment" in ended.err
    assert (disk.folder / "out" / "case_2.nii.gz").is_file()


def test_an_export_to_a_full_disk_leaves_nothing(nas: Command, disk: Disk, tmp_path: Path) -> None:
    saved(tmp_path)
    disk.fill()
    ended = nas("export", "model", "--as", "pytorch,bf16", "--to", "disk/out")
    assert ended.code == 2, ended.err
    assert "cannot be written (No space left on device); free space or name another" in ended.err
    assert not [path for path in disk.folder.rglob("*") if path.is_file() and path.name != "ballast"]
