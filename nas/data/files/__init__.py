"""Files that hold an image or a label: one module a kind, found by looking, so a new kind is one new file."""

import logging
import os
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette
from nas.data.geometry import Geometry
from nas.data.notes import Note
from nas.data.spacings import with_spacing_beside
from nas.errors import InputError

Result = TypeVar("Result")

_LFS = b"version https://git-lfs"
_TALKATIVE = ("nibabel.global", "tifffile", "PIL")
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
        stored = replace(stored, voxels=stored.voxels.astype(np.float32, copy=False))
    return with_spacing_beside(path, stem(path), stored)


def read_label(path: Path) -> StoredImage:
    """The label in a file, in the file's own type; InputError where it cannot be read."""
    stored = _expect_numbers(path, _read(path, _kind(path).read_label))
    return with_spacing_beside(path, stem(path), stored)


def shape(path: Path) -> tuple[int, ...] | None:
    """The spatial shape as the file says without its voxels being read, None where its kind cannot say."""
    kind = _kind(path)
    return _read(path, kind.shape) if isinstance(kind, Sized) else None


def suffixes() -> tuple[str, ...]:
    """How the names of files end that can be read."""
    return tuple(sorted(_kinds()))


def label_suffix(like: Path, axes: int) -> str:
    """How the file of a label ends that belongs to an image: as the image's does, where that kind can hold labels."""
    written_in_kind = isinstance(_kind(like), Writer)
    return (suffix_of(like) or "") if written_in_kind else {2: ".png", 3: ".nii.gz"}[axes]


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path) -> None:
    """Write label values (*spatial), whole numbers, on the grid of an image; see `label_suffix` for the path's end.

    The file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written, or its disk is full.
    """
    kind = _kind(path)
    assert isinstance(kind, Writer), "label_suffix names kinds that can be written"
    aside = path.with_name(f".{os.getpid()}{suffix_of(path)}")
    try:
        kind.write_label(aside, label, geometry, like if _kind(like) is kind else None)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def stem(path: Path) -> str:
    """The file's name without its suffix, which may have two parts (.nii.gz); InputError where no kind has it."""
    suffix = suffix_of(path)
    if suffix is None:
        expected = ", ".join(sorted(_kinds()))
        raise InputError(f"{path}: this kind of file cannot be read; expected one of {expected}")
    return path.name[: -len(suffix)]


def suffix_of(path: Path) -> str | None:
    """The suffix that tells a file's kind, in small letters as kinds have it; None where it is of no kind."""
    name = path.name.lower()
    return max((suffix for suffix in _kinds() if name.endswith(suffix)), key=len, default=None)


def _kind(path: Path) -> FileKind:
    stem(path)  # or an InputError
    return _kinds()[suffix_of(path) or ""]


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
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_LFS)) == _LFS


def _expect_numbers(path: Path, stored: StoredImage) -> StoredImage:
    if stored.voxels.dtype.kind not in "biuf":
        raise InputError(f"{path}: voxels of type {stored.voxels.dtype}; expected real numbers, so export it again")
    return stored
