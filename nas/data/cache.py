"""Prepared cases on disk: how a case's folder and the index are written and read, and what counts as whole.

    CACHE/NAME-DIGEST/            complete; while it is built its name ends in .partial
        index.json                what the data set is, and its cases
        CASE/case.json            spacing, geometry, and the bytes and SHA-256 of the arrays
             image.npy label.npy foreground.npy original.npy

A folder comes into being by renaming one that is whole, a case's as well as the data set's, so that whatever is there
under its own name was written to the end. `original.npy` is the label as it came; it is missing where it is label.npy.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.preparing import PreparedVolume
from nas.errors import InputError

VERSION = 2
"""Goes up whenever the same data and settings give other arrays, or they are laid out in another way."""
INDEX, CASE = "index.json", "case.json"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What an `OSError` says where there is no room for a file: on the disk, in the quota, in the file system."""

Document = dict[str, Any]


class NoSpaceError(Exception):
    """The disk is full. `needed` is what was to be written, in bytes; it survives the way between processes."""

    def __init__(self, needed: int):
        super().__init__(needed)
        self.needed = needed


def write_case(folder: Path, prepared: PreparedVolume, original: npt.NDArray[np.uint8]) -> int:
    """Write a case's folder, all of it or nothing, unless it is there; its bytes.

    Raises:
        NoSpaceError: the disk is full.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        "image": prepared.image,
        "label": prepared.label,
        "foreground": prepared.foreground,
    }
    if not prepared.placement.unchanged:
        arrays["original"] = original
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        document = {
            "size": list(prepared.label.shape),
            "spacing": list(prepared.spacing),
            "geometry": prepared.placement.to_json(),
            "files": {f"{name}.npy": _write_array(aside / f"{name}.npy", array) for name, array in arrays.items()},
        }
        write_json(aside / CASE, document)
        aside.rename(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        if error.errno in FULL:
            raise NoSpaceError(sum(array.nbytes for array in arrays.values())) from error
        if not (folder / CASE).is_file():  # another process may have been faster with the same case
            raise
    return sum(array.nbytes for array in arrays.values())


def read_case(folder: Path) -> Document | None:
    """What case.json says of a folder, None where the folder is not whole."""
    document = read_document(folder / CASE)
    if document is None:
        return None
    try:
        whole = all((folder / name).stat().st_size == size for name, (size, _) in document["files"].items())
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return document if whole else None


def damaged_files(folder: Path, document: Mapping[str, Any]) -> list[Path]:
    """The case's files whose content is no longer what was written."""
    return [folder / name for name, (_, digest) in document["files"].items() if file_digest(folder / name) != digest]


def open_array(folder: Path, name: str) -> npt.NDArray[Any]:
    """An array of a case, mapped from its file and read-only.

    Raises:
        InputError: the file is damaged or has gone.
    """
    path = folder / f"{name}.npy"
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: the cache is damaged ({error}); delete {folder.parent}, it is built anew") from error
    return array


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, document: Document) -> None:
    """Write JSON, all of it or nothing."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(document))
    aside.replace(path)


def read_document(path: Path) -> Document | None:
    """The JSON object in a file, None where there is none."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Delete all in a folder that is not among the names: what interrupted processes left."""
    kept = set(names)
    for path in folder.iterdir():
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _write_array(path: Path, array: npt.NDArray[Any]) -> tuple[int, str]:
    """Write an array in NumPy's format; its bytes and their SHA-256.

    NumPy's own writing loses the reason where the disk is full.
    """
    digest = hashlib.sha256()
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.flush()
        digest.update(path.read_bytes())
        content = array.reshape(-1).view(np.uint8).data  # of contiguous arrays, no copy
        file.write(content)
        digest.update(content)
        size = file.tell()
    return size, digest.hexdigest()
