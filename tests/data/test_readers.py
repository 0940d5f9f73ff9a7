"""What the layouts allow, and how it is read."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas.data import IGNORED, Region, Split, open_dataset
from nas.data.files.tiff import read_image

from .factories import (
    BOX,
    SQUARE,
    bids,
    describing,
    intensities,
    labels,
    msd,
    nnunet_colour,
    nnunet_nifti,
    nnunet_png,
    nnunet_regions,
    nnunet_tiff,
    pairs,
    pairs_jpeg,
    pairs_tiff,
    write,
)


def test_msd_is_read_as_it_is_described(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path))
    assert (dataset.name, dataset.axes) == ("Tiny", 3)
    assert dataset.channels == ("MR0",)
    assert dataset.classes == ("background", "front", "back")
    assert [case.name for case in dataset.cases] == ["case_1", "case_2", "case_3"]
    volume = dataset.load(dataset.cases[1])
    np.testing.assert_array_equal(volume.image[0], intensities("case_2", BOX))
    np.testing.assert_array_equal(volume.label, labels(BOX))
    assert volume.geometry.spacing == (1.0, 1.5, 2.0)


def test_msd_channels_are_the_last_axis(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, channels=4))
    image = dataset.load(dataset.cases[0]).image
    np.testing.assert_array_equal(image, np.moveaxis(intensities("case_1", (*BOX, 4)), -1, 0))


def test_msd_images_may_be_2d(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, shape=SQUARE))
    assert dataset.axes == 2
    assert dataset.load(dataset.cases[0]).geometry.spacing == (1.0, 1.5)


def test_msd_files_may_be_links_to_another_place(tmp_path: Path) -> None:
    folder = msd(tmp_path / "data")
    os.rename(folder / "imagesTr", tmp_path / "elsewhere")
    (folder / "imagesTr").symlink_to(tmp_path / "elsewhere")
    dataset = open_dataset(folder)
    assert dataset.load(dataset.cases[0]).image.shape == (1, *BOX)


def test_nnunet_reads_a_file_for_every_channel(tmp_path: Path) -> None:
    dataset = open_dataset(nnunet_nifti(tmp_path / "Dataset001_Tiny"))
    assert (dataset.name, dataset.axes) == ("Dataset001_Tiny", 3)
    assert dataset.channels == ("channel 0", "channel 1")
    image = dataset.load(dataset.cases[0]).image
    np.testing.assert_array_equal(image, [intensities(f"case_1{channel}", BOX) for channel in (0, 1)])


def test_nnunet_reads_colours_as_channels(tmp_path: Path) -> None:
    dataset = open_dataset(nnunet_colour(tmp_path))
    image = dataset.load(dataset.cases[0]).image
    np.testing.assert_array_equal(image, np.moveaxis(intensities("case_1_0000.png", (*SQUARE, 3)), -1, 0))


def test_png_keeps_sixteen_bits(tmp_path: Path) -> None:
    folder = nnunet_png(tmp_path)
    write(folder / "imagesTr/case_1_0000.png", np.full(SQUARE, 65535, np.uint16))
    dataset = open_dataset(folder)
    volume = dataset.load(dataset.cases[0])
    assert (volume.image == 65535).all()
    assert volume.geometry.spacing == (1.0, 1.0)


@pytest.mark.parametrize("mode", ["P", "I;16", "1"])
def test_png_labels_may_have_a_palette_or_other_depths(mode: str, tmp_path: Path) -> None:
    folder = nnunet_png(tmp_path)
    values = (0, 1) if mode == "1" else (0, 1, 2)
    label = labels(SQUARE, values, {"P": np.uint8, "I;16": np.uint16, "1": bool}[mode])
    picture = Image.fromarray(label)
    if mode == "P":
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(folder / "labelsTr/case_1.png")
    dataset = open_dataset(folder)
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, label)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_labels_of_any_type_with_whole_values(kind: type, tmp_path: Path) -> None:
    folder = msd(tmp_path)
    write(folder / "labelsTr/case_1.nii.gz", labels(BOX, kind=kind))
    dataset = open_dataset(folder)
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(BOX))


def test_label_values_become_class_indices_in_declared_order(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    describing(labels={"40": "liver", "0": "background", "7": "spleen"})(folder)
    for number in (1, 2, 3):
        write(folder / f"labelsTr/case_{number}.nii.gz", labels(BOX, (7, 0, 40)))
    dataset = open_dataset(folder)
    assert dataset.classes == ("background", "liver", "spleen")
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(BOX, (2, 0, 1)))


@pytest.mark.parametrize("layout", [msd, nnunet_nifti])
def test_what_macos_leaves_behind_is_passed_over(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = layout(tmp_path)
    for file in ("imagesTr/._case_1.nii.gz", "imagesTr/._case_1_0000.nii.gz", "labelsTr/._case_1.nii.gz", ".DS_Store"):
        (folder / file).write_bytes(b"Mac OS X")
    assert len(open_dataset(folder).cases) == 3


@pytest.mark.parametrize(
    ("declared", "classes", "regions"),
    [
        (
            {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": [3]},
            ("background", "whole alone", "whole & core", "enhancing"),
            (Region("whole", (1, 2, 3)), Region("core", (2, 3)), Region("enhancing", (3,))),
        ),
        (
            {"background": 0, "whole": [1, 2, 3], "core": 3},  # 1 and 2 are never told apart
            ("background", "whole alone", "core"),
            (Region("whole", (1, 2)), Region("core", (2,))),
        ),
        (
            {"organ": [1], "both": [1, 2], "background": 0},
            ("background", "organ", "both alone"),
            (Region("organ", (1,)), Region("both", (1, 2))),
        ),
    ],
)
def test_regions_become_classes_that_do_not_overlap(
    declared: dict[str, object], classes: tuple[str, ...], regions: tuple[Region, ...], tmp_path: Path
) -> None:
    folder = nnunet_nifti(tmp_path)
    describing(labels=declared)(folder)
    dataset = open_dataset(folder)
    assert dataset.classes == classes
    assert dataset.regions == regions


def test_voxels_to_be_ignored_have_an_index_of_their_own(tmp_path: Path) -> None:
    dataset = open_dataset(nnunet_regions(tmp_path))
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(BOX, (0, 1, 2, IGNORED)))


def test_the_folds_that_come_with_the_data_are_used(tmp_path: Path) -> None:
    folder = nnunet_nifti(tmp_path)
    assert len(open_dataset(folder).splits) == 0
    folds = [{"train": ["case_3", "case_1"], "val": ["case_2"]}, {"train": ["case_2"], "val": ["case_1"]}]
    (folder / "splits_final.json").write_text(json.dumps(folds))
    dataset = open_dataset(folder)
    assert dataset.split(0) == Split(("case_1", "case_3"), ("case_2",))
    assert dataset.split(1) == Split(("case_2",), ("case_1",))


def test_bids_brings_channels_classes_and_subjects(tmp_path: Path) -> None:
    dataset = open_dataset(bids(tmp_path))
    assert dataset.channels == ("FLAIR", "T1w")
    assert dataset.classes == ("background", "front", "back")
    assert [(case.name, case.group) for case in dataset.cases] == [
        ("sub-01_ses-1", "01"),
        ("sub-01_ses-2", "01"),
        ("sub-02_ses-1", "02"),
    ]
    image = dataset.load(dataset.cases[1]).image
    np.testing.assert_array_equal(image, [intensities(f"sub-01_ses-2{kind}", BOX) for kind in dataset.channels])


def test_in_bids_an_image_beside_the_segmentation_is_preferred(tmp_path: Path) -> None:
    folder = bids(tmp_path)
    place = folder / "derivatives/manual/sub-02/ses-1/anat"
    write(place / "sub-02_ses-1_desc-preproc_T1w.nii.gz", intensities("better", BOX))
    dataset = open_dataset(folder)
    image = dataset.load(dataset.cases[2]).image
    np.testing.assert_array_equal(image[dataset.channels.index("T1w")], intensities("better", BOX))


def test_a_derivative_of_bids_may_stand_alone(tmp_path: Path) -> None:
    folder = bids(tmp_path)
    for path in sorted(folder.glob("sub-*/*/anat/*")):
        path.rename(folder / "derivatives/manual" / path.relative_to(folder))
    dataset = open_dataset(folder / "derivatives/manual")
    assert dataset.channels == ("FLAIR", "T1w")
    assert len(dataset.cases) == 3


def test_plain_pairs_are_named_by_their_values(tmp_path: Path) -> None:
    dataset = open_dataset(pairs(tmp_path / "Polyps"))
    assert dataset.name == "Polyps"
    assert dataset.classes == ("background", "class 7", "class 255")
    assert dataset.channels == ("channel 0",)
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(SQUARE, (0, 1, 2)))


def test_jpeg_images_have_labels_in_another_format(tmp_path: Path) -> None:
    dataset = open_dataset(pairs_jpeg(tmp_path))
    assert len(dataset.channels) == 3
    assert dataset.load(dataset.cases[0]).image.shape == (3, *SQUARE)


def test_tiff_masks_are_labels(tmp_path: Path) -> None:
    dataset = open_dataset(pairs_tiff(tmp_path))
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).image[0], intensities("case_1", SQUARE, np.uint8))


def test_tiff_pages_are_the_third_axis(tmp_path: Path) -> None:
    dataset = open_dataset(nnunet_tiff(tmp_path))
    assert dataset.axes == 3
    volume = dataset.load(dataset.cases[0])
    assert volume.image.shape == (2, 6, *SQUARE)
    assert volume.geometry.spacing == (1, 1, 1)


@pytest.mark.parametrize(
    ("shape", "options", "channels", "spacing"),
    [
        ((24, 20), {}, 1, (1, 1)),
        ((24, 20, 3), {"photometric": "rgb"}, 3, (1, 1)),
        ((24, 20), {"compression": "lzw"}, 1, (1, 1)),
        ((4, 24, 20), {"metadata": {"axes": "CYX"}}, 4, (1, 1)),
        ((5, 24, 20), {"metadata": {"axes": "ZYX"}}, 1, (1, 1, 1)),
        ((5, 2, 24, 20), {"imagej": True, "metadata": {"axes": "ZCYX"}}, 2, (1, 1, 1)),
        (
            (5, 24, 20),
            {"imagej": True, "resolution": (2, 4), "metadata": {"axes": "ZYX", "spacing": 3, "unit": "mm"}},
            1,
            (3, 0.25, 0.5),
        ),
        ((24, 20), {"imagej": True, "resolution": (2, 4), "metadata": {"unit": "um"}}, 1, (0.00025, 0.0005)),
    ],
)
def test_tiff_has_its_axes_in_many_orders(
    shape: tuple[int, ...], options: dict[str, object], channels: int, spacing: tuple[float, ...], tmp_path: Path
) -> None:
    voxels = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8)
    tifffile.imwrite(tmp_path / "image.tif", voxels, **({"photometric": "minisblack"} | options))
    stored = read_image(tmp_path / "image.tif")
    assert len(stored.voxels) == channels
    assert stored.spacing == pytest.approx(spacing)
    assert sorted(stored.voxels.ravel()) == sorted(voxels.ravel())
