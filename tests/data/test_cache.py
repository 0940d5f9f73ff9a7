"""The cache: built once, whole or not at all, whatever happens meanwhile."""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.data import (
    Dataset,
    Preprocessing,
    check,
    open_dataset,
    open_prepared,
    plan_preprocessing,
    prepare_dataset,
)
from nas.data.prepared import damaged_files
from nas.errors import InputError

from .factories import BOX, describing, intensities, msd, nnunet, nnunet_regions, writing


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return open_dataset(msd(tmp_path / "data", cases=tuple(f"case_{number}" for number in range(5))))


@pytest.fixture
def settings(dataset: Dataset) -> Preprocessing:
    return plan_preprocessing(check(dataset))


class StoppedError(Exception):
    """Stands for whatever ends a build."""


def stop_after(cases: int) -> Callable[[int, int], None]:
    def progress(done: int, _: int) -> None:
        if done == cases:
            raise StoppedError

    return progress


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}


def test_it_is_built_once(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    first = prepare_dataset(dataset, settings, tmp_path / "cache", progress=lambda *done: seen.append(done))
    assert seen == [(number, 5) for number in range(1, 6)]
    before = written(first.folder)
    again = prepare_dataset(dataset, settings, tmp_path / "cache", progress=lambda *done: seen.append(done))
    assert len(seen) == 5
    assert again.digest == first.digest
    assert written(again.folder) == before


@pytest.mark.parametrize("at_once", [{"processes": 2}, {"threads": 2}])
def test_several_at_once_build_the_same(
    at_once: dict[str, int],
    dataset: Dataset,
    settings: Preprocessing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = prepare_dataset(dataset, settings, tmp_path / "one")
    monkeypatch.setattr("nas.data.prepared.SMALL", 0)
    two = prepare_dataset(dataset, settings, tmp_path / "two", **at_once)
    assert one.digest == two.digest
    for first, second in zip(one.cases, two.cases, strict=True):
        np.testing.assert_array_equal(first.image, second.image)
        np.testing.assert_array_equal(first.label, second.label)


def test_an_interrupted_build_is_no_cache_and_goes_on(
    dataset: Dataset, settings: Preprocessing, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        prepare_dataset(dataset, settings, tmp_path, progress=stop_after(3))
    (partial,) = tmp_path.glob("*.partial")
    with pytest.raises(InputError, match=r"no complete cache"):
        open_prepared(partial)
    done = written(partial)
    assert len({path.parent for path in done}) == 3
    (partial / ".case_3.12345").mkdir()  # as a killed process leaves it
    seen: list[tuple[int, int]] = []
    prepared = prepare_dataset(dataset, settings, tmp_path, progress=lambda *done: seen.append(done))
    assert seen == [(4, 5), (5, 5)]
    assert not partial.exists()
    assert {time for path, time in done.items()} <= set(written(prepared.folder).values())
    assert sorted(path.name for path in prepared.folder.iterdir()) == [*(f"case_{n}" for n in range(5)), "index.json"]


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda home: halve(home / "case_2/image.npy"),
        lambda home: (home / "case_2/label.npy").unlink(),
        lambda home: halve(home / "case_2/case.json"),
        lambda home: halve(home / "index.json"),
        lambda home: (home / "index.json").write_text('{"version": 0}'),
    ],
)
def test_what_is_damaged_is_built_again_and_the_rest_kept(
    damage: Callable[[Path], None], dataset: Dataset, settings: Preprocessing, tmp_path: Path
) -> None:
    prepared = prepare_dataset(dataset, settings, tmp_path)
    expected = [np.array(case.image) for case in prepared.cases]
    before = written(prepared.folder)
    damage(prepared.folder)
    with pytest.raises(InputError, match=r"no complete cache of version 3; build it again with nas data prepare"):
        open_prepared(prepared.folder)
    mended = prepare_dataset(dataset, settings, tmp_path)
    for case, image in zip(mended.cases, expected, strict=True):
        np.testing.assert_array_equal(case.image, image)
    after = written(mended.folder)
    assert {path for path, time in after.items() if before[path] == time} >= {
        path for path in after if path.parent.name != "case_2"
    }


def test_a_changed_byte_is_found(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    prepared = prepare_dataset(dataset, settings, tmp_path)
    assert damaged_files(prepared) == ()
    path = prepared.folder / "case_4/image.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert damaged_files(prepared) == (path,)


def test_other_data_and_other_settings_have_a_cache_of_their_own(tmp_path: Path) -> None:
    folder = msd(tmp_path / "data")

    def digest(spacing: tuple[float, ...] = (1.0, 1.5, 2.0)) -> str:
        dataset = open_dataset(folder)
        planned = plan_preprocessing(check(dataset))
        return prepare_dataset(dataset, Preprocessing(spacing, planned.channels), tmp_path / "cache").digest

    digests = [digest(), digest((2.0, 2.0, 2.0))]
    writing("imagesTr/case_2.nii.gz", intensities("other", BOX))(folder)
    digests.append(digest())
    describing(labels={"0": "background", "2": "front", "1": "back"})(folder)
    digests.append(digest())
    assert len(set(digests)) == 4
    assert digest() == digests[-1]
    assert len(list((tmp_path / "cache").glob("*/index.json"))) == 4


def test_data_that_moved_have_the_same_cache(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    before = prepare_dataset(dataset, settings, tmp_path / "cache")
    assert dataset.folder is not None
    moved = dataset.folder.rename(tmp_path / "elsewhere")
    assert prepare_dataset(open_dataset(moved), settings, tmp_path / "cache").folder == before.folder


BUILD = """
import sys
from pathlib import Path
from nas.data import check, open_dataset, plan_preprocessing, prepare_dataset
dataset = open_dataset(sys.argv[1])
print(prepare_dataset(dataset, plan_preprocessing(check(dataset)), Path(sys.argv[2])).digest)
"""


def test_processes_that_build_at_once_do_no_harm(dataset: Dataset, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(dataset.folder), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    results = [process.communicate() for process in running]
    assert [errors for _, errors in results] == [""] * 3
    assert len({digest for digest, _ in results}) == 1
    (home,) = (path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    assert damaged_files(open_prepared(home)) == ()


def test_a_full_disk_leaves_nothing(dataset: Dataset, tmp_path: Path) -> None:
    """The limit on a file's size ends writing as a full disk does."""
    large = open_dataset(nnunet(tmp_path / "large", (40, 40, 40), ".nii.gz"))
    program = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n{BUILD}"
    command = [sys.executable, "-c", program, str(large.folder), str(tmp_path / "cache")]
    ended = subprocess.run(command, capture_output=True, text=True)
    (message,) = re.findall("InputError: (.*)", ended.stderr)
    arrays = 3 * (4 + 1) * 40**3
    assert message.startswith(f"{tmp_path / 'cache'}: no space left; the cache of this data takes about ")
    found = re.search(r"\((\d+) bytes\)", message)
    assert found is not None
    assert arrays <= int(found[1]) <= 1.5 * arrays
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


def test_a_place_that_cannot_be_written_is_named(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"{tmp_path}/file/cache"):
        prepare_dataset(dataset, settings, tmp_path / "file/cache")


def test_a_case_that_cannot_be_read_ends_the_build(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    label = dataset.cases[2].label
    assert label is not None
    halve(label)
    with pytest.raises(InputError, match=r"case_2\.nii\.gz: cannot be read"):
        prepare_dataset(dataset, settings, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*/index.json"))


def test_names_stay_inside_the_folder(dataset: Dataset, settings: Preprocessing, tmp_path: Path) -> None:
    assert dataset.folder is not None
    describing(name="../../evil name")(dataset.folder)
    prepared = prepare_dataset(open_dataset(dataset.folder), settings, tmp_path / "cache")
    assert prepared.folder.parent == tmp_path / "cache"


def test_regions_and_folds_come_with_it(tmp_path: Path) -> None:
    folder = nnunet_regions(tmp_path / "data")
    (folder / "splits_final.json").write_text(json.dumps([{"train": ["case_1", "case_3"], "val": ["case_2"]}]))
    dataset = open_dataset(folder)
    prepared = prepare_dataset(dataset, plan_preprocessing(check(dataset)), tmp_path / "cache")
    assert prepared.regions == dataset.regions
    assert prepared.split(0) == dataset.split(0)
    with pytest.raises(InputError, match="fold: found 1; expected 0 to 0, as the data bring 1 folds"):
        prepared.split(1)


PEAK = f"""
import resource
{BUILD}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_number_of_cases(tmp_path: Path) -> None:
    shape = (96, 96, 96)  # 3.4 MiB of intensities a case

    def peak(cases: int) -> int:
        folder = msd(tmp_path / f"of {cases}", shape, cases=tuple(f"case_{number}" for number in range(cases)))
        command = [sys.executable, "-c", PEAK, str(folder), str(tmp_path / f"cache of {cases}")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        return int(output.split()[-1])  # KiB

    assert peak(14) - peak(2) < 12 * 3.4 * 1024 / 3
