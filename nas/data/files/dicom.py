"""DICOM: series through SimpleITK, segmentations (SEG) and structure sets (RTSTRUCT) through highdicom and pydicom.

`pip install 'nas[dicom]'`. A folder is a volume, of the one series of images in it; a file is a picture, or a label.
Values are scaled as each slice says, and turned round where it says that low ones are shown bright (MONOCHROME1). A
series is refused where slices are missing, occur twice or are tilted, which a stack of them would hide. Labels are laid
on the grid of their image.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.contours import Contour, filled_contours
from nas.data.extras import needed
from nas.data.files import FOLDER, StoredImage
from nas.data.files.itk import TURNED, executed, informed, stored_image
from nas.data.laying import laid_on, to_voxels
from nas.data.memory import expect_memory
from nas.errors import InputError, did_you_mean

SUFFIXES = (".dcm", ".dicom", FOLDER)

UNEVEN = 0.02
"""Share of the distance of slices by which one may differ from the others: positions are often rounded."""
TILTED = 0.1
"""Of a pixel, the sideways shift from one slice to the next beyond which slices do not stand above each other."""
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
NO_IMAGES = {"SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "REG", "DOC"}
MODALITY, POSITION, ORIENTATION, FRAMES = "0008|0060", "0020|0032", "0020|0037", "0028|0008"
SPACINGS = ("0028|0030", "0018|1164")  # of pixels, or of an X-ray's detector


def axes(path: Path) -> int:
    """3 for a folder and for what labels one, 2 for a picture."""
    return 3 if path.is_dir() or _modality(path) in ("SEG", "RTSTRUCT") else 2


def read_image(path: Path) -> StoredImage:
    """The intensities, scaled as the file says, with spacing and, of a volume, the affine."""
    return _volume(path) if path.is_dir() else _picture(path)


def read_label(path: Path) -> StoredImage:
    """The values of a label that is stored as images are; what segments need is in `read_label_on`."""
    return read_image(path)


def read_label_on(path: Path, image: StoredImage) -> StoredImage:
    """The numbers of the segments on the image's grid, or the values of a label that is stored as images are.

    Raises:
        InputError: segments overlap, or the file is a structure set, whose structures have no meaningful numbers.
    """
    modality = "" if path.is_dir() else _modality(path)
    if modality == "RTSTRUCT":
        raise InputError(
            f"{path}: outlines of structures, which have names and no values; name them in a layout, as "
            'classes = {liver = "Liver"}'
        )
    if modality != "SEG":
        return read_label(path)
    segmentation = _segmentation(path)
    numbers = np.zeros((1, *image.shape), np.int32)
    for number in segmentation.segment_numbers:
        inside = _segment(path, segmentation, [number], image)
        if numbers[0][inside].any():
            raise InputError(
                f"{path}: segment {number} overlaps another; name the segments in a layout, as "
                'classes = {liver = "Liver"}, in the order in which they are painted'
            )
        numbers[0][inside] = number
    return _like(image, numbers)


def read_structure(path: Path, names: tuple[str, ...], image: StoredImage) -> StoredImage:
    """Where the segment or structure of one of these names is, booleans (1, *spatial) on the image's grid."""
    inside = _named_segment(path, names, image) if _modality(path) == "SEG" else _outlined(path, names, image)
    return _like(image, inside[None])


def parts(path: Path) -> tuple[Path, ...]:
    """The file, or all files in the folder."""
    return tuple(sorted(file for file in path.iterdir() if file.is_file())) if path.is_dir() else (path,)


