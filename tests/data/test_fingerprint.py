"""A data set in numbers, and in warnings."""

import json
import os
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from nas.data import Fingerprint, brain, changed_cases, check, open_dataset
from nas.errors import InputError

from .factories import BOX, Spoil, describing, intensities, labels, msd, nnunet_regions, write, writing


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
        label[0, 0, number] = 2
        write(folder / f"labelsTr/case_{number}.nii.gz", label)


def respaced(folder: Path) -> None:
    for place, voxels in (("imagesTr", intensities("a", BOX)), ("labelsTr", labels(BOX))):
        write(folder / f"{place}/case_1.nii.gz", voxels, np.diag([1.0, 1.5, 4.0, 1.0]))


def distinct(folder: Path) -> None:
    """Make the label of each case its own."""
    for number in (1, 2, 3):
        label = labels(BOX)
        label[0, 0, :number] = 1
        write(folder / f"labelsTr/case_{number}.nii.gz", label)


def turned(folder: Path) -> None:
    affine = np.array([[0, -1, 0, 0], [1.5, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    for place in ("imagesTr", "labelsTr"):
        image = nibabel.load(folder / f"{place}/case_1.nii.gz")
        write(folder / f"{place}/case_1.nii.gz", np.asanyarray(image.dataobj).swapaxes(0, 1), affine)


def empty(folder: Path) -> None:
    write(folder / "labelsTr/case_2.nii.gz", np.zeros(BOX, np.uint8))


def labelled_as_another(folder: Path) -> None:
    shutil.copy(folder / "labelsTr/case_1.nii.gz", folder / "labelsTr/case_2.nii.gz")


def doubled(folder: Path) -> None:
    shutil.copy(folder / "imagesTr/case_1.nii.gz", folder / "imagesTr/case_3.nii.gz")


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (seldom, "class 'back' is in 2 of 3 cases: not every fold can validate it"),
        (nearly_absent, "class 'back' is 0.00054 of the voxels: expect its Dice to vary much"),
        (respaced, "the spacing goes from 1 x 1.5 x 2 to 1 x 1.5 x 4 mm: all cases are resampled to one"),
        (
            writing("imagesTr/case_1.nii.gz", np.ones(BOX, np.float32)),
            "channel 'MR0' is constant in 1 of 3 cases: it tells nothing there",
        ),
        (
            writing("imagesTr/case_1.nii.gz", 1000 * intensities("case_2", BOX)),
            "the intensities of channel 'MR0' differ 1,0",
        ),
        (doubled, "cases case_1 and case_3 have the same image: one may train what the other validates"),
        (labelled_as_another, "cases case_1 and case_2 have the same label: one of them is probably another's"),
        (turned, "the images are stored in different orientations (1 ALS, 2 RAS): all are turned to RAS"),
    ],
)
def test_what_a_person_should_know_before_training(change: Spoil, warning: str, tmp_path: Path) -> None:
    folder = msd(tmp_path)
    distinct(folder)
    assert check(open_dataset(folder)).warnings == ()
    change(folder)
    (found,) = check(open_dataset(folder)).warnings
    assert found.startswith(warning)


def test_a_label_that_shows_nothing_is_named(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    distinct(folder)
    empty(folder)
    warnings = check(open_dataset(folder)).warnings
    assert "the label of case_2 shows no structure: right only where there is none to see" in warnings


def test_labels_that_were_mixed_up_are_found(tmp_path: Path) -> None:
    """Bright discs at places of their own; two labels are exchanged."""
    names = tuple(f"case_{number}" for number in range(8))
    folder = msd(tmp_path, shape=(40, 40), cases=names)
    describing(labels={"0": "background", "1": "disc"})(folder)
    rows, columns = np.mgrid[:40, :40]
    for number, name in enumerate(names):
        centre = (8 + 3 * number, 30 - 3 * number)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 25
        write(folder / f"imagesTr/{name}.nii.gz", intensities(name, (40, 40)) + 300 * disc.astype(np.float32))
        write(folder / f"labelsTr/{name}.nii.gz", disc.astype(np.uint8))
    assert check(open_dataset(folder)).warnings == ()
    first, second, aside = (folder / f"labelsTr/{name}" for name in ("case_1.nii.gz", "case_6.nii.gz", "aside"))
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    (warning,) = check(open_dataset(folder)).warnings
    assert warning.startswith("the label of each of case_1, case_6 follows the image far less")
    assert warning.endswith("look whether it is another case's")


def test_thick_slices_and_turned_axes_are_reported_in_canonical_order(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    turned(folder)
    fingerprint = check(open_dataset(folder))
    assert fingerprint.orientations == {"ALS": 1, "RAS": 2}
    assert [case.shape for case in fingerprint.case_summaries] == [(18, 17, 6)] * 3
    assert [case.spacing for case in fingerprint.case_summaries] == [(1.0, 1.5, 2.0)] * 3


def test_volumes_are_in_cubic_millimetres(tmp_path: Path) -> None:
    front = check(open_dataset(msd(tmp_path))).classes[1]
    assert front.volumes == (6 * 17 * 6 * 3,) * 3


def test_unknown_voxels_and_regions_are_reported(tmp_path: Path) -> None:
    fingerprint = check(open_dataset(nnunet_regions(tmp_path)))
    assert [summary.name for summary in fingerprint.classes] == ["background", "whole alone", "core"]
    assert fingerprint.ignored_fraction == pytest.approx(4 / 18)
    whole, core = fingerprint.regions
    assert (whole.name, whole.classes) == ("whole", ("whole alone", "core"))
    assert (core.name, core.classes) == ("core", ("core",))


def test_regions_are_a_part_of_the_digest_and_where_there_are_none_it_is_what_studies_have_on_record(
    tmp_path: Path,
) -> None:
    folder = nnunet_regions(tmp_path / "regions")
    found = check(open_dataset(folder))
    describing(labels={"background": 0, "core": [2], "whole": [1, 2], "ignore": 3})(folder)
    turned = check(open_dataset(folder))
    assert (turned.classes, turned.case_summaries) == (found.classes, found.case_summaries)
    assert turned.digest != found.digest
    assert check(open_dataset(msd(tmp_path / "none"))).digest.startswith("3bf5093dd1e69988")


@pytest.mark.parametrize("at_once", [{"processes": 2}, {"threads": 2}])
def test_several_at_once_see_the_same(at_once: dict[str, int], tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path))
    assert check(dataset, **at_once) == check(dataset)


def test_what_changed_is_told_by_case(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    before = json.loads(json.dumps(check(open_dataset(folder)).to_json()))
    assert changed_cases(before, check(open_dataset(folder))) == ()
    labelled_as_another(folder)
    writing("imagesTr/case_1.nii.gz", intensities("other", BOX))(folder)
    renamed(folder)
    changes = changed_cases(before, check(open_dataset(folder)))
    assert changes == ("case case_1 has changed", "case case_3 is gone", "case case_4 is new")
    del before["case_summaries"]  # as earlier versions wrote it
    with pytest.raises(InputError, match="fingerprint: is of an earlier version"):
        Fingerprint.from_json(before)
    assert changed_cases(before, check(open_dataset(folder))) == ()


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
