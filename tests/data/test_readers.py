"""What the layouts allow, and how it is read."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data import open_dataset

from .factories import BOX, SQUARE, describing, intensities, labels, msd, nnunet_colour, nnunet_nifti, nnunet_png, write


def test_msd_is_read_as_it_is_described(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path))
    assert (dataset.name, dataset.axes) == ("Tiny", 3)
    assert dataset.channels == ("MR0",)
    assert dataset.classes == ("background", "front", "back")
    assert [case.name for case in dataset.cases] == ["case_1", "case_2", "case_3"]
    volume = dataset.load(dataset.cases[1])
    np.testing.assert_array_equal(volume.image[0], intensities("case_2", BOX))
    np.testing.assert_array_equal(volume.label, labels(BOX))
    assert volume.spacing == (1.0, 1.5, 2.0)


def test_msd_channels_are_the_last_axis(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, channels=4))
    image = dataset.load(dataset.cases[0]).image
    np.testing.assert_array_equal(image, np.moveaxis(intensities("case_1", (*BOX, 4)), -1, 0))


def test_msd_images_may_be_2d(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, shape=SQUARE))
    assert dataset.axes == 2
    assert dataset.load(dataset.cases[0]).spacing == (1.0, 1.5)


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
    assert volume.spacing == (1.0, 1.0)


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
