"""What a file says of its pixels and of space holds as in a viewer, or is refused: the tables of docs/data.md."""

import gzip
import json
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from nas.data import files
from nas.data.files import read_image, read_label
from nas.data.parallel import each
from nas.data.units import is_no_length, millimetres
from nas.errors import InputError

GREY = (np.arange(20 * 18) % 200).astype(np.uint8).reshape(20, 18)
RGB = np.stack([GREY, GREY + 20, GREY + 40], axis=-1)
PAGES = np.stack([GREY] * 5)
CLASSES = (GREY // 100).astype(np.uint8)
OPAQUE, CLEAR = np.full((20, 18, 1), 255, np.uint8), np.full((20, 18, 1), 7, np.uint8)
WIDE = (np.arange(20 * 18 * 3, dtype=np.uint16) * 60).reshape(20, 18, 3)
BLUES = np.array([range(0, 65536, 256), [0] * 256, [514] * 256], np.uint16)
"""A palette of TIFF, 16 bits a channel."""

Write = Callable[[Path], Path]


def png(pixels: np.ndarray, **options: Any) -> Write:
    def write(folder: Path) -> Path:
        Image.fromarray(pixels).save(folder / "a.png", **options)
        return folder / "a.png"

    return write


def mode(name: str, kind: str = "png", pixels: np.ndarray = GREY) -> Write:
    def write(folder: Path) -> Path:
        Image.fromarray(pixels).convert(name).save(folder / f"a.{kind}")
        return folder / f"a.{kind}"

    return write


def with_palette(indices: np.ndarray, *colours: tuple[int, int, int]) -> Write:
    def write(folder: Path) -> Path:
        picture = Image.fromarray(indices)
        picture.putpalette([part for colour in colours for part in colour])
        picture.save(folder / "a.png")
        return folder / "a.png"

    return write


def wide_png(folder: Path) -> Path:
    (folder / "a.png").write_bytes(imagecodecs.png_encode(WIDE))
    return folder / "a.png"


def tiff(pixels: np.ndarray, **options: Any) -> Write:
    def write(folder: Path) -> Path:
        tifffile.imwrite(folder / "a.tif", pixels, **({"photometric": "minisblack"} | options))
        return folder / "a.tif"

    return write


def renamed(write: Write, name: str) -> Write:
    return lambda folder: write(folder).rename(folder / name)


def channels(pixels: np.ndarray) -> np.ndarray:
    return np.moveaxis(pixels, -1, 0)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        pytest.param(png(GREY), GREY[None], id="grey"),
        pytest.param(png(WIDE[..., 0]), WIDE[None, ..., 0], id="grey of 16 bits"),
        pytest.param(png(RGB), channels(RGB), id="colours"),
        pytest.param(wide_png, channels(WIDE), id="colours of 16 bits"),
        pytest.param(png(np.dstack([RGB, OPAQUE])), channels(RGB), id="opaque alpha"),
        pytest.param(mode("LA"), GREY[None], id="grey with opaque alpha"),
        pytest.param(
            with_palette(CLASSES, (9, 8, 7), (1, 2, 3)),
            channels(np.array([(9, 8, 7), (1, 2, 3)])[CLASSES]),
            id="a palette is its colours",
        ),
        pytest.param(tiff(GREY, photometric="miniswhite"), 255 - GREY[None], id="white is zero"),
        pytest.param(
            tiff(WIDE[..., 0], photometric="miniswhite"), 65535 - WIDE[None, ..., 0], id="16 bits, white is zero"
        ),
        pytest.param(tiff(GREY / np.float32(8)), GREY[None] / 8, id="float"),
        pytest.param(tiff(channels(RGB), photometric="rgb", planarconfig="separate"), channels(RGB), id="planes"),
        pytest.param(
            tiff(np.dstack([RGB, OPAQUE]), photometric="rgb", extrasamples=["assocalpha"]),
            channels(RGB),
            id="TIFF, alpha",
        ),
        pytest.param(
            tiff(GREY, photometric="palette", colormap=BLUES),
            np.stack([GREY, 0 * GREY, 0 * GREY + 2]),
            id="a palette of TIFF is its colours",
        ),
        pytest.param(tiff(GREY, compression="zlib", predictor=True), GREY[None], id="compressed"),
    ],
)
def test_an_image_is_what_a_viewer_shows(write: Write, expected: np.ndarray, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(write(tmp_path)).voxels, expected)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        pytest.param(png(CLASSES), CLASSES, id="grey"),
        pytest.param(png(CLASSES.astype(bool)), CLASSES > 0, id="1 bit"),
        pytest.param(png(np.stack([CLASSES] * 3, axis=-1)), CLASSES, id="grey stored in colours"),
        pytest.param(png(np.dstack([CLASSES] * 3 + [OPAQUE])), CLASSES, id="and with opaque alpha"),
        pytest.param(with_palette(CLASSES, (0, 0, 0), (255, 0, 0)), CLASSES, id="the indices of a palette"),
        pytest.param(tiff(CLASSES == 0, photometric="miniswhite"), CLASSES > 0, id="1 bit, white is zero"),
        pytest.param(tiff(CLASSES.astype(np.uint16)), CLASSES, id="16 bits"),
        pytest.param(tiff(CLASSES.astype(np.float32)), CLASSES, id="float"),
        pytest.param(tiff(CLASSES, photometric="palette", colormap=BLUES), CLASSES, id="the indices of TIFF's palette"),
    ],
)
def test_a_label_is_the_values_of_its_classes(write: Write, expected: np.ndarray, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_label(write(tmp_path)).voxels, expected[None])


