"""Layouts of data sets on disk: one module a layout, found by looking, so a new layout is one new file."""

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from nas.data.dataset import Dataset


class Reader(Protocol):
    """What a module in this package offers.

    LAYOUT says in one line what the layout looks like. SIGNS are the names in a folder by which a person knows it, each
    with what may stand in its place; they serve messages about folders that no reader knows.
    """

    LAYOUT: str
    SIGNS: tuple[tuple[str, ...], ...]

    def read(self, folder: Path) -> Dataset | None:
        """The data set, None where the folder has another layout; InputError names the file or field that is wrong."""


def readers() -> list[Reader]:
    """All readers, in the order of their names."""
    modules = (import_module(item.name) for item in pkgutil.iter_modules(__path__, f"{__name__}."))
    return [cast(Reader, module) for module in modules]
