"""The page of a space into a file, whole or not at all."""

import os
from pathlib import Path

from nas.architecture import EncoderDecoder
from nas.errors import InputError, field_named
from nas.gallery.page import page
from nas.space import Space


def write_page(space: Space[EncoderDecoder], path: Path) -> None:
    """Write the page.

    Raises:
        InputError: the file is no .html, or cannot be written.
    """
    to = field_named("to")
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{to}: found {str(path)!r}; expected a file that ends in .html")
    partial = path.with_name(f".{os.getpid()}.partial.html")
    try:
        partial.write_text(page(space), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{to}: {path} cannot be written: {error.strerror}; give another file") from None
    finally:
        partial.unlink(missing_ok=True)