@pytest.mark.parametrize(
    ("write", "read", "message"),
    [
        (png(np.dstack([RGB, CLEAR])), read_image, "transparent"),
        (tiff(np.dstack([RGB, CLEAR]), photometric="rgb", extrasamples=["unassalpha"]), read_image, "transparent"),
        (mode("CMYK", "jpg"), read_image, "colours of the kind CMYK"),
        (tiff(np.dstack([RGB, CLEAR]), photometric="separated"), read_image, "photometric interpretation is SEPARATED"),
        (tiff(RGB, photometric="cielab"), read_image, "photometric interpretation is CIELAB"),
        (tiff(GREY / np.float32(8), photometric="miniswhite"), read_image, "MINISWHITE"),
        (png(RGB), read_label, "channels: found 3, a label in colours"),
        (tiff(RGB, photometric="rgb"), read_label, "channels: found 3, a label in colours"),
        (mode("L", "jpg"), read_label, "lossy"),
        (renamed(mode("L", "jpg"), "b.png"), read_label, "lossy"),
        (renamed(tiff(GREY), "b.png"), read_image, "is a TIFF by its content"),
        (tiff(np.stack([PAGES] * 3), metadata={"axes": "TZYX"}), read_image, "axes TZYX"),
    ],
)
def test_what_no_two_viewers_show_alike_is_refused(
    write: Write, read: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif", "jpg"])
def test_a_picture_is_turned_as_it_says(kind: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    if kind == "tif":
        tag = (274, 3, 1, orientation, True)
        tifffile.imwrite(path, GREY, photometric="minisblack", extratags=[tag], resolution=(5, 4), resolutionunit=3)
    else:
        Image.fromarray(GREY).save(path, exif=exif)
    stored = read_image(path)
    np.testing.assert_array_equal(stored.voxels[0], shown_by_pillow(tmp_path / "a.png" if kind == "tif" else path))
    if kind == "tif":
        assert stored.spacing == pytest.approx((2.5, 2) if orientation < 5 else (2, 2.5))


def shown_by_pillow(path: Path) -> np.ndarray:
    from PIL import ImageOps

    return np.asarray(ImageOps.exif_transpose(Image.open(path)))


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        (("mm", "MM", "millimeter", "millimetres", "Millimeters"), 1),
        (("um", "µm", "μm", "\\u00B5m", "\\u00b5M", "micron", "microns", "micrometer", "Micrometres"), 1e-3),
        (("nm", "nanometers"), 1e-6),
        (("cm", "centimetre"), 10),
        (("m", "meter"), 1000),
        (("inch", "inches", "in", '"'), 25.4),
        (("Å", "angstrom"), 1e-7),
        (("furlong", "sec", "pixel", ""), None),
    ],
)
def test_units_in_all_their_spellings(units: tuple[str, ...], factor: float | None) -> None:
    assert [millimetres(unit) for unit in units] == [factor] * len(units)


def test_no_unit_is_not_an_unknown_unit() -> None:
    assert all(is_no_length(unit) for unit in ("", "pixel", "Pixels", "px", "reference frame"))
    assert not is_no_length("furlong")


def imagej(unit: str) -> Write:
    return tiff(PAGES, imagej=True, resolution=(2, 4), metadata={"axes": "ZYX", "spacing": 3, "unit": unit})


def ome(unit: str, **sizes: float) -> Write:
    sizes = sizes or {"X": 0.5, "Y": 0.25, "Z": 3}
    about = {f"PhysicalSize{axis}": size for axis, size in sizes.items()}
    units = {f"PhysicalSize{axis}Unit": unit for axis in sizes} if unit else {}
    return tiff(PAGES, ome=True, metadata={"axes": "ZYX"} | about | units)


