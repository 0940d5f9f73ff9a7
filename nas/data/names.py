"""Names that people give: which can be shown, and what a folder may be called after them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST = 150
"""Bytes of a file's name, of the 255 that file systems allow, which leaves room for what is put before and behind."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def is_printable(name: str) -> bool:
    """Whether a name has no control characters, such as line ends and those that steer a terminal."""
    return not any(unicodedata.category(character) == "Cc" for character in name)


def file_name(name: str) -> str:
    """What a file or folder may be called after a name, on every system: itself where that is possible.

    Else what is left of it, and a digest, so that two names never meet.
    """
    safe = _UNSAFE.sub("-", name).strip(". ")
    if safe == name and len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    shortened = safe.encode("utf-8", "ignore")[: LONGEST - len(digest) - 1].decode("utf-8", "ignore")
    return f"{shortened}-{digest}" if shortened else digest


def normal(name: str) -> str:
    """The name in one of the forms that Unicode has for it, so that ü is ü whichever system wrote it."""
    return unicodedata.normalize("NFC", name)


def present(path: Path) -> Path:
    """The path, or the one beside it that has the same name in another form of Unicode, where only that is there."""
    if path.name.isascii() or path.exists() or not path.parent.is_dir():
        return path
    return next((other for other in path.parent.iterdir() if normal(other.name) == normal(path.name)), path)


def distinct(names: Iterable[str]) -> bool:
    """Whether no name occurs twice."""
    listed = list(names)
    return len(set(listed)) == len(listed)
