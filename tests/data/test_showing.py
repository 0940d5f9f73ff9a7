"""The picture of a data set shows image and label as they lie in the patient, and says all without colour."""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from PIL import Image

from nas.data import Dataset, Fingerprint, brain, check, open_dataset
from nas.data.drawing.picture import Scale, draw, sample, scale_of, styles
from nas.data.drawing.planes import Plane, close_up, planes
from nas.data.showing import make_sheet, write_sheet
from nas.data.showing.choosing import about, choose
from nas.errors import InputError

from .factories import BOX, describe, intensities, labels, msd, nnunet_colour, nnunet_tiff, write

RIGHT, ANTERIOR, SUPERIOR = (16, 4, 4), (4, 16, 4), (4, 4, 16)


def marked(folder: Path, code: str) -> Dataset:
    """Cases whose label is a line from the middle to the right, to the front and to the top: classes 1, 2, 3."""
    label = np.zeros((20, 20, 20), np.uint8)
    for value, axis in ((1, 0), (2, 1), (3, 2)):
        place: list[int | slice] = [9, 9, 9]
        place[axis] = slice(12, 19)
        label[tuple(place)] = value
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(code))
    affine = np.diag([1.0, 1.0, 1.0, 1.0]) @ inv_ornt_aff(turn, label.shape)
    for name in ("a", "b"):
        for part, voxels in (("imagesTr", intensities(name, label.shape)), ("labelsTr", label)):
            stored = nibabel.orientations.apply_orientation(voxels, turn)
            write(folder / f"{part}/{name}.nii.gz", stored, affine)
    describe(
        folder,
        modality={"0": "MR"},
        labels={"0": "background", "1": "right", "2": "front", "3": "top"},
        training=[{"image": f"imagesTr/{name}.nii.gz", "label": f"labelsTr/{name}.nii.gz"} for name in ("a", "b")],
    )
    return open_dataset(folder)


def at(plane: Plane, value: int) -> tuple[float, float]:
    rows, columns = np.nonzero(plane.label == value)
    return float(rows.mean()), float(columns.mean())


@pytest.mark.parametrize("code", ["RAS", "LPS", "LAS", "PIR", "SRA"])
def test_the_right_of_the_patient_is_on_the_left_and_head_and_front_are_up(code: str, tmp_path: Path) -> None:
    dataset = marked(tmp_path, code)
    axial, coronal, sagittal = planes(dataset.load(dataset.cases[0]))
    assert axial.letters == ("R", "L", "A", "P")
    assert coronal.letters == ("R", "L", "S", "I")
    assert sagittal.letters == ("A", "P", "S", "I")
    assert at(axial, 1)[1] < 8 < at(axial, 2)[1]  # right is to the left of the middle line, where the front is
    assert at(axial, 2)[0] < 8
    assert at(coronal, 1)[1] < 8
    assert at(coronal, 3)[0] < 8
    assert at(sagittal, 2)[1] < 8
    assert at(sagittal, 3)[0] < 8


def test_axes_without_an_orientation_have_no_letters(tmp_path: Path) -> None:
    dataset = open_dataset(nnunet_tiff(tmp_path))
    drawn = planes(dataset.load(dataset.cases[0]))
    assert {plane.letters for plane in drawn} == {("", "", "", "")}
    assert all("axial" not in plane.caption for plane in drawn)


def test_the_slice_with_the_most_classes_is_shown(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, shape=(18, 17, 9)))
    volume = dataset.load(dataset.cases[0])
    label = np.zeros_like(volume.label)
    label[..., 3] = 1
    label[2:4, 2:4, 7] = 1
    label[5:7, 5:7, 7] = 2
    axial, *_ = planes(replace(volume, label=label))
    assert f"slice 8 of {label.shape[2]}" in axial.caption


def plane(shape: tuple[int, int] = (40, 60), spacing: tuple[float, float] = (3.0, 1.0)) -> Plane:
    label = np.zeros(shape, np.uint8)
    label[5:30, 5:25] = 1
    label[5:30, 35:55] = 2
    return Plane(intensities("x", (1, *shape)), label, spacing, ("R", "L", "A", "P"), "")


def test_a_plane_has_the_proportions_of_the_patient() -> None:
    shown = plane()
    scale = scale_of([shown], "mm")
    picture = draw(shown, [0], [(0, 200)], scale, styles(("background", "one", "two")))
    margin = 2 * 22
    assert (picture.height - margin) / (picture.width - margin) == pytest.approx(40 * 3 / 60, rel=0.02)


def test_classes_are_told_apart_without_colour() -> None:
    lines = [np.asarray(sample(style).convert("L")) > 40 for style in styles(("b", "one", "two", "three", "four"))]
    assert all((first != second).any() for i, first in enumerate(lines) for second in lines[:i])


def test_an_outline_is_drawn_inside_its_structure() -> None:
    shown = plane(spacing=(1.0, 1.0))
    dark = replace(shown, image=np.zeros_like(shown.image))
    picture = np.asarray(draw(dark, [0], [(0, 1)], Scale(2.0, "mm"), styles(("background", "one"))))[22:-22, 22:-22]
    drawn = picture.max(axis=-1) > 60
    inside = np.kron(shown.label == 1, np.ones((2, 2))).astype(bool)
    assert drawn[10:60, 10:12].all()
    assert not drawn[14:56, 14:44].any()  # the middle is free
    assert not (drawn & ~inside)[:, :46].any()


