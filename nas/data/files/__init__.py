"""Files that hold an image or a label: one module a kind, found by looking, so a new kind is one new file."""

import logging
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette
from nas.data.geometry import Geometry
from nas.data.notes import Note
from nas.data.spacings import with_spacing_beside
from nas.errors import InputError

Result = TypeVar("Result")

_LFS = b"version https://git-lfs"
_TALKATIVE = ("nibabel.global", "tifffile")
"""Loggers of libraries that tell on the screen what is told here in other words, or is mended."""


@dataclass(frozen=True, eq=False)
class StoredImage:
    """What a file holds: voxels (channels, *spatial), their spacing in mm and, where the format has one, the affine.

    measured and oriented: whether spacing and orientation are the file's, as in `Geometry`. notes: what was decided
    in reading it. palette: of a label that is shown in colours.
    """

    voxels: npt.NDArray[Any]
    spacing: tuple[float, ...]
    affine: npt.NDArray[np.float64] | None = None
    measured: bool = True
    oriented: bool = True
    notes: tuple[Note, ...] = ()
    palette: Palette | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The spatial shape."""
        return self.voxels.shape[1:]

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie."""
        return Geometry(self.spacing, self.affine, self.measured, self.oriented)


def as_slice(stored: StoredImage) -> StoredImage:
    """A volume of a single slice, its last axis, as a picture; any other as it is."""
    if len(stored.spacing) != 3 or stored.shape[2] != 1:
        return stored
    return replace(stored, voxels=stored.voxels[..., 0], spacing=stored.spacing[:2])


class FileKind(Protocol):
    """What a module in this package offers. Its libraries are imported inside the functions."""

    SUFFIXES: tuple[str, ...]

    def axes(self, path: Path) -> int:
        """The number of spatial axes, read without the voxels."""

    def read_image(self, path: Path) -> StoredImage:
        """The intensities."""

    def read_label(self, path: Path) -> StoredImage:
        """The label values."""


def axes(path: Path) -> int:
    """The number of spatial axes of the image in a file; InputError where it cannot be read."""
    return _read(path, _kind(path).axes)


def read_image(path: Path) -> StoredImage:
    """The image in a file as float32; InputError where it cannot be read."""
    stored = _expect_numbers(path, _read(path, _kind(path).read_image))
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused later
        stored = replace(stored, voxels=stored.voxels.astype(np.float32, copy=False))
    return with_spacing_beside(path, stem(path), stored)


def read_label(path: Path) -> StoredImage:
    """The label in a file, in the file's own type; InputError where it cannot be read."""
    stored = _expect_numbers(path, _read(path, _kind(path).read_label))
    return with_spacing_beside(path, stem(path), stored)


def stem(path: Path) -> str:
    """The file's name without its suffix, which may have two parts (.nii.gz); InputError where no kind has it."""
    return path.name[: -len(_known_suffix(path))]


def suffix_of(path: Path) -> str | None:
    """The suffix that tells a file's kind, in small letters as kinds have it; None where it is of no kind."""
    name = path.name.lower()
    return max((suffix for suffix in _kinds() if name.endswith(suffix)), key=len, default=None)


def _kind(path: Path) -> FileKind:
    return _kinds()[_known_suffix(path)]


def _known_suffix(path: Path) -> str:
    suffix = suffix_of(path)
    if suffix is None:
        expected = ", ".join(sorted(_kinds()))
        raise InputError(f"{path}: this kind of file cannot be read; expected one of {expected}")
    return suffix


@cache
def _kinds() -> dict[str, FileKind]:
    names = (item.name for item in pkgutil.iter_modules(__path__, f"{__name__}."))
    modules = (cast(FileKind, import_module(name)) for name in names)
    return {suffix: module for module in modules for suffix in module.SUFFIXES}


def _read(path: Path, function: Callable[[Path], Result]) -> Result:
    if not path.is_file():
        raise InputError(f"{path}: no such file; put it there or take its case out of the data set")
    try:
        with _quiet():
            return function(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # on a damaged file, the libraries raise errors of a dozen kinds
        if _is_pointer(path):
            raise InputError(f"{path}: is a pointer of Git LFS, not the file itself; fetch it: git lfs pull") from error
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{path}: cannot be read, it is damaged or of another kind ({reason}); copy or export it again"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what libraries print on their own account."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    states = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True  # cheaper than a level, of which logging forgets what it knows of all loggers
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, state in zip(loggers, states, strict=True):
            logger.disabled = state


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_LFS)) == _LFS


def _expect_numbers(path: Path, stored: StoredImage) -> StoredImage:
    if stored.voxels.dtype.kind not in "biuf":
        raise InputError(f"{path}: voxels of type {stored.voxels.dtype}; expected real numbers, so export it again")
    return stored
