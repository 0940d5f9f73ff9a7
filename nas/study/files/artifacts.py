"""Files beside the database: brought in whole or not at all, found again only where they must be, and unchanged."""

import errno
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nas.errors import InputError, field_named

NAME = re.compile(r"\w(?:[\w .-]*[\w-])?")
"""Names that cannot leave a folder on any system: no separators, no dot or space at either end."""


class LostFileError(InputError):
    """A stored file is gone, has changed, or is named where it cannot be; not one that is out of reach for now."""


@dataclass(frozen=True)
class StoredFile:
    """A file in the artifact folder: its address there (with `/`, on every system), checksum and size."""

    address: str
    sha256: str
    bytes: int


def check_name(field: str, name: str) -> None:
    """Refuse a name that cannot safely name a folder or a file.

    Raises:
        InputError: says which field.
    """
    if not NAME.fullmatch(name) or len(name) > 100:
        raise InputError(
            f"{field} {name!r} cannot be used; expected at most 100 letters, digits, spaces and . _ -, beginning and "
            "ending with a letter, a digit or _"
        )


def bring_in(source: Path, folder: Path, within: str, run: int, kind: str) -> StoredFile:
    """Move a file into the artifact folder, `within` a folder of it, under a name of its own.

    The name holds the checksum, so that a file never takes the place of another: until the database names the new
    one, the old one is whole.

    Raises:
        InputError: the file cannot be read, or the folder cannot be written.
    """
    check_name("artifact kind", kind)
    try:
        size, sha256 = source.stat().st_size, _sha256(source)
        address = PurePosixPath(within, str(run), f"{kind}-{sha256[:16]}{source.suffix}")
        target = folder / address
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(source, target)
    except OSError as error:
        raise InputError(
            f"the artifact {source} cannot be kept in {folder}: {error.strerror}; see that there is room and that the "
            "folder is writable"
        ) from error
    return StoredFile(str(address), sha256, size)


def path_of(folder: Path, stored: StoredFile) -> Path:
    """Where a stored file lies if it is there.

    Raises:
        LostFileError: its address leaves the folder.
    """
    path = folder / stored.address
    if not _is_inside(path, folder):
        raise LostFileError(f"the artifact address {stored.address!r} leaves {folder}; the database was tampered with")
    return path


def locate(folder: Path, stored: StoredFile, name: str | None = None) -> Path:
    """The path of a stored file, after checking that it is the one that was stored.

    Args:
        folder: where files are.
        stored: which one.
        name: what a complaint calls it, where that is not its path.

    Raises:
        LostFileError: its address leaves the folder, it is missing, or its contents have changed.
        InputError: it cannot be read.
    """
    path = path_of(folder, stored)
    name = name or str(path)
    try:
        checksum = _sha256(path)
    except OSError as error:
        kind = LostFileError if isinstance(error, FileNotFoundError) else InputError
        raise kind(
            f"the artifact {name} cannot be read: {error.strerror}; restore it from a copy, or say with "
            f"{field_named('artifacts')} where the files are"
        ) from error
    if checksum != stored.sha256:
        raise LostFileError(
            f"the artifact {name} has changed: its SHA-256 is {checksum}, stored was {stored.sha256}; "
            "restore it from a copy"
        )
    return path


def is_whole(path: Path, stored: StoredFile) -> bool:
    """Whether a file is there and is the one that was stored."""
    try:
        return _sha256(path) == stored.sha256
    except OSError:
        return False


def remove(folder: Path, address: str) -> None:
    """Delete a stored file, if it is there and the address does not leave the folder."""
    path = folder / address
    if _is_inside(path, folder):
        path.unlink(missing_ok=True)


def addresses(folder: Path, within: str) -> list[str]:
    """The addresses of all files below a folder of the artifact folder."""
    return sorted(path.relative_to(folder).as_posix() for path in (folder / within).rglob("*") if path.is_file())


def trim(folder: Path, most: int) -> None:
    """Delete the files that were not used for longest, until those left have so many bytes together or it is one."""
    files = []
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                files.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        except FileNotFoundError:  # another process trims too
            continue
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files)[:-1]:
        if total <= most:
            return
        path.unlink(missing_ok=True)
        total -= size


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether the file is below the folder, once every `..` and link is followed. An absolute address never is."""
    return path.resolve().is_relative_to(folder.resolve())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(source: Path, target: Path) -> None:
    """Move a file so that, at any moment, `target` is absent or whole, even after a power cut."""
    try:
        _flush(source)
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f"{target.name}.part")
        shutil.copyfile(source, part)
        _flush(part)
        part.replace(target)
        source.unlink()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
