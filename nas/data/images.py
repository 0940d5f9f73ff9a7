"""An image from its files: one that holds all channels, or a file for each; labelled or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nas.data import files
from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.notes import Note
from nas.data.problems import refuse
from nas.data.spacings import differ, in_words
from nas.errors import InputError

SMALLEST = 16  # voxels along two axes at least, or no network can halve the image often enough
TOLERANCE = 0.1
"""Of a voxel: how far the places of voxels in two files may lie apart. Rounding in headers comes to a hundredth."""


@dataclass(frozen=True, eq=False)
class Image:
    """An image on its own grid: float32 voxels as stored, (channels, *spatial), all finite, and where they lie.

    notes: what was decided in reading it and a person should know.
    """

    voxels: npt.NDArray[np.float32]
    geometry: Geometry
    notes: tuple[Note, ...] = ()


def read_image(paths: Sequence[Path], axes: int, channels: Sequence[str]) -> Image:
    """An image of so many axes and of these channels, from one file or from a file for each channel, in their order.

    Raises:
        InputError: a file cannot be read, or they are not one such image; a line for each thing that is wrong.
    """
    try:
        stored = read_files(paths, axes)
        refuse(image_problems(stored, axes, channels))
        return joined(stored)
    except MemoryError as error:
        raise InputError(
            f"{paths[0]}: does not fit in memory; crop or resample it, or use a machine with more memory, or fewer "
            "processes at a time"
        ) from error


def read_files(paths: Sequence[Path], axes: int) -> dict[Path, StoredImage]:
    """What the files hold; volumes of one slice as pictures where the data set is of pictures."""
    stored = {path: files.read_image(path) for path in paths}
    return {path: files.as_slice(image) if axes == 2 else image for path, image in stored.items()}


def joined(stored: dict[Path, StoredImage]) -> Image:
    """The image that the files hold together."""
    images = list(stored.values())
    voxels = images[0].voxels if len(images) == 1 else np.concatenate([image.voxels for image in images])
    notes = [note for image in images for note in image.notes]
    notes += [note for image in images[1:] for note in spacing_notes(images[0], image, "another channel's")]
    return Image(np.ascontiguousarray(voxels), geometry_of(images), tuple(dict.fromkeys(notes)))


def spacing_notes(first: StoredImage, other: StoredImage, whose: str) -> Iterator[Note]:
    """A word where two files of one case, which have no affines, give different spacings."""
    known = first.measured and other.measured and first.affine is None and len(first.spacing) == len(other.spacing)
    if known and differ(first.spacing, other.spacing):
        yield Note(
            f"the spacing differs from {whose}: the image's is taken",
            f"{in_words(first.spacing)} and {in_words(other.spacing)} mm",
        )


def geometry_of(images: Sequence[StoredImage]) -> Geometry:
    """That of the first file which tells the spacing."""
    return next((image for image in images if image.measured), images[0]).geometry


def image_problems(stored: dict[Path, StoredImage], axes: int, channels: Sequence[str]) -> Iterator[str]:
    """Why files are not one image of so many axes and of these channels, a line each."""
    yield from _channel_problems(stored, channels)
    first_path, first = next(iter(stored.items()))
    for path, image in stored.items():
        yield from _axes_problems(path, image, axes)
        yield from grid_problems(first_path, first, path, image)
        yield from _intensity_problems(path, image)


def grid_problems(first_path: Path, first: StoredImage, path: Path, image: StoredImage) -> Iterator[str]:
    """Why the voxels of two files are not at the same places, a line each."""
    if image.shape != first.shape:
        yield f"{path}: shape {image.shape}, but {first_path} has {first.shape}; resample one onto the other"
    if image is first or image.affine is None or first.affine is None or image.shape != first.shape:
        return
    apart = _apart(first, image)
    if not apart <= TOLERANCE:  # also where it is not a number
        difference = float(np.abs(image.affine - first.affine).max())
        yield (
            f"{path}: its affine differs from that of {first_path} by {difference:.4g}, and places voxels "
            f"{apart:.3g} voxels away; expected at most {TOLERANCE:g}, so resample one onto the other or correct "
            "the header"
        )


def _apart(first: StoredImage, second: StoredImage) -> float:
    """The largest distance between the places of a voxel in the two, in voxels of the first; at a corner."""
    assert first.affine is not None
    assert second.affine is not None
    ends = [(0, size - 1) for size in first.shape] + [(0,)] * (3 - len(first.shape))
    corners = np.array([(*corner, 1) for corner in product(*ends)]).T
    with np.errstate(all="ignore"):
        moved = np.linalg.pinv(first.affine) @ second.affine @ corners if np.isfinite(first.affine).all() else np.nan
        return float(np.abs(moved - corners)[:3].max())


def _channel_problems(stored: dict[Path, StoredImage], channels: Sequence[str]) -> Iterator[str]:
    count = sum(len(image.voxels) for image in stored.values())
    if count != len(channels):
        named = ", ".join(channels)
        yield f"{next(iter(stored))}: channels: found {count}; expected the {len(channels)} declared ({named})"


def _axes_problems(path: Path, image: StoredImage, axes: int) -> Iterator[str]:
    if len(image.shape) != axes:
        yield f"{path}: {len(image.shape)}D, but the first case is {axes}D; keep 2D and 3D in separate data sets"
    elif sum(size >= SMALLEST for size in image.shape) < 2:
        yield (
            f"{path}: shape {image.shape} is smaller than the stride of any network; "
            f"expected at least {SMALLEST} voxels along two axes, so crop less or leave the case out"
        )
    if not all(np.isfinite(step) and step > 0 for step in image.spacing):
        yield f"{path}: spacing {image.spacing}; expected millimetres above 0, so correct the header"
    elif image.affine is not None and not abs(np.linalg.det(image.affine[:3, :3])) > 0:  # also where it is no number
        yield f"{path}: its affine has an axis without a direction; correct the header"


def _intensity_problems(path: Path, image: StoredImage) -> Iterator[str]:
    broken = image.voxels.size - int(np.isfinite(image.voxels).sum())
    if broken:
        yield f"{path}: {broken} of {image.voxels.size} voxels are NaN or infinite; replace them"
