"""A report into a file, and its figures as CSV into a folder, whole or not at all."""

import os
from pathlib import Path

from nas.errors import InputError
from nas.report import figures
from nas.report.figures import Missing
from nas.report.images import Images
from nas.report.material import Material
from nas.report.page import page


def expect_page(path: Path) -> None:
    """InputError where a page cannot be written there: another ending, no such folder, a folder itself."""
    if path.suffix.lower() != ".html":
        raise InputError(f"--to: found {str(path)!r}; expected a file that ends in .html")
    if path.is_dir():
        raise InputError(f"--to: {path}: is a folder; give a file in it")
    if not path.parent.is_dir():
        raise InputError(f"--to: {path}: there is no folder {path.parent}; make it, or give another place")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InputError(f"--to: {path}: cannot be written (Permission denied); give another place")


def write_page(material: Material, path: Path, images: Images | None = None) -> None:
    """Write the report of a study.

    Raises:
        InputError: the file cannot be written.
    """
    expect_page(path)
    _write("--to", path, page(material, images))


def write_tables(material: Material, folder: Path) -> tuple[Path, ...]:
    """Write what each figure shows as CSV, one file a figure; those that have nothing to show are left out.

    Raises:
        InputError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--csv: {folder}: cannot be made ({error.strerror}); give another folder") from error
    written = []
    for name in figures.names():
        figure = figures.figure_of(name)
        values = figure.values(material)
        if not isinstance(values, Missing):
            path = folder / f"{name}.csv"
            _write("--csv", path, figure.table(values).to_csv())
            written.append(path)
    return tuple(written)


def _write(option: str, path: Path, text: str) -> None:
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{option}: {path}: cannot be written ({error.strerror}); give another place") from error
    finally:
        partial.unlink(missing_ok=True)
