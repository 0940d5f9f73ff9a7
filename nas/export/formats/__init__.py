"""Forms in which a trained model leaves: one module each, found by looking, so that a new form is one new file."""

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from nas.data import Image
from nas.errors import InputError, did_you_mean
from nas.model import TrainedModel

Scores = Callable[[Tensor], Tensor]
"""Scores (batch, classes, *size) of images (batch, channels, *size), both on the CPU."""
Classes = Callable[[Image], npt.NDArray[np.uint8]]
"""Class indices of an image on its own grid."""


class Format(Protocol):
    """What a module in this package offers. Its libraries are imported inside the functions.

    SUMMARY: what it is, in a few words. TOLERANCE: by how much its scores may differ from the module's, as a share of
    their range: what another order of adding up makes in float32.
    """

    SUMMARY: str
    TOLERANCE: float

    def write(self, model: TrainedModel, folder: Path) -> None:
        """Write a model into an empty folder; InputError where the model, or what is installed, forbids it."""

    def opened(self, folder: Path, model: TrainedModel) -> Scores:
        """What was written, read again and run by the tool that it is for."""

    def segmenting(self, folder: Path, model: TrainedModel) -> Classes | None:
        """What was written, segmenting whole images by code of its own; None where it brings none."""


@runtime_checkable
class Reduced(Protocol):
    """What the module of a form offers too that has fewer bits: what it loses is measured on cases.

    AGREEMENT: share of the voxels of a whole image that must have the same class all the same.
    """

    AGREEMENT: float


@runtime_checkable
class Single(Protocol):
    """What the module of a form offers too that holds the source of one network, so no ensemble of different ones.

    ONE_NETWORK: True.
    """

    ONE_NETWORK: bool


@runtime_checkable
class Fitted(Protocol):
    """What the module of a form offers too that can be written better where there are cases to fit it to."""

    def write_fitted(self, model: TrainedModel, folder: Path, windows: Sequence[npt.NDArray[np.float32]]) -> None:
        """Write a model, as `write` does, with what its network is given for some cases, (1, channels, *size) each."""


def format_names() -> tuple[str, ...]:
    """The names of all forms."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def format_of(name: str) -> Format:
    """The form of a name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in format_names():
        raise InputError(f"--as: {name!r} is unknown; {did_you_mean(name, format_names())}")
    return cast(Format, import_module(f"{__name__}.{name}"))


def needed(package: str, extra: str) -> None:
    """Refuse to go on without a package.

    Raises:
        InputError: it is not installed.
    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise InputError(f"{package} is not installed; pip install 'nas[{extra}]'")
