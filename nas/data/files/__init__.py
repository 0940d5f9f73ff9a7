"""Files that hold an image or a label: one module a kind, found by looking, so a new kind is one new file."""

import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from nas.data.geometry import Geometry
from nas.errors import InputError

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class StoredImage:
    """What a file holds: voxels (channels, *spatial), their spacing in mm and, where the format has one, the affine.

    measured and oriented: whether spacing and orientation are the file's, as in `Geometry`.
    """

    voxels: npt.NDArray[Any]
    spacing: tuple[float, ...]
    affine: npt.NDArray[np.float64] | None = None
    measured: bool = True
    oriented: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The spatial shape."""
        return self.voxels.shape[1:]

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie."""
        return Geometry(self.spacing, self.affine, self.measured, self.oriented)


class FileKind(Protocol):
    """What a module in this package offers. Its libraries are imported inside the functions."""

    SUFFIXES: tuple[str, ...]

    def axes(self, path: Path) -> int:
        """The number of spatial axes, read without the voxels."""

    def read_image(self, path: Path) -> StoredImage:
        """The intensities."""

    def read_label(self, path: Path) -> StoredImage:
        """The label values."""


@runtime_checkable
class Sized(Protocol):
    """What the module of a kind of file offers too, where a header says how large the image is."""

    def shape(self, path: Path) -> tuple[int, ...]:
        """The spatial shape."""


@runtime_checkable
class Writer(Protocol):
    """What the module of a kind of file offers too, where labels can be written in it without a loss."""

    def write_label(self, path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
        """Label values (*spatial), whole numbers, on the grid of the image in `like`, of the same kind."""


def axes(path: Path) -> int:
    """The number of spatial axes of the image in a file; InputError where it cannot be read."""
    return _read(path, _kind(path).axes)


def read_image(path: Path) -> StoredImage:
    """The image in a file as float32; InputError where it cannot be read."""
    stored = _expect_numbers(path, _read(path, _kind(path).read_image))
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused later
        return replace(stored, voxels=stored.voxels.astype(np.float32, copy=False))


def read_label(path: Path) -> StoredImage:
    """The label in a file, in the file's own type; InputError where it cannot be read."""
    return _expect_numbers(path, _read(path, _kind(path).read_label))


def shape(path: Path) -> tuple[int, ...] | None:
    """The spatial shape as the file says without its voxels being read, None where its kind cannot say."""
    kind = _kind(path)
    return _read(path, kind.shape) if isinstance(kind, Sized) else None


def suffixes() -> tuple[str, ...]:
    """How the names of files end that can be read."""
    return tuple(sorted(_kinds()))


def label_suffix(like: Path, axes: int) -> str:
    """How the file of a label ends that belongs to an image: as the image's does, where that kind can hold labels."""
    kind, suffix = _kind_and_suffix(like)
    return suffix if isinstance(kind, Writer) else {2: ".png", 3: ".nii.gz"}[axes]


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path) -> None:
    """Write label values (*spatial), whole numbers, on the grid of an image; see `label_suffix` for the path's end.

    The file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written, or its disk is full.
    """
    kind, suffix = _kind_and_suffix(path)
    assert isinstance(kind, Writer), "label_suffix names kinds that can be written"
    same = _kind_and_suffix(like)[0] is kind
    aside = path.with_name(f".{os.getpid()}{suffix}")
    try:
        kind.write_label(aside, label, geometry, like if same else None)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def stem(path: Path) -> str:
    """The file's name without its suffix, which may have two parts (.nii.gz); InputError where no kind has it."""
    _, suffix = _kind_and_suffix(path)
    return path.name[: -len(suffix)]


def _kind(path: Path) -> FileKind:
    return _kind_and_suffix(path)[0]


def _kind_and_suffix(path: Path) -> tuple[FileKind, str]:
    for suffix, kind in _kinds().items():
        if path.name.lower().endswith(suffix):
            return kind, suffix
    raise InputError(f"{path}: this kind of file cannot be read; expected one of {', '.join(suffixes())}")


def _kinds() -> dict[str, FileKind]:
    modules = (import_module(found.name) for found in pkgutil.iter_modules(__path__, f"{__name__}."))
    return {suffix: cast(FileKind, module) for module in modules for suffix in module.SUFFIXES}


def _read(path: Path, function: Callable[[Path], Result]) -> Result:
    if not path.is_file():
        raise InputError(f"{path}: no such file; put it there or take its case out of the data set")
    try:
        return function(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # on a damaged file, the libraries raise errors of a dozen kinds
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{path}: cannot be read, it is damaged or of another kind ({reason}); copy or export it again"
        ) from error


def _expect_numbers(path: Path, stored: StoredImage) -> StoredImage:
    if stored.voxels.dtype.kind not in "biuf":
        raise InputError(f"{path}: voxels of type {stored.voxels.dtype}; expected real numbers, so export it again")
    return stored
