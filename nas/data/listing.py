"""What lies in a folder of images: the files that are taken, and those that are not, with the reason."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nas.data import files
from nas.data.dataset import LeftOut
from nas.data.names import normal
from nas.errors import InputError

SYSTEM_FILES = {"thumbs.db", "desktop.ini", "icon\r", "ehthumbs.db"}
"""What Windows and macOS put into folders that people look at; names that begin with a dot are hidden as well."""
HIDDEN, FOLDERS, OTHER_KINDS = "hidden and system files", "folders", "files that are no images"


@dataclass(frozen=True)
class Listing:
    """The images of a folder by their names without suffix, in one form of Unicode.

    left_out: what else is there. problems: links that lead nowhere, and files that differ in their suffix alone; for
    those who go by what lies in the folder, a line each.
    """

    folder: Path
    files: dict[str, Path]
    left_out: tuple[LeftOut, ...]
    problems: tuple[str, ...]


def list_images(folder: Path, ending: str | None = None) -> Listing:
    """The images in a folder, or those whose names have this ending.

    Raises:
        InputError: it cannot be listed.
    """
    taken: list[tuple[str, Path]] = []
    problems: list[str] = []
    others: dict[str, list[str]] = {}
    for entry in _entries(folder):
        path = folder / entry.name
        reason = _reason(entry, path, ending)
        if reason is None:
            problems += dead_link(path) if entry.is_symlink() else ()
            taken.append((normal(path.name[: -len(ending)] if ending else files.stem(path)), path))
        else:
            others.setdefault(f"{reason} in {folder.name}", []).append(entry.name)
    left_out = tuple(LeftOut(reason, tuple(names)) for reason, names in others.items())
    return Listing(folder, dict(taken), left_out, (*problems, *_doubled(taken)))


def dead_link(path: Path) -> Iterator[str]:
    """A line where a path is a link to what is not there, as of data that were not fetched or were moved."""
    if path.is_symlink() and not path.exists():
        yield (
            f"{path}: is a link to {os.readlink(path)}, which is not there; fetch or mount what it leads to, or delete "
            "the link and its case"
        )


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror}); make it readable") from error


def _reason(entry: "os.DirEntry[str]", path: Path, ending: str | None) -> str | None:
    """Why an entry is no image of the data set, None where it is one."""
    if entry.name.startswith(".") or entry.name.lower() in SYSTEM_FILES:
        return HIDDEN
    if ending is not None and not entry.name.endswith(ending):
        return f"entries that do not end in {ending}"
    if ending is None and files.suffix_of(path) is None:
        return FOLDERS if entry.is_dir() else OTHER_KINDS
    return FOLDERS if entry.is_dir() else None


def _doubled(taken: Iterable[tuple[str, Path]]) -> Iterator[str]:
    first: dict[str, Path] = {}
    for stem, path in taken:
        if stem in first:
            yield f"{path}: has the name of {first[stem]} but for its suffix; keep the one that is meant"
        first.setdefault(stem, path)