def grid(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The spatial shape and the spacing, from the headers of the first slices."""
    itk = _itk(path)
    if not path.is_dir():
        reader = _information(itk, path)
        return tuple(reader.GetSize()[1::-1]), tuple(reader.GetSpacing()[1::-1])
    slices = series(path)
    first, second = (_information(itk, file) for file in slices[:2])
    distance = np.linalg.norm(np.subtract(first.GetOrigin(), second.GetOrigin()))
    return (*first.GetSize()[:2], len(slices)), (*first.GetSpacing()[:2], float(distance))


def series(folder: Path) -> tuple[Path, ...]:
    """The files of the one series of images in a folder, in the order of their places.

    Raises:
        InputError: there is none, or there are several.
    """
    return tuple(map(Path, _series(_itk(folder), folder)))


def is_series(folder: Path) -> bool:
    """Whether there is a DICOM file in a folder itself."""
    try:
        return any(_is_dicom(path) for path in parts(folder) if not path.name.startswith("."))
    except OSError:
        return False


def _like(image: StoredImage, voxels: npt.NDArray[Any]) -> StoredImage:
    return StoredImage(voxels, image.spacing, image.affine, measured=image.measured, oriented=image.oriented)


def _itk(path: Path) -> Any:
    itk = needed("SimpleITK", "dicom", path)
    itk.ProcessObject.SetGlobalWarningDisplay(False)  # it writes to the screen by itself
    return itk


def _picture(path: Path) -> StoredImage:
    reader = _information(_itk(path), path)
    if int(_tag(reader, FRAMES) or 1) > 1:
        raise InputError(f"{path}: several frames in one file; convert it to a series or to NIfTI, as dcm2niix does")
    expect_memory(path, reader.GetSize())
    image = executed(reader)
    if image.GetDimension() == 3:
        image = image[:, :, 0]
    measured = any(_tag(reader, name) for name in SPACINGS)
    return stored_image(image, 2, 1.0, measured=measured, oriented=False)


def _volume(folder: Path) -> StoredImage:
    itk = _itk(folder)
    files = _series(itk, folder)
    slices = [_information(itk, Path(file)) for file in files]
    for problem in chain(_lost(folder, files), _stack_problems(folder, files, slices)):
        raise InputError(problem)
    expect_memory(folder, (*slices[0].GetSize()[:2], len(files)))
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.SetOutputPixelType(itk.sitkFloat32)  # else the first slice's slope decides whether the others are rounded
    return stored_image(executed(reader), 3, 1.0, measured=True, oriented=True)


def _information(itk: Any, path: Path) -> Any:
    """A reader that has read all but the pixels."""
    reader = itk.ImageFileReader()
    reader.SetFileName(str(path))
    informed(reader)
    return reader


def _series(itk: Any, folder: Path) -> tuple[str, ...]:
    """The files of the one series of images in the folder, in the order of their places."""
    reader = itk.ImageSeriesReader
    series = [reader.GetGDCMSeriesFileNames(str(folder), name) for name in reader.GetGDCMSeriesIDs(str(folder))]
    images = [files for files in series if _modality(Path(files[0])) not in NO_IMAGES]
    if len(images) != 1:
        sizes = ", ".join(f"{len(files)} files as {Path(files[0]).name}" for files in images)
        content = f"{len(images)} series ({sizes})" if images else "no DICOM images"
        raise InputError(f"{folder}: {content}; expected one series of images in a folder of its own")
    (files,) = images
    if len(files) < 2:
        raise InputError(f"{folder}: one slice; expected the series of a volume, or give the file as a picture")
    return tuple(files)


def _lost(folder: Path, files: Sequence[str]) -> Iterator[str]:
    """DICOM files that are in no series, because they are damaged: GDCM passes them over."""
    taken = {Path(file).name for file in files}
    for path in parts(folder):
        if path.name not in taken and not path.name.startswith(".") and _is_dicom(path) and not _is_no_image(path):
            yield f"{path}: is DICOM, but no image of the series, and damaged; copy or export it again, or move it"


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _is_no_image(path: Path) -> bool:
    try:
        dataset = _dataset(path, voxels=False)
    except Exception:  # what pydicom raises on a damaged file is of a dozen kinds
        return False
    return str(dataset.get("Modality", "")) in NO_IMAGES or "DirectoryRecordSequence" in dataset


def _stack_problems(folder: Path, files: Sequence[str], slices: Sequence[Any]) -> Iterator[str]:
    """Why slices do not stand above each other at even distances."""
    names = [Path(file).name for file in files]
    for name, piece in zip(names, slices, strict=True):
        if not _tag(piece, POSITION) or not _tag(piece, ORIENTATION):
            yield f"{folder / name}: no place or orientation in the patient; expected both in every slice of a volume"
    for name, piece in zip(names, slices, strict=True):
        if piece.GetSize()[:2] != slices[0].GetSize()[:2]:
            yield f"{folder / name}: {piece.GetSize()[:2]} pixels, but {names[0]} has {slices[0].GetSize()[:2]}"
    turns = np.array([_numbers(piece, ORIENTATION) for piece in slices])
    if np.abs(turns - turns[0]).max() > 1e-3:
        apart = names[int(np.abs(turns - turns[0]).max(axis=1).argmax())]
        yield f"{folder / apart}: lies in another plane than {names[0]}; expected slices that are parallel"
    places = np.array([_numbers(piece, POSITION) for piece in slices])
    normal = np.cross(turns[0][:3], turns[0][3:])
    steps = np.diff(places, axis=0)
    distances = steps @ normal
    usual = float(np.median(distances))
    for index, distance in enumerate(distances):
        pair = f"{folder}: {names[index]} and {names[index + 1]}"
        if abs(distance) < 1e-3:
            yield f"{pair} lie at the same place; expected one slice for each, so give each time or echo its own folder"
        elif abs(distance - usual) > UNEVEN * usual:
            yield (
                f"{pair} are {distance:.4g} mm apart, but most slices {usual:.4g} mm; a slice is missing or they are "
                "uneven: add it, or resample the series"
            )
    pixel = min(_numbers(slices[0], SPACINGS[0]) or [1.0])
    sideways = float(np.linalg.norm(steps - np.outer(distances, normal), axis=1).max())
    if sideways > TILTED * pixel:
        yield f"{folder}: each slice is shifted by {sideways:.4g} mm, as by a tilted gantry; resample it upright"


def _tag(tags: Any, name: str) -> str | None:
    return tags.GetMetaData(name).strip() or None if tags.HasMetaDataKey(name) else None


def _numbers(tags: Any, name: str) -> list[float]:
    return [float(part) for part in (_tag(tags, name) or "").split("\\") if part]


def _dataset(path: Path, voxels: bool = True) -> Any:
    return needed("pydicom", "dicom", path).dcmread(path, stop_before_pixels=not voxels)


def _modality(path: Path) -> str:
    return str(_dataset(path, voxels=False).get("Modality", ""))


def _segmentation(path: Path) -> Any:
    needed("highdicom", "dicom", path)
    from highdicom.seg import segread

    return segread(path)


def _named_segment(path: Path, names: tuple[str, ...], image: StoredImage) -> npt.NDArray[np.bool_]:
    segmentation = _segmentation(path)
    descriptions = ((number, segmentation.get_segment_description(number)) for number in segmentation.segment_numbers)
    known = {number: str(description.segment_label) for number, description in descriptions}
    numbers = [number for number, name in known.items() if name in names]
    if not numbers:
        raise _no_structure(path, names, list(known.values()))
    return _segment(path, segmentation, numbers, image)


def _segment(path: Path, segmentation: Any, numbers: Sequence[int], image: StoredImage) -> npt.NDArray[np.bool_]:
    """Where any of the segments is, on the image's grid."""
    volume = segmentation.get_volume(segment_numbers=numbers, rescale_fractional=True)
    inside = np.asarray((np.asarray(volume.array) >= 0.5).any(axis=-1))
    return laid_on(path, inside, TURNED @ volume.affine, image)


def _outlined(path: Path, names: tuple[str, ...], image: StoredImage) -> npt.NDArray[np.bool_]:
    """The inside of a structure's outlines, on the image's grid."""
    placed = to_voxels(path, image) @ TURNED
    dataset = _dataset(path)
    structures = dataset.get("StructureSetROISequence", ())
    known = {int(structure.ROINumber): str(structure.ROIName) for structure in structures}
    numbers = [number for number, name in known.items() if name in names]
    if not numbers:
        raise _no_structure(path, names, list(known.values()))
    contours = [
        Contour(np.reshape(np.array(outline.ContourData, float), (-1, 3)) @ placed[:3, :3].T + placed[:3, 3])
        for structure in dataset.get("ROIContourSequence", ())
        if int(structure.ReferencedROINumber) in numbers
        for outline in structure.get("ContourSequence", ())
        if str(outline.get("ContourGeometricType", "")) in CLOSED
    ]
    return filled_contours(str(path), contours, image.shape)


def _no_structure(path: Path, names: tuple[str, ...], known: list[str]) -> InputError:
    return InputError(f"{path}: no structure is called {names[0]!r}; {did_you_mean(names[0], known)}")