def warned(fingerprint: Fingerprint, *warnings: str) -> Fingerprint:
    return replace(fingerprint, warnings=warnings)


@pytest.fixture(scope="module")
def synthetic() -> tuple[Dataset, Fingerprint]:
    dataset = brain.dataset(cases=12)
    return dataset, check(dataset)


def test_cases_that_warnings_name_are_shown_first(synthetic: tuple[Dataset, Fingerprint]) -> None:
    fingerprint = warned(synthetic[1], "the label of brain_007 follows the image far less than the labels of others")
    chosen = choose(fingerprint, 3)
    assert len(chosen) == 3
    assert "named in a warning" in chosen["brain_007"]


@pytest.mark.parametrize("most", [1, 2, 5, 12, 100])
def test_as_many_cases_are_shown_as_are_asked_for(most: int, synthetic: tuple[Dataset, Fingerprint]) -> None:
    assert len(choose(synthetic[1], most)) == min(most, 12)


@pytest.mark.parametrize(
    ("sentence", "name", "named"),
    [
        ("the label of case_1 is empty", "case_1", True),
        ("the label of case_11 is empty", "case_1", False),
        ("case_1, case_2: an odd thing", "case_2", True),
        ("cases a.b and c have the same image", "a", False),
        ("in [links] (1): 3 mm", "[links] (1)", True),
        ("it is of case_1.", "case_1", True),
    ],
)
def test_a_warning_is_about_the_cases_that_it_names(sentence: str, name: str, named: bool) -> None:
    assert about(sentence, name) is named


def test_a_page_needs_no_network_and_shows_names_as_text(
    synthetic: tuple[Dataset, Fingerprint], tmp_path: Path
) -> None:
    dataset, fingerprint = synthetic
    name = '<script>alert("x")</script> [bold]Ö & 影像[/bold]'
    named = replace(dataset, classes=(*dataset.classes[:-1], name))
    sheet = make_sheet(named, warned(fingerprint, f"the class {name} is rare", "brain_003 is odd"), 4)
    write_sheet(sheet, tmp_path / "check.html")
    page = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert html.escape(name) in page
    assert "<script" not in page
    assert not re.search(r"https?:|src=\"(?!data:)|url\(", page)
    assert page.index("the class") < page.index("<section>") < page.index("brain_003 is odd")


def test_sheets_are_written_whole_or_not_at_all(synthetic: tuple[Dataset, Fingerprint], tmp_path: Path) -> None:
    sheet = make_sheet(*synthetic, 2)
    write_sheet(sheet, tmp_path / "check.png")
    with Image.open(tmp_path / "check.png") as picture:
        assert picture.width > 1000
    (tmp_path / "there.png").mkdir()
    for path, words in (
        (tmp_path / "check.pdf", r"check\.pdf'; expected a file that ends in \.html or \.png"),
        (tmp_path / "none/check.html", "there is no folder"),
        (tmp_path / "there.png", "is a folder"),
    ):
        with pytest.raises(InputError, match=words):
            write_sheet(sheet, path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.png", "there.png"]


def panels(dataset: Dataset) -> Sequence[str]:
    return [panel.caption for panel in make_sheet(dataset, check(dataset), 1).cases[0].panels]


def test_every_channel_is_shown(tmp_path: Path) -> None:
    captions = panels(open_dataset(msd(tmp_path / "mr", channels=2)))
    assert [caption.split(",")[0] for caption in captions] == ["MR0", "MR0", "MR0", "MR0", "MR1"]
    assert panels(open_dataset(nnunet_colour(tmp_path / "rgb"))) == ["in colours", "in colours, without outlines"]


def test_small_structures_are_shown_closer_with_and_without_outlines() -> None:
    label = np.zeros((100, 80), np.uint8)
    label[40:50, 30:36] = 1
    close = close_up(Plane(np.zeros((1, 100, 80), np.float32), label, (1.0, 1.0), ("", "", "", ""), "axial"))
    assert close is not None
    assert close.label.shape == (18, 14)
    assert np.count_nonzero(close.label) == np.count_nonzero(label)
    assert close_up(plane()) is None


def test_amounts_are_those_of_the_case(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path))
    view = make_sheet(dataset, check(dataset), 1).cases[0]
    voxels = np.bincount(labels(BOX).ravel())
    assert [amount.amount for amount in view.amounts] == pytest.approx(list(voxels[1:] * 3.0 / 1000))
    assert (view.unit, view.absent) == ("ml", ())


def test_classes_that_a_case_lacks_are_named(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    write(folder / "labelsTr/case_2.nii.gz", labels(BOX, (0, 2)))
    dataset = open_dataset(folder)
    sheet = make_sheet(dataset, check(dataset), 3)
    assert [view.absent for view in sheet.cases] == [(), ("front",), ()]
    write_sheet(sheet, tmp_path / "check.html")
    assert "not in this case: front" in (tmp_path / "check.html").read_text(encoding="utf-8")
