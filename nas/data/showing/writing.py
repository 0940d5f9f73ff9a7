"""A sheet into a file, whole or not at all."""

import os
from pathlib import Path

from nas.data.showing.page import page
from nas.data.showing.poster import poster
from nas.data.showing.sheet import Sheet
from nas.errors import InputError

KINDS = (".html", ".png")


def expect_kind(path: Path) -> None:
    """InputError where the ending is of no kind that is written, or the folder is not there."""
    if path.suffix.lower() not in KINDS:
        raise InputError(f"--to: found {str(path)!r}; expected a file that ends in {' or '.join(KINDS)}")
    if not path.parent.is_dir():
        raise InputError(f"--to: {path}: there is no folder {path.parent}; make it, or give another place")
    if path.is_dir():
        raise InputError(f"--to: {path}: is a folder; give a file in it")


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write the sheet as a web page or a picture, as the path ends.

    Raises:
        InputError: the ending is another, or the file cannot be written.
    """
    expect_kind(path)
    partial = path.with_name(f".{os.getpid()}.partial{path.suffix}")
    try:
        if path.suffix.lower() == ".html":
            partial.write_text(page(sheet), encoding="utf-8")
        else:
            poster(sheet).save(partial)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"--to: {path}: cannot be written ({error.strerror}); give another place") from error
    finally:
        partial.unlink(missing_ok=True)
