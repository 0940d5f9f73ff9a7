"""A data set in numbers, and in warnings."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nas.data import brain, check, open_dataset

from .factories import BOX, Spoil, describing, intensities, labels, msd, write, writing


def test_the_numbers(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    write(folder / "imagesTr/case_1.nii.gz", np.full((20, 17, 10), 9, np.float32))
    write(folder / "labelsTr/case_1.nii.gz", np.zeros((20, 17, 10), np.uint8))
    fingerprint = check(open_dataset(folder))
    assert (fingerprint.name, fingerprint.cases, fingerprint.axes) == ("Tiny", 3, 3)
    assert fingerprint.shape_minimum == (18, 17, 6)
    assert fingerprint.shape_median == (18, 17, 6)
    assert fingerprint.shape_maximum == (20, 17, 10)
    assert fingerprint.spacing_median == (1.0, 1.5, 2.0)
    background, front, back = fingerprint.classes
    assert (background.cases, front.cases, back.cases) == (3, 2, 2)
    voxels = 2 * 18 * 17 * 6 + 20 * 17 * 10
    assert front.voxel_fraction == back.voxel_fraction == pytest.approx(2 * 6 * 17 * 6 / voxels)
    (channel,) = fingerprint.channels
    assert (channel.minimum, channel.maximum) == (0, 199)
    assert 95 < channel.mean < 105


def seldom(folder: Path) -> None:
    write(folder / "labelsTr/case_1.nii.gz", labels(BOX, (0, 1)))


def nearly_absent(folder: Path) -> None:
    for number in (1, 2, 3):
        label = labels(BOX, (0, 1))
        label[0, 0, 0] = 2
        write(folder / f"labelsTr/case_{number}.nii.gz", label)


def respaced(folder: Path) -> None:
    for place, voxels in (("imagesTr", intensities("a", BOX)), ("labelsTr", labels(BOX))):
        write(folder / f"{place}/case_1.nii.gz", voxels, np.diag([1.0, 1.5, 4.0, 1.0]))


def doubled(folder: Path) -> None:
    shutil.copy(folder / "imagesTr/case_1.nii.gz", folder / "imagesTr/case_3.nii.gz")


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (seldom, "class 'back' is in 2 of 3 cases: not every fold can validate it"),
        (nearly_absent, "class 'back' is 0.00054 of the voxels: expect its Dice to vary much"),
        (respaced, "the spacing goes from 1 x 1.5 x 2 to 1 x 1.5 x 4 mm: a network sees voxels, not millimetres"),
        (
            writing("imagesTr/case_1.nii.gz", np.ones(BOX, np.float32)),
            "channel 'MR0' is constant in 1 of 3 cases: it tells nothing there",
        ),
        (
            writing("imagesTr/case_1.nii.gz", 1000 * intensities("case_2", BOX)),
            "the intensities of channel 'MR0' differ 1,0",
        ),
        (doubled, "cases case_1 and case_3 have the same image: one may train what the other validates"),
    ],
)
def test_what_a_person_should_know_before_training(change: Spoil, warning: str, tmp_path: Path) -> None:
    folder = msd(tmp_path)
    assert check(open_dataset(folder)).warnings == ()
    change(folder)
    (found,) = check(open_dataset(folder)).warnings
    assert found.startswith(warning)


def renamed(folder: Path) -> None:
    for place in ("imagesTr", "labelsTr"):
        os.rename(folder / f"{place}/case_3.nii.gz", folder / f"{place}/case_4.nii.gz")
    pairs = [(f"imagesTr/case_{number}.nii.gz", f"labelsTr/case_{number}.nii.gz") for number in (1, 2, 4)]
    describing(training=[{"image": image, "label": label} for image, label in pairs])(folder)


@pytest.mark.parametrize(
    "change",
    [
        renamed,
        writing("imagesTr/case_2.nii.gz", intensities("other", BOX)),
        writing("labelsTr/case_2.nii.gz", labels(BOX, (2, 1, 0))),
        describing(labels={"0": "background", "2": "front", "1": "back"}),
    ],
)
def test_the_digest_changes_with_the_data(change: Spoil, tmp_path: Path) -> None:
    folder = msd(tmp_path)
    before = check(open_dataset(folder)).digest
    change(folder)
    assert check(open_dataset(folder)).digest != before


def test_the_digest_stays_when_the_data_move(tmp_path: Path) -> None:
    folder = msd(tmp_path / "here")
    before = check(open_dataset(folder)).digest
    moved = folder.rename(tmp_path / "there")
    describing(description="a note that changes nothing")(moved)
    assert check(open_dataset(moved)).digest == before


def test_the_digest_of_made_data_is_that_of_their_settings() -> None:
    def digest(cases: int, seed: int) -> str:
        return check(brain.dataset(cases, seed)).digest

    assert digest(2, 0) == digest(2, 0)
    assert len({digest(2, 0), digest(3, 0), digest(2, 1)}) == 3