def beside(write: Write, spacing: Any) -> Write:
    def both(folder: Path) -> Path:
        (folder / "a.json").write_text(json.dumps({"spacing": spacing}))
        path = write(folder)
        return path.rename(path.with_name(f"a_0000{path.suffix}"))

    return both


@pytest.mark.parametrize(
    ("write", "spacing", "note"),
    [
        (png(GREY, dpi=(254, 127)), (0.2, 0.1), None),
        (png(GREY, dpi=(300, 300)), None, None),
        (png(GREY), None, None),
        (mode("L", "jpg"), None, None),
        (tiff(GREY, resolution=(25, 50), resolutionunit="CENTIMETER"), (0.2, 0.4), None),
        (tiff(GREY, resolution=(254, 254), resolutionunit="INCH"), (0.1, 0.1), None),
        (tiff(GREY, resolution=(25, 50), resolutionunit="NONE"), None, None),
        (tiff(GREY, resolution=(72, 72), resolutionunit="INCH"), None, None),
        (tiff(PAGES, resolution=(25, 50), resolutionunit="CENTIMETER"), None, "not that of its pages"),
        (imagej("mm"), (3, 0.25, 0.5), None),
        (imagej("\\u00B5m"), (3e-3, 0.25e-3, 0.5e-3), None),
        (imagej("inch"), (76.2, 6.35, 12.7), None),
        (imagej("pixel"), None, None),
        (imagej("furlong"), None, "unit of the spacing is not known"),
        (ome(""), (3e-3, 0.25e-3, 0.5e-3), None),
        (ome("nm"), (3e-6, 0.25e-6, 0.5e-6), None),
        (ome("mm"), (3, 0.25, 0.5), None),
        (ome("pixel"), None, None),
        (ome("mm", X=0.5, Y=0.25), None, "not that of its pages"),
        (beside(tiff(PAGES), [8.0, 0.4, 0.5]), (8, 0.4, 0.5), None),
        (beside(imagej("mm"), [8.0, 0.4, 0.5]), (8, 0.4, 0.5), "differs from that in the file itself"),
        (beside(imagej("mm"), [3.0, 0.2501, 0.5]), (3, 0.2501, 0.5), None),
        (beside(png(GREY), [0.4, 0.5]), (0.4, 0.5), None),
        (beside(png(GREY), [999, 0.4, 0.5]), (0.4, 0.5), None),
    ],
)
def test_the_spacing_that_files_tell(
    write: Write, spacing: tuple[float, ...] | None, note: str | None, tmp_path: Path
) -> None:
    stored = read_image(write(tmp_path))
    assert stored.measured is (spacing is not None)
    assert stored.spacing == pytest.approx(spacing or (1.0,) * len(stored.shape))
    assert [note in found.text for found in stored.notes if note] == [True] * bool(note)
    assert bool(stored.notes) is bool(note)


