"""Everything that can be wrong with a data set is told in words that name the file or field and what to do."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from nas.data import check, open_dataset
from nas.errors import InputError

from .factories import (
    BOX,
    SQUARE,
    Spoil,
    bids,
    containing,
    deleting,
    describing,
    halving,
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
    pairs_nifti,
    pairs_tiff,
    write,
    writing,
)

IMAGE, LABEL = "imagesTr/case_2.nii.gz", "labelsTr/case_2.nii.gz"
PICTURE, PICTURE_LABEL = "imagesTr/case_2_0000.png", "labelsTr/case_2.png"
MOVED = np.diag([1.0, 1.5, 2.0, 1.0]) + 0.01 * np.eye(4)


def with_voxel(voxels: np.ndarray, value: float) -> np.ndarray:
    voxels = voxels.astype(np.float32)
    voxels.flat[7] = value
    return voxels


def in_every_label(voxels: np.ndarray) -> Spoil:
    def spoil(folder: Path) -> None:
        for number in (1, 2, 3):
            writing(f"labelsTr/case_{number}.nii.gz", voxels)(folder)

    return spoil


def listing(*pairs: tuple[str, str]) -> Spoil:
    return describing(training=[{"image": image, "label": label} for image, label in pairs])


TABLE = "derivatives/manual/desc-manual_dseg.tsv"
SCAN = "sub-01/ses-1/anat/sub-01_ses-1_"


def folds(training: str, validation: str) -> Spoil:
    content = [{"train": [training], "val": [validation]}]
    return containing("splits_final.json", json.dumps(content).encode())


def without_segmentations(folder: Path) -> None:
    shutil.rmtree(folder / "derivatives")


def segmented_twice(folder: Path) -> None:
    shutil.copytree(folder / "derivatives/manual", folder / "derivatives/other")


def of_many_values(folder: Path) -> None:
    for number in (1, 2, 3):
        values = np.broadcast_to(np.arange(18 * 17).reshape(18, 17, 1) % 100 + 100 * number, BOX)
        write(folder / f"labelsTr/case_{number}.nii.gz", values.astype(np.int16))


def claiming_to_be_vast(folder: Path) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((30_000, 30_000, 3_000))
    (folder / IMAGE).write_bytes(gzip.compress(header.binaryblock))


def with_nan(shape: tuple[int, ...]) -> np.ndarray:
    return with_voxel(intensities("a", shape), np.nan)


def renaming_labels(ending: str) -> Spoil:
    def spoil(folder: Path) -> None:
        for path in (folder / "labels").iterdir():
            Image.open(path).save(path.with_suffix(ending))
            path.unlink()

    return spoil


FILES = [
    (pairs, deleting("labels/case_2.png"), ["images/case_2.png: an image without a label"]),
    (pairs, deleting("images/case_2.png"), ["labels/case_2.png: a label without an image"]),
    (pairs, renaming_labels(".jpg"), ["labels/case_1.jpg", "lossy", "PNG or TIFF"]),
    (pairs_nifti, in_every_label(np.zeros(BOX, np.uint8)), ["0 everywhere"]),
    (pairs_nifti, of_many_values, ["more than 255 different values", "one value a class"]),
    (bids, without_segmentations, ["no file ends in _dseg.nii.gz"]),
    (bids, segmented_twice, ["a second segmentation of the same image", "derivatives/manual"]),
    (bids, deleting(f"{SCAN}T1w.nii.gz", f"{SCAN}FLAIR.nii.gz"), ["sub-01_ses-1", "a label without an image"]),
    (msd, deleting(LABEL), [LABEL, "label of case case_2 is missing"]),
    (msd, deleting(IMAGE), [IMAGE, "image of case case_2 is missing"]),
    (msd, writing("labelsTr/case_9.nii.gz", labels(BOX)), ["labelsTr/case_9.nii.gz: a label without an image"]),
    (nnunet_png, deleting(PICTURE_LABEL), [f"{PICTURE}: an image without a label"]),
    (nnunet_png, deleting(PICTURE), [f"{PICTURE_LABEL}: a label without an image"]),
    (nnunet_png, writing("imagesTr/case_2.png", labels(SQUARE)), ["imagesTr/case_2.png", "case_2_0000.png"]),
    (nnunet_nifti, deleting("imagesTr/case_2_0000.nii.gz"), ["case case_2 has the channels 0001", "expected 2"]),
    (msd, halving(IMAGE), [IMAGE, "cannot be read", "damaged"]),
    (msd, halving(LABEL), [LABEL, "cannot be read", "damaged"]),
    (msd, containing(IMAGE, b""), [IMAGE, "cannot be read"]),
    (nnunet_png, halving(PICTURE), [PICTURE, "cannot be read", "damaged"]),
    (nnunet_png, containing(PICTURE, b"no picture"), [PICTURE, "cannot be read"]),
]

VOXELS = [
    (msd, claiming_to_be_vast, [IMAGE, "10058.3 GiB", "more than this machine's", "crop or resample"]),
    (pairs, writing("labels/case_2.png", labels((24, 21))), ["labels/case_2.png", "(24, 21)", "(24, 20)"]),
    (pairs, halving("images/case_2.png"), ["images/case_2.png", "cannot be read", "damaged"]),
    (
        pairs,
        writing("images/case_2.png", intensities("a", (*SQUARE, 3), np.uint8)),
        ["case_2.png", "channels: found 3"],
    ),
    (pairs_tiff, halving("images/case_2.tif"), ["images/case_2.tif", "cannot be read", "damaged"]),
    (pairs_tiff, writing("images/case_2.tif", with_nan(SQUARE)), ["images/case_2.tif", "1 of 480 voxels are NaN"]),
    (pairs_tiff, writing("images/case_2.tif", np.zeros((2, 20, *SQUARE), np.uint8)), ["case_2.tif", "axes"]),
    (pairs_jpeg, halving("images/case_2.jpg"), ["images/case_2.jpg", "cannot be read", "damaged"]),
    (pairs_nifti, writing(LABEL, labels(BOX), MOVED), [LABEL, "affine", "differs"]),
    (pairs_nifti, writing(LABEL, with_voxel(labels(BOX), 0.5)), [LABEL, "fractional label values 0.5"]),
    (bids, writing(f"{SCAN}T1w.nii.gz", with_voxel(intensities("a", BOX), np.nan)), [f"{SCAN}T1w", "NaN"]),
    (bids, writing(f"{SCAN}T1w.nii.gz", intensities("a", BOX), MOVED), [f"{SCAN}T1w", "affine"]),
    (bids, halving(f"{SCAN}FLAIR.nii.gz"), [f"{SCAN}FLAIR.nii.gz", "cannot be read", "damaged"]),
    (nnunet_regions, writing(LABEL, labels(BOX, (0, 1, 4))), [LABEL, "undeclared label values 4", "0, 1, 2, 3"]),
    (nnunet_tiff, writing("labelsTr/case_2.tif", labels((7, *SQUARE))), ["labelsTr/case_2.tif", "(7, 24, 20)"]),
    (msd, writing(LABEL, labels((18, 17, 5))), [LABEL, "(18, 17, 5)", "(18, 17, 6)", "resample"]),
    (nnunet_png, writing(PICTURE_LABEL, labels((24, 21))), [PICTURE_LABEL, "(24, 21)", "(24, 20)"]),
    (msd, writing(LABEL, labels(BOX), MOVED), [LABEL, "affine", "differs", "0.01"]),
    (nnunet_nifti, writing("imagesTr/case_2_0001.nii.gz", intensities("a", BOX), MOVED), ["case_2", "affine"]),
    (msd, writing(LABEL, with_voxel(labels(BOX), 0.5)), [LABEL, "fractional label values 0.5", "nearest"]),
    (msd, writing(LABEL, with_voxel(labels(BOX), np.nan)), [LABEL, "NaN"]),
    (msd, writing(LABEL, with_voxel(labels(BOX), 7)), [LABEL, "undeclared label values 7", "0, 1, 2"]),
    (msd, writing(LABEL, with_voxel(labels(BOX), -1)), [LABEL, "undeclared label values -1"]),
    (nnunet_png, writing(PICTURE_LABEL, labels(SQUARE, (0, 255))), [PICTURE_LABEL, "undeclared label values 255"]),
    (
        nnunet_png,
        writing(PICTURE_LABEL, intensities("a", (*SQUARE, 3), np.uint8)),
        [PICTURE_LABEL, "channels: found 3", "expected one"],
    ),
    (msd, writing(IMAGE, with_voxel(intensities("a", BOX), np.nan)), [IMAGE, "1 of 1836 voxels are NaN or infinite"]),
    (msd, writing(IMAGE, with_voxel(intensities("a", BOX), -np.inf)), [IMAGE, "NaN or infinite"]),
    (msd, writing(IMAGE, np.full(BOX, 1e300)), [IMAGE, "NaN or infinite"]),
    (msd, writing(IMAGE, intensities("a", BOX, np.complex64)), [IMAGE, "complex64", "expected real numbers"]),
    (msd, writing(IMAGE, intensities("a", (*BOX, 2))), [IMAGE, "channels: found 2", "the 1 declared (MR0)"]),
    (msd, writing(IMAGE, intensities("a", (*BOX, 2, 2))), [IMAGE, "shape (18, 17, 6, 2, 2)"]),
    (
        nnunet_colour,
        writing(PICTURE, intensities("a", SQUARE, np.uint8)),
        [PICTURE, "channels: found 1", "red, green, blue"],
    ),
    (msd, writing(IMAGE, intensities("a", (18, 17))), [IMAGE, "2D", "the first case is 3D"]),
    (msd, in_every_label(labels(BOX, (0, 1))), ["class 'back'", "none of the 3 cases"]),
]

DESCRIPTIONS = [
    (msd, containing("dataset.json", b'{"training": ['), ["dataset.json", "cannot be read as JSON"]),
    (msd, containing("dataset.json", b"\xff\xfe\x00"), ["dataset.json", "cannot be read as JSON"]),
    (msd, containing("dataset.json", b"[1, 2]"), ["dataset.json", "[1, 2]", "expected an object"]),
    (msd, containing("dataset.json", b'{"name": "x"}'), ["no data set", "'training'", "'channel_names'"]),
    (msd, describing(training=None), ["'training'", "nothing", "a list of cases"]),
    (msd, describing(training=[]), ["'training'", "[]"]),
    (msd, describing(training={"image": "x"}), ["'training'", "a list of cases"]),
    (msd, describing(training=["x.nii.gz"]), ["'training'", "'x.nii.gz'", '"image": a path']),
    (msd, listing((IMAGE, LABEL)), ["labelled cases: found 1", "at least 2"]),
    (msd, listing((IMAGE, LABEL), (IMAGE, LABEL)), ["case_2", "listed 2 times"]),
    (msd, listing(("../x/case_1.nii.gz", LABEL), (IMAGE, LABEL)), ["../x/case_1.nii.gz", "leaves the folder"]),
    (msd, listing(("/etc/passwd", LABEL), (IMAGE, LABEL)), ["/etc/passwd", "leaves the folder"]),
    (msd, listing(("imagesTr/a.dcm", LABEL), (IMAGE, LABEL)), ["a.dcm", "cannot be read", ".nii.gz"]),
    (msd, describing(modality=None), ["'modality'", "nothing"]),
    (msd, describing(modality={"1": "MR"}), ["'modality'", '{"1": "MR"}', "numbered from 0"]),
    (msd, describing(labels=None), ["'labels'", "nothing"]),
    (msd, describing(labels={"zero": "background", "1": "x"}), ["'labels'", "'background' with 'zero'"]),
    (msd, describing(labels={"1": "front", "2": "back"}), ["'labels'", "background with the value 0"]),
    (msd, describing(labels={"0": "background"}), ["'labels'", "1 classes"]),
    (msd, describing(labels={"0": "x", "1": "x"}), ["'labels'", "every class and every value once"]),
    (msd, describing(labels={str(value): f"class {value}" for value in range(256)}), ["256 classes", "2 to 255"]),
    (nnunet_png, describing(channel_names=None), ["'channel_names'", "nothing"]),
    (nnunet_png, describing(channel_names=["grey"]), ["'channel_names'", '["grey"]', "numbered from 0"]),
    (nnunet_png, describing(file_ending=None), ["'file_ending'", "nothing"]),
    (nnunet_png, describing(file_ending=".nii.gz"), ["imagesTr", "no file ends in .nii.gz", "'file_ending'"]),
    (nnunet_png, describing(labels={"background": 0, "whole": [0, 2]}), ["'labels'", "'whole' with [0, 2]"]),
    (nnunet_png, describing(labels={"background": 0, "whole": []}), ["'labels'", "'whole' with []"]),
    (nnunet_png, describing(labels={"background": 0, "front": 1, "ignore": [2]}), ["'labels'", "'ignore' with [2]"]),
    (nnunet_regions, describing(labels={"background": 0, "a": [1, 2], "ignore": 2}), ["'labels'", "'ignore' with 2"]),
    (nnunet_regions, describing(regions_class_order=[1]), ["'regions_class_order'", "[1]", "2 of the declared values"]),
    (nnunet_png, containing("splits_final.json", b"[]"), ["splits_final.json", "[]", "a list of folds"]),
    (nnunet_png, containing("splits_final.json", b'[{"train": ["case_1"]}]'), ["fold 0", "'train' and 'val'"]),
    (nnunet_png, folds("case_1", "case_9"), ["splits_final.json: fold 0: case case_9 is not in the data set"]),
    (nnunet_png, folds("case_1", "case_1"), ["splits_final.json: fold 0: case case_1 trains and validates"]),
    (bids, deleting(TABLE), ["no *_dseg.tsv", "index and name"]),
    (bids, containing(TABLE, b"index\tlabel\n1\tx\n"), [TABLE, "the columns index, label", "index and name"]),
    (bids, containing(TABLE, b"index\tname\none\tx\n"), [TABLE, "'x' with 'one'"]),
    (nnunet_png, describing(labels={"background": 0, "front": True}), ["'labels'", "'front' with True"]),
    (
        nnunet_png,
        deleting(PICTURE, PICTURE_LABEL, "imagesTr/case_1_0000.png", "labelsTr/case_1.png"),
        ["labelled cases: found 1", "at least 2"],
    ),
]


ROWS = [pytest.param(*row, id=f"{row[0].__name__}: {'; '.join(row[2])}") for row in (*FILES, *VOXELS, *DESCRIPTIONS)]


@pytest.mark.parametrize(("layout", "spoil", "words"), ROWS)
def test_the_problem_is_named(layout: Callable[[Path], Path], spoil: Spoil, words: list[str], tmp_path: Path) -> None:
    folder = layout(tmp_path / "data")
    spoil(folder)
    with pytest.raises(InputError) as caught:
        check(open_dataset(folder))
    message = str(caught.value)
    assert all(word in message for word in words), message


def test_images_smaller_than_any_stride_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="smaller than the stride of any network; expected at least 16 voxels"):
        check(open_dataset(msd(tmp_path, shape=(18, 15, 15))))


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    halving("imagesTr/case_1.nii.gz")(folder)
    writing("imagesTr/case_3.nii.gz", with_voxel(intensities("a", BOX), np.nan))(folder)
    writing("labelsTr/case_3.nii.gz", with_voxel(labels(BOX), 9))(folder)
    with pytest.raises(InputError) as caught:
        check(open_dataset(folder))
    first, second, third = str(caught.value).splitlines()
    assert "imagesTr/case_1.nii.gz" in first
    assert "imagesTr/case_3.nii.gz" in second
    assert "labelsTr/case_3.nii.gz" in third


def test_of_many_problems_the_first_twenty_are_shown(tmp_path: Path) -> None:
    names = tuple(f"case_{number:02d}" for number in range(25))
    folder = msd(tmp_path, cases=names)
    for name in names:
        halving(f"imagesTr/{name}.nii.gz")(folder)
    with pytest.raises(InputError) as caught:
        check(open_dataset(folder))
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 5 more"
