"""A picture into a file, whole or not at all."""

import os
from pathlib import Path

from nas.errors import InputError, field_named
from nas.graph.picture.pdf import pdf

KINDS = (".svg", ".pdf")


def expect_kind(path: Path) -> None:
    """InputError where the ending is of no kind that is written; a device or a pipe takes SVG by any name."""
    if path.suffix.lower() not in KINDS and not _is_special(path):
        raise InputError(f"{field_named('to')}: found {str(path)!r}; expected a file that ends in {' or '.join(KINDS)}")


def write_picture(picture: str, path: Path) -> None:
    """Write a picture in SVG as it is, or as PDF, as the path ends.

    Raises:
        InputError: the ending is another, the file cannot be written, or PDF is wanted and svglib not installed.
    """
    expect_kind(path)
    content = pdf(picture) if path.suffix.lower() == ".pdf" else picture.encode()
    partial = path.with_name(f".{os.getpid()}.partial{path.suffix}")
    try:
        if _is_special(path):
            path.write_bytes(content)  # nothing can take its place
        else:
            partial.write_bytes(content)
            partial.replace(path)
    except OSError as error:
        raise InputError(
            f"{field_named('to')}: {path} cannot be written: {error.strerror}; give another file"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()
