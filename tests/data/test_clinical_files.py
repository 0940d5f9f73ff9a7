"""Files of scanners and viewers lie where an independent reader puts them, and what a stack would hide is refused."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from nas.data import check, files, open_dataset, read_options
from nas.errors import InputError

from .dicom_factories import AXIAL, OBLIQUE, SHAPE, place, segmentation, series, stored, structures
from .factories import SQUARE, intensities

sitk = pytest.importorskip("SimpleITK", reason="pip install 'nas[itk]'")
pydicom = pytest.importorskip("pydicom", reason="pip install 'nas[dicom]'")
highdicom = pytest.importorskip("highdicom", reason="pip install 'nas[dicom]'")

DIRECTIONS = [
    (1, 0, 0, 0, 1, 0, 0, 0, 1),
    (0, 1, 0, 1, 0, 0, 0, 0, -1),
    (-1, 0, 0, 0, 0.8, 0.6, 0, -0.6, 0.8),
]


def volume(direction: Sequence[float] = DIRECTIONS[0], components: int = 1) -> "sitk.Image":
    shape = (5, 18, 17) if components == 1 else (5, 18, 17, components)
    image = sitk.GetImageFromArray(intensities("v", shape, np.int16), isVector=components > 1)
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection([float(value) for value in direction])
    return image


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_a_volume_lies_where_nibabel_puts_its_nifti(suffix: str, direction: Sequence[float], tmp_path: Path) -> None:
    for ending in (suffix, ".nii.gz"):
        sitk.WriteImage(volume(direction), tmp_path / f"a{ending}")
    nifti = nibabel.load(tmp_path / "a.nii.gz")
    image = files.read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.voxels[0], nifti.get_fdata())
    np.testing.assert_allclose(image.affine, nifti.affine, atol=1e-4)
    assert image.spacing == pytest.approx((0.5, 0.75, 3.0))
    assert files.axes(tmp_path / f"a{suffix}") == 3


def test_components_are_channels(tmp_path: Path) -> None:
    sitk.WriteImage(volume(components=3), tmp_path / "a.nrrd")
    image = files.read_image(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(image.voxels, intensities("v", (5, 18, 17, 3)).transpose(3, 2, 1, 0))


def test_a_picture_has_rows_then_columns_as_png_has(tmp_path: Path) -> None:
    pixels = intensities("p", SQUARE, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = sitk.GetImageFromArray(pixels)
    picture.SetSpacing((0.5, 0.25))
    sitk.WriteImage(picture, tmp_path / "a.mha")
    image = files.read_image(tmp_path / "a.mha")
    np.testing.assert_array_equal(image.voxels, files.read_image(tmp_path / "a.png").voxels)
    assert (image.spacing, image.affine) == ((0.25, 0.5), None)


def nrrd(path: Path, fields: str) -> Path:
    path.write_bytes(
        f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 5 6\nencoding: raw\n{fields}\n".encode() + bytes(120)
    )
    return path


@pytest.mark.parametrize(
    ("fields", "spacing", "measured", "oriented"),
    [
        ('spacings: 100 200 300\nunits: "um" "um" "um"\n', (0.1, 0.2, 0.3), True, False),
        ("spacings: 1 2 3\n", (1.0, 2.0, 3.0), True, False),
        ("", (1.0, 1.0, 1.0), False, False),
        (
            "space: right-anterior-superior\nspace directions: (1,0,0) (0,2,0) (0,0,3)\n"
            'space units: "cm" "cm" "cm"\nspace origin: (1,2,3)\n',
            (10.0, 20.0, 30.0),
            True,
            True,
        ),
    ],
)
def test_units_and_what_a_header_leaves_open_are_honoured(
    fields: str, spacing: tuple[float, ...], measured: bool, oriented: bool, tmp_path: Path
) -> None:
    image = files.read_image(nrrd(tmp_path / "a.nrrd", fields))
    assert image.spacing == pytest.approx(spacing)
    assert (image.measured, image.oriented) == (measured, oriented)
    if oriented:
        np.testing.assert_allclose(image.affine, [[10, 0, 0, 10], [0, 20, 0, 20], [0, 0, 30, 30], [0, 0, 0, 1]])
    else:
        assert image.affine is None


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nrrd", 'spacings: 1 1 1\nunits: "mm" "mm" "s"\n')
    with pytest.raises(InputError, match=r"a\.nrrd: units mm, s; expected one unit of length"):
        files.read_image(path)


def test_a_volume_larger_than_the_memory_is_refused(tmp_path: Path) -> None:
    fields = ("ObjectType = Image", "NDims = 3", "DimSize = 30000 30000 3000", "ElementType = MET_UCHAR")
    (tmp_path / "a.mha").write_text("\n".join([*fields, "ElementDataFile = LOCAL", ""]))
    with pytest.raises(InputError, match="more than this machine's"):
        files.read_image(tmp_path / "a.mha")


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_header_has_its_voxels_in_another_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(volume(), path)
    assert [part.name for part in files.parts(path)] == [path.name, "a.raw"]
    (tmp_path / "a.raw").unlink()
    with pytest.raises(InputError, match=rf"a{suffix}: its voxels are in a\.raw, which is not there"):
        files.read_image(path)


def slicers(path: Path, layers: int) -> tuple[np.ndarray, np.ndarray]:
    """An image, and a segmentation as 3D Slicer stores it: cropped, segments that overlap in layers of their own."""
    image = volume(DIRECTIONS[2])
    sitk.WriteImage(image, path / "a.nrrd")
    liver, vessel = np.zeros((2, 5, 18, 17), np.uint8)
    liver[1:4, 3:9, 4:12], vessel[2:4, 5:15, 6:8] = 1, 1
    stored = [liver, vessel] if layers == 2 else [np.where(vessel, 2, liver)]
    voxels = np.stack(stored, axis=-1)[1:5, 2:16, 3:13].astype(np.uint8)
    cropped = sitk.GetImageFromArray(voxels if layers == 2 else voxels[..., 0], isVector=layers == 2)
    cropped.SetSpacing(image.GetSpacing())
    cropped.SetDirection(image.GetDirection())
    cropped.SetOrigin(image.TransformIndexToPhysicalPoint((3, 2, 1)))
    for number, name in enumerate(("Liver", "Portal vein")):
        cropped.SetMetaData(f"Segment{number}_Name", name)
        cropped.SetMetaData(f"Segment{number}_LabelValue", str(1 if layers == 2 else number + 1))
        cropped.SetMetaData(f"Segment{number}_Layer", str(number if layers == 2 else 0))
    sitk.WriteImage(cropped, path / "a.seg.nrrd")
    return liver.T.astype(bool), vessel.T.astype(bool)


@pytest.mark.parametrize("layers", [1, 2])
def test_segments_of_3d_slicer_are_laid_on_the_grid_of_their_image(layers: int, tmp_path: Path) -> None:
    liver, vessel = slicers(tmp_path, layers)
    image, path = files.read_image(tmp_path / "a.nrrd"), tmp_path / "a.seg.nrrd"
    np.testing.assert_array_equal(files.read_mask(path, ("Portal vein",), image).voxels[0], vessel)
    shown = liver if layers == 2 else liver & ~vessel
    np.testing.assert_array_equal(files.read_mask(path, ("Liver",), image).voxels[0], shown)
    if layers == 1:
        np.testing.assert_array_equal(files.read_label(path, image).voxels[0], np.where(vessel, 2, liver))
    with pytest.raises(InputError, match="no segment is called 'liver'; did you mean 'Liver'"):
        files.read_mask(path, ("liver",), image)


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
def test_a_series_lies_where_highdicom_puts_it(orientation: Sequence[float], tmp_path: Path) -> None:
    folder = series(tmp_path / "ct", orientation=orientation)
    image = files.read_image(folder)
    theirs = highdicom.get_volume_from_series([pydicom.dcmread(path) for path in folder.iterdir()])
    turned = np.diag([-1, -1, 1, 1]) @ theirs.affine
    indices = np.indices(theirs.spatial_shape).reshape(3, -1)
    at = np.rint(np.linalg.inv(image.affine) @ turned @ [*indices, np.ones(indices.shape[1])]).astype(int)[:3]
    np.testing.assert_array_equal(image.voxels[0][tuple(at)], theirs.array.ravel())
    np.testing.assert_array_equal(image.voxels[0], stored() * 2.0 - 1024)
    assert image.spacing == pytest.approx((0.5, 0.75, 2.5))
    assert files.axes(folder) == 3


def test_every_slice_has_its_own_slope(tmp_path: Path) -> None:
    def scale(number: int, dataset: "pydicom.Dataset") -> None:
        dataset.RescaleSlope = number + 0.5

    image = files.read_image(series(tmp_path, change=scale))
    np.testing.assert_allclose(image.voxels[0], stored() * (np.arange(SHAPE[2]) + 0.5) - 1024)


def test_low_values_that_are_shown_bright_are_turned_round(tmp_path: Path) -> None:
    def invert(number: int, dataset: "pydicom.Dataset") -> None:
        dataset.PhotometricInterpretation = "MONOCHROME1"

    folder = series(tmp_path / "x", change=invert)
    np.testing.assert_array_equal(files.read_image(folder).voxels[0], (4095 - stored().astype(float)) * 2 - 1024)
    picture = (folder / "IM0003").rename(tmp_path / "x.dcm")
    image = files.read_image(picture)
    np.testing.assert_array_equal(image.voxels[0], (4095 - stored()[:, :, 0].T.astype(float)) * 2 - 1024)
    assert (files.axes(picture), image.spacing) == (2, pytest.approx((0.75, 0.5)))


def at_one_place(number: int, dataset: "pydicom.Dataset") -> None:
    if number == 4:
        dataset.ImagePositionPatient = [float(step) for step in place(3)]


def tilted(number: int, dataset: "pydicom.Dataset") -> None:
    dataset.ImagePositionPatient = [float(step) for step in place(number) + np.array([0, 0.4 * number, 0])]


def nowhere(number: int, dataset: "pydicom.Dataset") -> None:
    if number == 2:
        del dataset.ImagePositionPatient


def of_another_size(number: int, dataset: "pydicom.Dataset") -> None:
    if number == 2:
        dataset.Rows, dataset.PixelData = 17, dataset.PixelData[: 2 * 17 * SHAPE[0]]


def with_half_a_file(folder: Path) -> None:
    """Of the last slice, whose absence leaves no gap."""
    path = series(folder) / f"IM{(5 * (SHAPE[2] - 1) + 3) % SHAPE[2]:04d}"
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: series(folder, change=of_another_size), ["(20, 17) pixels, but", "(20, 18)"]),
        (with_half_a_file, ["is DICOM, but no image of the series, and damaged"]),
        (lambda folder: series(folder, skipped=(3,)), ["5 mm apart, but most slices 2.5 mm", "a slice is missing"]),
        (lambda folder: series(folder, change=at_one_place), ["at the same place"]),
        (lambda folder: series(folder, change=tilted), ["shifted by 0.4 mm", "tilted gantry"]),
        (lambda folder: series(folder, change=nowhere), ["no place or orientation"]),
        (lambda folder: series(series(folder) / "../b", series_number=2), []),
        (lambda folder: (folder.mkdir(), (folder / "notes.txt").write_text("x")), ["no DICOM images"]),
        (lambda folder: series(folder, skipped=range(1, 8)), ["one slice"]),
    ],
)
def test_a_series_with_a_fault_is_refused(spoil: object, words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    spoil(folder)  # type: ignore[operator]
    if not words:  # a second series in the same folder
        for path in (tmp_path / "b").iterdir():
            path.rename(folder / f"b{path.name}")
        words = ["2 series (8 files as", "expected one series"]
    with pytest.raises(InputError) as caught:
        files.read_image(folder)
    assert all(word in str(caught.value) for word in [str(folder), *words]), str(caught.value)


def test_what_else_lies_in_the_folder_of_a_series_is_passed_over(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    segmentation(tmp_path / "seg.dcm", folder, {"Liver": LIVER}).rename(folder / "seg.dcm")
    structures(folder / "rs.dcm", {"Wall": [ellipse(2, (4.0, 5.0))]})
    (folder / "notes.txt").write_text("x")
    (folder / ".DS_Store").write_bytes(b"x")
    np.testing.assert_array_equal(files.read_image(folder).voxels[0], stored() * 2.0 - 1024)


def part(columns: slice, rows: slice, slices: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[columns, rows, slices] = True
    return mask


LIVER, SPLEEN = part(slice(2, 9), slice(3, 8), slice(2, 5)), part(slice(10, 14), slice(3, 8), slice(4, 7))
VESSEL = part(slice(4, 6), slice(4, 12), slice(3, 4))


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
def test_segments_are_laid_on_the_grid_of_their_image(orientation: Sequence[float], tmp_path: Path) -> None:
    folder = series(tmp_path / "ct", orientation=orientation)
    path = segmentation(tmp_path / "seg.dcm", folder, {"Liver": LIVER, "Spleen": SPLEEN})
    image = files.read_image(folder)
    np.testing.assert_array_equal(files.read_label(path, image).voxels[0], LIVER + 2 * SPLEEN)
    np.testing.assert_array_equal(files.read_mask(path, ("Spleen",), image).voxels[0], SPLEEN)
    assert files.axes(path) == 3


def test_a_segment_of_one_slice_is_laid_where_it_is(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    path = segmentation(tmp_path / "seg.dcm", folder, {"Vessel": VESSEL})
    np.testing.assert_array_equal(files.read_mask(path, ("Vessel",), files.read_image(folder)).voxels[0], VESSEL)


def test_overlapping_segments_need_an_order(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    path = segmentation(tmp_path / "seg.dcm", folder, {"Liver": LIVER, "Vessel": VESSEL})
    with pytest.raises(InputError, match="segment 2 overlaps another; name the segments in a layout"):
        files.read_label(path, files.read_image(folder))


def test_a_segmentation_of_another_series_is_refused(tmp_path: Path) -> None:
    def away(number: int, dataset: "pydicom.Dataset") -> None:
        dataset.ImagePositionPatient = [float(step) for step in place(number) + np.array([0.2, 0, 0])]

    path = segmentation(tmp_path / "seg.dcm", series(tmp_path / "ct"), {"Liver": LIVER})
    with pytest.raises(InputError, match="its voxels are not those of the image"):
        files.read_label(path, files.read_image(series(tmp_path / "other", change=away)))


def test_an_unknown_name_of_a_structure_names_the_nearest(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    path = segmentation(tmp_path / "seg.dcm", folder, {"Liver": LIVER})
    with pytest.raises(InputError, match="no structure is called 'liver'; did you mean 'Liver'"):
        files.read_mask(path, ("liver",), files.read_image(folder))


def ellipse(number: int, radii: tuple[float, float], orientation: Sequence[float] = AXIAL) -> np.ndarray:
    """Around the middle of a slice, in mm left, posterior, superior."""
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    centre = place(number, orientation) + 4.6 * across + 6.5 * down
    return centre + radii[0] * np.cos(angles)[:, None] * across + radii[1] * np.sin(angles)[:, None] * down


def inside(radii: tuple[float, float]) -> np.ndarray:
    columns, rows = np.indices(SHAPE[:2])
    return ((columns * 0.5 - 4.6) / radii[0]) ** 2 + ((rows * 0.75 - 6.5) / radii[1]) ** 2 < 1


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
def test_outlines_hold_the_voxels_whose_centres_they_enclose(orientation: Sequence[float], tmp_path: Path) -> None:
    image = files.read_image(series(tmp_path / "ct", orientation=orientation))
    rings = [ellipse(number, radii, orientation) for number in (2, 3) for radii in ((4.0, 5.1), (1.9, 2.2))]
    path = structures(tmp_path / "rs.dcm", {"Wall": rings, "Lumen": rings[1::2]})
    wall, lumen = (files.read_mask(path, (name,), image).voxels[0] for name in ("Wall", "Lumen"))
    for number in range(SHAPE[2]):
        drawn = number in (2, 3)
        np.testing.assert_array_equal(wall[:, :, number], drawn & inside((4.0, 5.1)) & ~inside((1.9, 2.2)))
        np.testing.assert_array_equal(lumen[:, :, number], drawn & inside((1.9, 2.2)))


def test_outlines_beyond_the_image_are_refused(tmp_path: Path) -> None:
    image = files.read_image(series(tmp_path / "ct"))
    path = structures(tmp_path / "rs.dcm", {"Wall": [ellipse(9, (4.0, 5.0))]})
    with pytest.raises(InputError, match="an outline at slice 9 of 8 lies in none"):
        files.read_mask(path, ("Wall",), image)
    with pytest.raises(InputError, match="outlines of structures, which have names and no values"):
        files.read_label(path, image)


LAYOUT = """
name = "Clinic"
channels = { CT = "{case}/CT" }
label = "{case}/*.dcm"
classes = { liver = ["Liver", "liver_1"], vessel = "Vessel" }
"""


def test_a_data_set_of_the_clinic_is_read_by_a_layout(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number, name in enumerate(("Liver", "liver_1")):
        scan = series(folder / f"p{number}/CT", seed=number)
        segmentation(folder / f"p{number}/seg.dcm", scan, {name: LIVER, "Vessel": VESSEL})
    (tmp_path / "mine.toml").write_text(LAYOUT)
    dataset = open_dataset(folder, read_options(layout=tmp_path / "mine.toml"))
    label = dataset.load(dataset.cases[1]).label
    assert (dataset.axes, dataset.classes) == (3, ("background", "liver", "vessel"))
    np.testing.assert_array_equal(label, np.where(VESSEL, 2, LIVER))
    assert check(dataset).orientations == {"LPS": 2}


def test_a_library_that_is_not_installed_is_named_with_its_extra(tmp_path: Path) -> None:
    nrrd(tmp_path / "a.nrrd", "")
    (tmp_path / "ct").mkdir()
    code = (
        "import sys; sys.modules['SimpleITK'] = None\n"
        "from pathlib import Path; from nas.data import files; from nas.errors import InputError\n"
        "for path in sys.argv[1:]:\n"
        "    try: files.read_image(Path(path))\n"
        "    except InputError as error: print(error)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "a.nrrd"), str(tmp_path / "ct")]
    printed = subprocess.run(arguments, capture_output=True, text=True, env=os.environ, check=True).stdout
    assert printed.splitlines() == [
        f"{tmp_path}/a.nrrd: needs SimpleITK; install it: pip install 'nas[itk]'",
        f"{tmp_path}/ct: needs SimpleITK; install it: pip install 'nas[dicom]'",
    ]
