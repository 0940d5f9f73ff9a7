"""The figures of a report: one module each, found by looking, so that a new figure is one new file.

from nas.report import figures, gather

material = gather(nas.open_study("unet_family-brain-synthetic").study)
figures.draw("front", material).show()
figures.table("front", material).to_csv()
"""

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from nas.errors import InputError, did_you_mean
from nas.report.material import Material
from nas.report.table import Table

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure


@dataclass(frozen=True)
class Missing:
    """Why a figure cannot be drawn of a study, as a sentence."""

    reason: str


class Figure(Protocol):
    """What a module in this package offers: a study to plain values, and those to a picture, a sentence and a table.

    PLACE: where it stands in the report. TITLE: what it is called. HEIGHT: in pixels.
    """

    PLACE: int
    TITLE: str
    HEIGHT: int

    def values(self, material: Material) -> Any:
        """What it shows, or `Missing`."""

    def words(self, values: Any) -> str:
        """What is to be seen in it, in a sentence or two: its caption, and all there is for those who cannot see it."""

    def table(self, values: Any) -> Table:
        """What it shows as a table."""

    def draw(self, values: Any) -> "PlotlyFigure":
        """The picture."""


def names() -> tuple[str, ...]:
    """The names of all figures, in the order of the report."""
    modules = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return tuple(sorted(modules, key=lambda name: (figure_of(name).PLACE, name)))


def figure_of(name: str) -> Figure:
    """The figure of a name.

    Raises:
        InputError: there is none.
    """
    known = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    if name not in known:
        raise InputError(f"figure {name!r} is unknown; {did_you_mean(name, known)}")
    return cast(Figure, import_module(f"{__name__}.{name}"))


def draw(name: str, material: Material) -> "PlotlyFigure":
    """A figure of a study.

    Raises:
        InputError: there is no such figure, or the study has nothing to show in it.
    """
    figure = figure_of(name)
    return figure.draw(_shown(name, figure.values(material)))


def table(name: str, material: Material) -> Table:
    """What a figure shows, as a table.

    Raises:
        InputError: there is no such figure, or the study has nothing to show in it.
    """
    figure = figure_of(name)
    return figure.table(_shown(name, figure.values(material)))


def _shown(name: str, values: Any) -> Any:
    if isinstance(values, Missing):
        raise InputError(f"figure {name!r}: {values.reason}")
    return values
