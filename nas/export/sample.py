"""Labelled cases that exports of fewer bits are fitted to and measured on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nas.data import Case, Dataset, Image, Volume
from nas.errors import InputError, field_named
from nas.model import Segmenter, TrainedModel
from nas.training import metrics

Item = TypeVar("Item")

MEASURED = 20
"""Cases at most: a loss is a paired difference, which so many tell to a thousandth."""
_FITTED = 4
_WINDOWS = 32
"""Of these cases, so many windows at most."""


@dataclass(frozen=True)
class Loss:
    """What fewer bits cost: the mean Dice over cases and structures in float32 and in the form; how many cases."""

    cases: int
    full: float
    reduced: float

    @property
    def lost(self) -> float:
        """How much Dice is lost, below 0 where some is won."""
        return self.full - self.reduced

    def to_json(self, sample: "Sample") -> dict[str, Any]:
        """As JSON, with the cases' names."""
        names = [case.name for case in sample.measured]
        return {"measured_on": sample.words, "dice_float32": self.full, "dice": self.reduced, "cases": names}


@dataclass(frozen=True)
class Sample:
    """Cases of a data set.

    measured: those that a loss is measured on, and what these are, in words. fitted: others, which ranges of values
    are taken from.
    """

    dataset: Dataset = field(repr=False)
    measured: tuple[Case, ...]
    fitted: tuple[Case, ...]
    words: str

    def volumes(self, cases: Sequence[Case]) -> Iterator[Volume]:
        """Each loaded when it is wanted."""
        return map(self.dataset.load, cases)


def sample_of(
    dataset: Dataset, words: str, *, measured: Sequence[str] | None = None, barred: Sequence[str] = ()
) -> Sample:
    """A few cases of a data set, evenly spread.

    Args:
        dataset: where they are from.
        words: what those are that a loss is measured on.
        measured: their names; by default every second case.
        barred: names of cases that are not to be opened.

    Raises:
        InputError: the data set has none of these cases.
    """
    open_cases = [case for case in dataset.cases if case.name not in set(barred)]
    names = {case.name for case in open_cases[::2]} if measured is None else set(measured)
    scored = [case for case in open_cases if case.name in names]
    if not scored:
        raise InputError(f"{field_named('data')}: {dataset.name} has none of the cases that the network was scored on")
    others = [case for case in open_cases if case.name not in names] or scored
    return Sample(dataset, _spread(scored, MEASURED), _spread(others, _FITTED), words)


def expect_same_classes(model: TrainedModel, dataset: Dataset) -> None:
    """Refuse cases that are labelled with other classes than the model's.

    Raises:
        InputError: says which.
    """
    if dataset.classes != model.classes or dataset.axes != model.axes:
        raise InputError(
            f"{field_named('data')}: {dataset.name} is {dataset.axes}D with the classes {', '.join(dataset.classes)}, "
            f"expected {model.axes}D with {', '.join(model.classes)}, as the model was trained on"
        )


def windows_of(model: TrainedModel, sample: Sample) -> tuple[npt.NDArray[np.float32], ...]:
    """What the network is given for some cases, a window each, (1, channels, *size)."""
    segmenter, seen = Segmenter(model.in_float32), list[npt.NDArray[np.float32]]()
    scores = segmenter.scores

    def recording(images: Tensor) -> Tensor:
        seen.extend(image[None].numpy().copy() for image in images)
        return scores(images)

    segmenter.scores = recording
    for volume in sample.volumes(sample.fitted):
        segmenter(Image(volume.image, volume.geometry))
    return _spread(seen, _WINDOWS)


def loss_of(model: TrainedModel, reduced: Callable[[Image], npt.NDArray[np.uint8]], sample: Sample) -> Loss:
    """What a form loses, case by case on the grids of their labels."""
    segmenter = Segmenter(model.in_float32)
    pairs = []
    for volume in sample.volumes(sample.measured):
        image, label = Image(volume.image, volume.geometry), torch.from_numpy(volume.label)
        pairs.append([_dice(model, classes, label) for classes in (segmenter(image).classes, reduced(image))])
    full, less = np.nanmean(np.array(pairs), axis=0)
    return Loss(len(pairs), float(full), float(less))


def _dice(model: TrainedModel, classes: npt.NDArray[np.uint8], label: Tensor) -> float:
    table = metrics.counts(torch.from_numpy(classes), label, len(model.classes), model.targets)
    defined = [value for value in metrics.dice(table) if value == value]
    return sum(defined) / len(defined) if defined else float("nan")


def _spread(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    number = min(len(items), most)
    return tuple(items[index * len(items) // number] for index in range(number))
