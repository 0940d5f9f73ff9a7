"""An image from its files: one that holds all channels, or a file for each; labelled or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nas.data import files
from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.problems import refuse
from nas.errors import InputError

SMALLEST = 16  # voxels along two axes at least, or no network can halve the image often enough
TOLERANCE = 1e-3  # mm between affines


@dataclass(frozen=True, eq=False)
class Image:
    """An image on its own grid: float32 voxels as stored, (channels, *spatial), all finite, and where they lie."""

    voxels: npt.NDArray[np.float32]
    geometry: Geometry


def read_image(paths: Sequence[Path], axes: int, channels: Sequence[str]) -> Image:
    """An image of so many axes and of these channels, from one file or from a file for each channel, in their order.

    Raises:
        InputError: a file cannot be read, or they are not one such image; a line for each thing that is wrong.
    """
    try:
        stored = {path: files.read_image(path) for path in paths}
        refuse(image_problems(stored, axes, channels))
        return joined(stored)
    except MemoryError as error:
        raise InputError(
            f"{paths[0]}: does not fit in memory; crop or resample it, or use a machine with more memory, or fewer "
            "processes at a time"
        ) from error


def joined(stored: dict[Path, StoredImage]) -> Image:
    """The image that the files hold together."""
    images = list(stored.values())
    voxels = images[0].voxels if len(images) == 1 else np.concatenate([image.voxels for image in images])
    return Image(np.ascontiguousarray(voxels), images[0].geometry)


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
    if image.affine is None or first.affine is None or image is first:
        return
    difference = float(np.abs(image.affine - first.affine).max())
    if not difference <= TOLERANCE:  # also where it is not a number
        yield (
            f"{path}: its affine differs from that of {first_path} by {difference:.4g}; "
            f"expected at most {TOLERANCE:g}, so resample one onto the other or correct the header"
        )


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
