"""Files that hold an image or a label: one module a kind, found by looking, so a new kind is one new file."""

import logging
import os
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from nas.data.geometry import Geometry
from nas.data.spacings import with_spacing_beside
from nas.data.stored import StoredImage as StoredImage
from nas.data.stored import as_slice as as_slice
from nas.errors import InputError

Result = TypeVar("Result")

FOLDER = "/"
"""The suffix of a kind whose volumes are folders of slices."""
_LFS = b"version https://git-lfs"
_TALKATIVE = ("nibabel.global", "tifffile", "pydicom", "highdicom")
"""Loggers of libraries that tell on the screen what is told here in other words, or is mended."""


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
class HoldsStructures(Protocol):
    """A kind whose labels are laid on the grid of the image, and may be named structures that overlap."""

    def read_label_on(self, path: Path, image: StoredImage) -> StoredImage:
        """The label values on the image's grid."""

    def read_structure(self, path: Path, names: tuple[str, ...], image: StoredImage) -> StoredImage:
        """Where the structure of one of these names is, booleans (1, *spatial) on the image's grid."""


@runtime_checkable
class HasParts(Protocol):
    """A kind that has its voxels in other files than the one that is named."""

    def parts(self, path: Path) -> tuple[Path, ...]:
        """All files that are read."""


@runtime_checkable
class Sized(Protocol):
    """What the module of a kind of file offers too, where a header says how large the image is."""

    def grid(self, path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """The spatial shape, and the spacing in mm."""


@runtime_checkable
class HoldsSeries(Protocol):
    """What the kind whose volumes are folders offers too."""

    def is_series(self, folder: Path) -> bool:
        """Whether slices lie in a folder itself."""


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


def read_label(path: Path, image: StoredImage | None = None) -> StoredImage:
    """The label in a file, in the file's own type; InputError where it cannot be read.

    Args:
        path: the file.
        image: what it labels, on whose grid kinds that hold outlines, or fewer slices than the image, are laid.
    """
    kind = _kind(path)
    if image is not None and isinstance(kind, HoldsStructures):
        stored = _read(path, lambda path: kind.read_label_on(path, image))
    else:
        stored = _read(path, kind.read_label)
    stored = _expect_numbers(path, stored)
    return with_spacing_beside(path, stem(path), stored)


def read_mask(path: Path, structure: tuple[str, ...], image: StoredImage) -> StoredImage:
    """Where a class is, as booleans (1, *spatial): the structure of one of these names, or all that is not 0.

    Of a picture in colours of a palette, it is all that is not shown black.

    Raises:
        InputError: the file cannot be read, has no such structure, or holds more than two values.
    """
    kind = _kind(path)
    if structure:
        if not isinstance(kind, HoldsStructures):
            raise InputError(f"{path}: holds no named structures; expected a file that does, or classes by values")
        return _read(path, lambda path: kind.read_structure(path, structure, image))
    stored = read_label(path, image)
    voxels = stored.voxels
    if len(voxels) > 1 and (voxels == voxels[:1]).all():  # grey, stored in colours
        voxels = voxels[:1]
    empty = [value for value, colour in stored.palette or () if not any(colour)] or [0]
    inside = ~np.isin(voxels, empty) if stored.palette else voxels != 0
    shown = voxels[inside]
    if shown.size and not shown.min() == shown.max():  # also where they are not numbers
        raise InputError(
            f"{path}: a mask of one class with values from {shown.min():g} to {shown.max():g}; expected 0 and one other"
        )
    return replace(stored, voxels=inside)


def parts(path: Path) -> tuple[Path, ...]:
    """All files that are read for a path: itself, what it refers to, or what lies in a folder that is a volume."""
    kind = _kind(path)
    return kind.parts(path) if isinstance(kind, HasParts) else (path,)


def grid(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """The spatial shape and the spacing as the file says without its voxels being read, None where it cannot say."""
    kind = _kind(path)
    return _read(path, kind.grid) if isinstance(kind, Sized) else None


def series_in(folder: Path) -> tuple[Path, ...]:
    """The folder, or those anywhere in it, that are volumes of slices themselves; hidden ones are passed over."""
    volumes = _kinds()[FOLDER]
    assert isinstance(volumes, HoldsSeries)
    below = [path for path in sorted(folder.rglob("*")) if path.is_dir()]
    seen = [path for path in below if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return tuple(path for path in (folder, *seen) if volumes.is_series(path))


def suffixes() -> tuple[str, ...]:
    """How the names of files end that can be read."""
    return tuple(sorted(_kinds().keys() - {FOLDER}))


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
    suffix = _known_suffix(path)
    return path.name if suffix == FOLDER else path.name[: -len(suffix)]


def suffix_of(path: Path) -> str | None:
    """The suffix that tells a file's kind, in small letters as kinds have it; None where it is of no kind."""
    name = path.name.lower()
    return max((suffix for suffix in _kinds() if name.endswith(suffix)), key=len, default=None)


def _kind(path: Path) -> FileKind:
    return _kinds()[_known_suffix(path)]


def _known_suffix(path: Path) -> str:
    suffix = suffix_of(path)
    if suffix is None and path.is_dir():
        return FOLDER
    if suffix is None:
        expected = ", ".join(sorted(_kinds().keys() - {FOLDER}))
        raise InputError(f"{path}: this kind of file cannot be read; expected one of {expected}")
    return suffix


@cache
def _kinds() -> dict[str, FileKind]:
    names = (item.name for item in pkgutil.iter_modules(__path__, f"{__name__}."))
    modules = (cast(FileKind, import_module(name)) for name in names)
    return {suffix: module for module in modules for suffix in module.SUFFIXES}


def _read(path: Path, function: Callable[[Path], Result]) -> Result:
    if not path.exists():
        raise InputError(f"{path}: no such file; put it there or take its case out of the data set")
    try:
        with _SILENCE, np.errstate(all="ignore"):
            return function(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # on a damaged file, the libraries raise errors of a dozen kinds
        if path.is_file() and _is_pointer(path):
            raise InputError(f"{path}: is a pointer of Git LFS, not the file itself; fetch it: git lfs pull") from error
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{path}: cannot be read, it is damaged or of another kind ({reason}); copy or export it again"
        ) from error


@contextmanager
def _silenced() -> Iterator[None]:
    """Without what libraries print on their own account."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    states = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True  # cheaper than a level, of which logging forgets what it knows of all loggers
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, state in zip(loggers, states, strict=True):
            logger.disabled = state


class _Silence:
    """Silence while any thread reads: warnings and loggers belong to the process, so the last to end restores them."""

    def __init__(self) -> None:
        self._lock, self._readers, self._held = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._held.enter_context(_silenced())

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._held.close()


_SILENCE = _Silence()


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_LFS)) == _LFS


def _expect_numbers(path: Path, stored: StoredImage) -> StoredImage:
    if stored.voxels.dtype.kind not in "biuf":
        raise InputError(f"{path}: voxels of type {stored.voxels.dtype}; expected real numbers, so export it again")
    return stored
