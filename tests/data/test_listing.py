"""No fewer and no other files than the user has: what is taken, what is left out and why, what cannot be meant."""

import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.data import Dataset, check, open_dataset
from nas.data.names import file_name
from nas.errors import InputError

from .factories import (
    BOX,
    SQUARE,
    Spoil,
    bids,
    describing,
    intensities,
    labels,
    msd,
    nnunet_nifti,
    nnunet_png,
    pairs,
    pairs_nifti,
    write,
    writing,
)

Layout = Callable[[Path], Path]


def touching(*names: str) -> Spoil:
    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("text")

    return spoil


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("layout", "change", "left_out"),
    [
        (pairs, nothing, []),
        (
            pairs,
            touching("images/Thumbs.db", "labels/._a.png"),
            [
                ("hidden and system files in images", ("Thumbs.db",)),
                ("hidden and system files in labels", ("._a.png",)),
            ],
        ),
        (pairs, touching("images/LICENCE.txt"), [("files that are no images in images", ("LICENCE.txt",))]),
        (pairs, touching("images/old/a.png"), [("folders in images", ("old",))]),
        (
            nnunet_png,
            touching("imagesTr/case_9_0000.tif"),
            [("entries that do not end in .png in imagesTr", ("case_9_0000.tif",))],
        ),
        (
            msd,
            writing("imagesTr/case_9.nii.gz", labels(BOX)),
            [("images in imagesTr that dataset.json does not list", ("case_9.nii.gz",))],
        ),
    ],
)
def test_what_is_left_out_is_counted(
    layout: Layout, change: Spoil, left_out: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    folder = layout(tmp_path)
    change(folder)
    fingerprint = check(open_dataset(folder))
    assert fingerprint.cases == 3
    assert [(group.reason, group.names) for group in fingerprint.left_out] == left_out


def linking(file: str, target: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        (folder / file).symlink_to(target)

    return spoil


def second_labels(folder: Path) -> None:
    shutil.copytree(folder / "labels", folder / "masks")


@pytest.mark.parametrize(
    ("layout", "spoil", "words"),
    [
        (
            pairs,
            linking("images/case_2.png", "/nowhere/case_2.png"),
            ["images/case_2.png", "a link to /nowhere/case_2.png"],
        ),
        (pairs, linking("labels/case_9.png", "/nowhere"), ["labels/case_9.png: is a link to /nowhere"]),
        (msd, linking("imagesTr/case_2.nii.gz", "/nowhere"), ["imagesTr/case_2.nii.gz: is a link to /nowhere"]),
        (nnunet_png, linking("labelsTr/case_2.png", "/nowhere"), ["labelsTr/case_2.png: is a link to /nowhere"]),
        (pairs, writing("labels/case_2.tif", labels(SQUARE)), ["case_2.tif", "case_2.png", "but for its suffix"]),
        (
            pairs_nifti,
            writing("imagesTr/case_2.nii", labels(BOX)),
            ["case_2.nii.gz", "case_2.nii", "but for its suffix"],
        ),
        (pairs, second_labels, ["images with labels; images with masks", "more than one pair"]),
    ],
)
def test_what_cannot_be_meant_is_refused(layout: Layout, spoil: Spoil, words: list[str], tmp_path: Path) -> None:
    folder = layout(tmp_path)
    spoil(folder)
    with pytest.raises(InputError) as caught:
        open_dataset(folder)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_link_to_another_place_is_followed(tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data")
    os.rename(folder / "images/case_2.png", tmp_path / "elsewhere.png")
    linking("images/case_2.png", str(tmp_path / "elsewhere.png"))(folder)
    assert check(open_dataset(folder)).cases == 3


def test_an_image_that_some_subjects_lack_is_said_to_be_left_out(tmp_path: Path) -> None:
    folder = bids(tmp_path)
    next(folder.glob("sub-02/**/*_FLAIR.nii.gz")).unlink()
    dataset = open_dataset(folder)
    assert dataset.channels == ("T1w",)
    (warning,) = dataset.warnings
    assert warning.startswith("FLAIR is left out of all 3 cases, because sub-02_ses-1")


def listed(folder: Path) -> Path:
    """Two readers' labels, of which dataset.json lists the second, for two of three cases."""
    nnunet_nifti(folder)
    for name in ("case_1", "case_2", "case_3"):
        write(folder / f"labelsTr2/{name}.nii.gz", labels(BOX, (0, 0, 1, 2)))
    files = {
        name: {
            "images": [f"imagesTr/{name}_0000.nii.gz", str(folder / f"imagesTr/{name}_0001.nii.gz")],
            "label": f"labelsTr2/{name}.nii.gz",
        }
        for name in ("case_1", "case_2")
    }
    describing(dataset=files)(folder)
    return folder


def test_nnunet_takes_the_files_that_are_listed(tmp_path: Path) -> None:
    dataset = open_dataset(listed(tmp_path))
    assert [case.name for case in dataset.cases] == ["case_1", "case_2"]
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(BOX, (0, 0, 1, 2)))


@pytest.mark.parametrize("content", [{}, [1], {"a": {"images": [], "label": "x"}}, {"a": {"images": ["x"]}}, {"a": 1}])
def test_a_list_of_nnunet_that_says_nothing_is_refused_by_its_name(content: object, tmp_path: Path) -> None:
    folder = nnunet_nifti(tmp_path)
    describing(dataset=content)(folder)
    with pytest.raises(InputError, match="field 'dataset': found"):
        open_dataset(folder)


def old_fields(folder: Path) -> Path:
    describing(training=[], modality={"0": "MRI"}, test=[], tensorImageSize="3D")(nnunet_nifti(folder))
    return folder


def without_a_dot(folder: Path) -> Path:
    describing(file_ending="nii.gz")(nnunet_nifti(folder))
    return folder


def first_version(folder: Path) -> Path:
    """nnU-Net's first layout: the Decathlon's list, files with the numbers of channels."""
    describing(modality={"0": "T1", "1": "T2"})(msd(folder))
    for path in sorted((folder / "imagesTr").iterdir()):
        name = path.name.removesuffix(".nii.gz")
        shutil.copy(path, path.with_name(f"{name}_0001.nii.gz"))
        path.rename(path.with_name(f"{name}_0000.nii.gz"))
    return folder


def of_another_system(folder: Path) -> Path:
    """Names that macOS wrote in another form than dataset.json."""
    msd(folder, cases=("Müller1", "Müller2"))
    for path in sorted(folder.rglob("M*")):
        path.rename(path.with_name(unicodedata.normalize("NFD", path.name)))
    return folder


def listing(change: Callable[[str], str]) -> Layout:
    def layout(folder: Path) -> Path:
        entries = json.loads((msd(folder) / "dataset.json").read_text())["training"]
        describing(training=[{key: change(path) for key, path in entry.items()} for entry in entries])(folder)
        return folder

    return layout


def a_file_a_channel(folder: Path) -> Path:
    entries = json.loads((msd(folder) / "dataset.json").read_text())["training"]
    lists = [entry | {"image": [entry["image"], entry["image"]]} for entry in entries]
    describing(training=lists, modality={"0": "a", "1": "b"})(folder)
    return folder


def the_other_way_round(folder: Path) -> Path:
    describing(labels={"background": 0, "front": 1, "back": 2})(msd(folder))
    return folder


def numbered(folder: Path) -> Path:
    for number in range(2, 5):
        write(folder / f"imagesTr/word_{number:04d}.nii.gz", intensities(str(number), BOX))
        write(folder / f"labelsTr/word_{number:04d}.nii.gz", labels(BOX))
    return folder


def folder_a_case(folder: Path) -> Path:
    """As KiTS is listed: case_00000/imaging.nii.gz."""
    msd(folder)
    entries = []
    for number in range(3):
        write(folder / f"case_{number:05d}/imaging.nii.gz", intensities(str(number), BOX))
        write(folder / f"case_{number:05d}/segmentation.nii.gz", labels(BOX))
        entries.append(
            {"image": f"case_{number:05d}/imaging.nii.gz", "label": f"case_{number:05d}/segmentation.nii.gz"}
        )
    describing(training=entries)(folder)
    return folder


def of_one_slice(folder: Path) -> Path:
    return msd(folder, shape=(20, 24, 1))


def mixed_slices(folder: Path) -> Path:
    msd(folder, shape=(20, 24, 5))
    for part, voxels in (("imagesTr", intensities("a", (20, 24, 1))), ("labelsTr", labels((20, 24, 1)))):
        write(folder / f"{part}/case_1.nii.gz", voxels)
    return folder


def flat_labels(folder: Path) -> Path:
    msd(folder, shape=(20, 24, 1))
    for number in (1, 2, 3):
        write(folder / f"labelsTr/case_{number}.nii.gz", labels((20, 24)))
    return folder


def nearly_there(folder: Path) -> Path:
    """Origins that differ by thousandths of a voxel."""
    moved = np.diag([1.0, 1.5, 2.0, 1.0])
    moved[:3, 3] = 0.004
    writing("labelsTr/case_2.nii.gz", labels(BOX), moved)(msd(folder))
    return folder


@pytest.mark.parametrize(
    ("layout", "channels", "axes"),
    [
        (old_fields, 2, 3),
        (without_a_dot, 2, 3),
        (first_version, 2, 3),
        (listing(lambda path: path.replace("/", "\\")), 1, 3),
        (listing(lambda path: path.replace("./", "/")), 1, 3),
        (listing(lambda path: path.replace("/", "//")), 1, 3),
        (a_file_a_channel, 2, 3),
        (the_other_way_round, 1, 3),
        (of_another_system, 1, 3),
        (numbered, 1, 3),
        (folder_a_case, 1, 3),
        (of_one_slice, 1, 2),
        (mixed_slices, 1, 3),
        (flat_labels, 1, 2),
        (nearly_there, 1, 3),
    ],
)
def test_good_data_are_not_refused(layout: Layout, channels: int, axes: int, tmp_path: Path) -> None:
    dataset: Dataset = open_dataset(layout(tmp_path))
    fingerprint = check(dataset)
    assert (len(fingerprint.channels), fingerprint.axes, len(fingerprint.classes)) == (channels, axes, 3)


def test_files_called_alike_are_named_by_what_differs(tmp_path: Path) -> None:
    names = [case.name for case in open_dataset(folder_a_case(tmp_path)).cases]
    assert names == ["case_00000", "case_00001", "case_00002"]


def test_old_fields_change_nothing(tmp_path: Path) -> None:
    with_them, without = (
        check(open_dataset(layout(tmp_path / layout.__name__ / "d"))) for layout in (old_fields, nnunet_nifti)
    )
    assert with_them.digest == without.digest


@pytest.mark.parametrize("name", ["case_1", "Müller 3", "腎臓", "a" * 150])
def test_a_name_is_the_name_of_its_folder_where_it_can_be(name: str) -> None:
    assert file_name(name) == name


@pytest.mark.parametrize(
    "names", [("a/b", "a\\b", "a:b", "a-b"), ("..", ".", "", " "), ("腎" * 100, "腎" * 101), ("x" * 264, "x" * 265)]
)
def test_names_never_meet_as_names_of_folders(names: tuple[str, ...], tmp_path: Path) -> None:
    folders = {file_name(name) for name in names}
    assert len(folders) == len(names)
    for folder in folders:
        (tmp_path / f".{folder}.123456").mkdir()
        (tmp_path / folder).mkdir()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["images", "masks2", "a.txt"],
            ["1 .txt, the folders images, masks2", "nearest is a pair of folders", "missing labels or masks"],
        ),
        (["imagesTr", "labelsTs"], ["missing dataset.json, labelsTr|labels or masks or labelsTr"]),
        (["scans", "b.dcm"], ["1 .dcm, the folders scans", "expected one of"]),
    ],
)
def test_an_unknown_layout_is_told_what_it_lacks(names: list[str], words: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch() if "." in name else (tmp_path / name).mkdir()
    with pytest.raises(InputError) as caught:
        open_dataset(tmp_path)
    message = str(caught.value)
    assert all(any(option in message for option in word.split("|")) for word in words), message


def test_a_folder_of_data_sets_names_them(tmp_path: Path) -> None:
    for layout, name in ((msd, "Task01"), (pairs, "Polyps")):
        layout(tmp_path / name)
    with pytest.raises(
        InputError, match="holds no data set itself, but folders that do: Polyps, Task01; give one of them"
    ):
        open_dataset(tmp_path)