@pytest.mark.parametrize("spacing", [[1, 1], "1", [1, 1, 0], [1, 1, "1"], [1, 1, True], None])
def test_a_spacing_beside_a_file_that_is_none_is_refused(spacing: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.json: field 'spacing': found .*; expected 3 numbers above 0"):
        read_image(beside(tiff(PAGES), spacing)(tmp_path))


def test_a_json_of_another_program_is_nothing_to_us(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"shapes": []}')
    assert not read_image(tiff(PAGES)(tmp_path)).measured


BOX = np.arange(18 * 17 * 6, dtype=np.int16).reshape(18, 17, 6)
REAL = np.diag([0.5, 0.6, 4, 1])
NAN = np.full((4, 4), np.nan)


def nifti(path: Path, voxels: np.ndarray = BOX, **header: Any) -> Path:
    """A file whose header is then set: pixdim, sform and qform with their codes, xyzt_units."""
    image = nibabel.Nifti1Image(voxels, REAL)
    nibabel.save(image, path)
    content = bytearray(gzip.decompress(path.read_bytes()))
    if "pixdim" in header:
        struct.pack_into("<3f", content, 80, *header["pixdim"])
    if "sform" in header:
        struct.pack_into("<12f", content, 280, *np.asarray(header["sform"])[:3].ravel())
    struct.pack_into("<hh", content, 252, header.get("qform_code", 0), header.get("sform_code", 2))
    content[123] = header.get("xyzt_units", 2)
    path.write_bytes(gzip.compress(bytes(content)))
    return path


@pytest.mark.parametrize(
    ("header", "spacing", "words"),
    [
        ({}, (0.5, 0.6, 4), ""),
        ({"pixdim": (0.5, 0.6, 4.02)}, (0.5, 0.6, 4.02), ""),
        ({"pixdim": (1, 1, 1)}, (0.5, 0.6, 4), "pixdim"),
        ({"pixdim": (0, 0, 0)}, (0.5, 0.6, 4), "pixdim"),
        ({"pixdim": (np.nan, 0.6, 4)}, (0.5, 0.6, 4), "pixdim"),
        ({"pixdim": (0.5, 0.6, 1)}, (0.5, 0.6, 4), "pixdim"),
        ({"pixdim": (1.3, 1.4, 10), "sform": np.diag([-1, -1, 1, 1])}, (1.3, 1.4, 10), "pixdim"),
        ({"pixdim": (0.7, 0.6, 4)}, (0.5, 0.6, 4), "pixdim"),
        ({"sform": NAN, "qform_code": 1}, (0.5, 0.6, 4), "sform"),
        ({"sform": np.zeros((4, 4)), "qform_code": 1}, (0.5, 0.6, 4), "sform"),
        ({"sform": NAN, "sform_code": 0, "qform_code": 1}, (0.5, 0.6, 4), ""),
        ({"xyzt_units": 1}, (500, 600, 4000), ""),
        ({"xyzt_units": 3}, (0.5e-3, 0.6e-3, 4e-3), ""),
        ({"xyzt_units": 3 + 8}, (0.5e-3, 0.6e-3, 4e-3), ""),
        ({"xyzt_units": 0}, (0.5, 0.6, 4), ""),
    ],
)
def test_the_spacing_of_nifti(header: dict[str, Any], spacing: tuple[float, ...], words: str, tmp_path: Path) -> None:
    stored = read_image(nifti(tmp_path / "a.nii.gz", **header))
    assert stored.spacing == pytest.approx(spacing, rel=1e-5)
    np.testing.assert_allclose(np.linalg.norm(stored.affine[:3, :3], axis=0), spacing, rtol=0.01)
    assert [words in note.text for note in stored.notes] == [True] * bool(words)
    assert stored.oriented


def test_without_sform_and_qform_the_orientation_is_unknown(tmp_path: Path) -> None:
    assert not read_image(nifti(tmp_path / "a.nii.gz", sform_code=0)).oriented


def test_an_affine_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its sform is no affine"):
        read_image(nifti(tmp_path / "a.nii.gz", sform=NAN))


COLOURS = np.zeros((18, 17, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("voxels", "shape", "axes"),
    [
        (BOX[:, :, 0], (1, 18, 17), 2),
        (BOX[:, :, :1], (1, 18, 17, 1), 2),
        (BOX, (1, 18, 17, 6), 3),
        (BOX[..., None], (1, 18, 17, 6), 3),
        (BOX[..., None, None], (1, 18, 17, 6), 3),
        (np.stack([BOX, BOX], axis=-1), (2, 18, 17, 6), 3),
        (np.stack([BOX, BOX], axis=-1)[:, :, :, None], (2, 18, 17, 6), 3),
        (COLOURS, (3, 18, 17, 6), 3),
    ],
)
def test_the_axes_of_nifti(voxels: np.ndarray, shape: tuple[int, ...], axes: int, tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels, REAL), path)
    assert read_image(path).voxels.shape == shape
    assert files.axes(path) == axes


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(("suffix", "other"), [(".nii", ".nii.gz"), (".nii.gz", ".nii")])
def test_a_name_that_says_something_else_of_compression(suffix: str, other: str, kind: Any, tmp_path: Path) -> None:
    nibabel.save(kind(BOX, REAL), tmp_path / f"a{suffix}")
    path = (tmp_path / f"a{suffix}").rename(tmp_path / f"a{other}")
    stored = read_image(path)
    np.testing.assert_array_equal(stored.voxels[0], BOX)
    assert stored.spacing == pytest.approx((0.5, 0.6, 4))


def test_scaled_voxels_are_what_nibabel_makes_of_them(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(BOX, REAL)
    image.header.set_slope_inter(0.3, -1024)
    nibabel.save(image, tmp_path / "a.nii.gz")
    expected = nibabel.load(tmp_path / "a.nii.gz").get_fdata().astype(np.float32)
    np.testing.assert_array_equal(read_image(tmp_path / "a.nii.gz").voxels[0], expected)


def test_a_pointer_of_git_lfs_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(InputError, match="a pointer of Git LFS"):
        read_image(tmp_path / "a.nii.gz")


def test_threads_that_read_at_once_leave_warnings_as_they_were(tmp_path: Path) -> None:
    path = png(GREY)(tmp_path)
    before = list(warnings.filters)
    for _ in each(read_image, [path] * 200, 1, threads=4):
        pass
    assert list(warnings.filters) == before
