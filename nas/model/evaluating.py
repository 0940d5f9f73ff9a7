"""Segmentations compared with labels, file by file, by all metrics."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nas.data import files
from nas.data.cache import read_document
from nas.data.files import StoredImage
from nas.data.images import grid_problems
from nas.data.labelled import IGNORED
from nas.data.labels import LARGEST
from nas.data.problems import refuse
from nas.errors import InputError
from nas.model.labelling import Labelling
from nas.model.record import FORMAT, RECORD
from nas.training import metrics

METRICS = ("dice", "iou", "volume_error", "hausdorff95", "surface_dice")


@dataclass(frozen=True)
class Scored:
    """One case: of each metric a value for each target (NaN where it is undefined); or why there is none.

    measured: whether distances are in mm; else they are in pixels.
    """

    case: str
    values: Mapping[str, tuple[float, ...]]
    reason: str = ""
    measured: bool = True


@dataclass(frozen=True)
class Evaluation:
    """All cases, sorted by name. unlabelled: how many segmentations there is no label for."""

    labelling: Labelling
    cases: tuple[Scored, ...]
    unlabelled: int

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of what is scored."""
        return self.labelling.target_names

    @property
    def scored(self) -> tuple[Scored, ...]:
        """The cases that could be compared."""
        return tuple(case for case in self.cases if not case.reason)

    @property
    def unit(self) -> str:
        """Of distances: mm, px where no spacing is known, or both where that differs from case to case."""
        measured = {case.measured for case in self.scored}
        return "mm or px" if len(measured) > 1 else "px" if False in measured else "mm"

    def of(self, metric: str, target: int | None = None) -> npt.NDArray[np.float64]:
        """The values of a metric, one a case; of a target, or in the mean over the targets that are defined."""
        rows = np.array([case.values[metric] for case in self.scored], np.float64).reshape(-1, len(self.targets))
        if target is not None:
            return rows[:, target]
        known = ~np.isnan(rows)
        number = known.sum(axis=1)
        return np.where(number > 0, np.where(known, rows, 0).sum(axis=1) / np.maximum(number, 1), np.nan)

    def to_csv(self) -> str:
        """A row for each case and target; undefined values are empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["case", "target", *METRICS])
        for case in self.scored:
            for index, name in enumerate(self.targets):
                values = [case.values[metric][index] for metric in METRICS]
                writer.writerow([case.case, name, *("" if value != value else repr(value) for value in values)])
        return text.getvalue()

    def to_json(self) -> dict[str, Any]:
        """Means over cases, and each case; undefined values are null."""
        means = {
            metric: {
                **{name: _number(mean_of_defined(self.of(metric, index))) for index, name in enumerate(self.targets)},
                "all": _number(mean_of_defined(self.of(metric))),
            }
            for metric in METRICS
        }
        cases = [
            {"case": case.case, "reason": case.reason}
            if case.reason
            else {
                "case": case.case,
                **{
                    metric: {name: _number(value) for name, value in zip(self.targets, values, strict=True)}
                    for metric, values in case.values.items()
                },
            }
            for case in self.cases
        ]
        numbers = {"scored": len(self.scored), "unlabelled": self.unlabelled}
        return {"mean": means, "unit": self.unit, **numbers, "cases": cases}


def evaluate_folder(
    predictions: Path,
    labels: Path,
    labelling: Labelling | None = None,
    *,
    tolerance: float = 1.0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Evaluation:
    """Compare the segmentations in a folder with the labels of the same names in another, on the labels' grid.

    Args:
        predictions: segmentations.
        labels: one for each that is to be compared.
        labelling: what values mean; where it is not given, what `nas predict` wrote beside the segmentations, or else
            every value that occurs in the labels is a class.
        tolerance: of surface Dice in mm (pixels where no spacing is known).
        progress: hears how many of how many are done.

    Raises:
        InputError: a folder cannot be used, or no label has a segmentation. A pair that cannot be compared raises
            nothing; its reason is returned.
    """
    there, wanted = by_name(predictions), by_name(labels)
    if not there.keys() & wanted.keys():
        raise InputError(
            f"{predictions}: no segmentation is called as a label in {labels}, such as {next(iter(wanted))}; "
            "expected files of the same names"
        )
    labelling = labelling or labelling_written(predictions) or _occurring(wanted)
    cases = []
    for number, (name, path) in enumerate(wanted.items(), 1):
        cases.append(_scored(name, there.get(name), path, labelling, tolerance))
        progress(number, len(wanted))
    return Evaluation(labelling, tuple(cases), len(there.keys() - wanted.keys()))


def _scored(name: str, prediction: Path | None, label: Path, labelling: Labelling, tolerance: float) -> Scored:
    if prediction is None:
        return Scored(name, {}, f"{label}: has no segmentation of its name")
    try:
        truth = files.read_label(label)
        predicted = files.read_label(prediction, truth)  # segments are laid on the label's grid
        refuse(grid_problems(label, truth, prediction, predicted))
        wanted = torch.from_numpy(class_indices(label, truth, labelling))
        seen = torch.from_numpy(class_indices(prediction, predicted, labelling))
    except InputError as error:
        return Scored(name, {}, str(error))
    values = _all_metrics(wanted, seen, truth.geometry.spacing, labelling, tolerance)
    return Scored(name, values, measured=truth.geometry.measured)


def _all_metrics(
    label: torch.Tensor, predicted: torch.Tensor, spacing: Sequence[float], labelling: Labelling, tolerance: float
) -> dict[str, tuple[float, ...]]:
    predicted = predicted.masked_fill(predicted == IGNORED, 0)
    classes, targets = len(labelling.classes), labelling.targets
    table = metrics.counts(predicted, label, classes, targets)
    surfaces = metrics.surfaces(predicted, label, classes, spacing, tolerance, targets)
    return {
        "dice": tuple(metrics.dice(table)),
        "iou": tuple(metrics.iou(table)),
        "volume_error": tuple(metrics.volume_error(table)),
        "hausdorff95": surfaces.hausdorff95,
        "surface_dice": surfaces.surface_dice,
    }


def class_indices(path: Path, stored: StoredImage, labelling: Labelling) -> npt.NDArray[np.uint8]:
    """Class indices of a file of labels, IGNORED where they are to be.

    Raises:
        InputError: a value is no class's, or there are several channels.
    """
    if len(stored.voxels) != 1:
        raise InputError(
            f"{path}: found {len(stored.voxels)} channels; expected one, with a class's value in each voxel"
        )
    values = np.unique(stored.voxels)
    known = (*labelling.values, *(() if labelling.ignored is None else (labelling.ignored,)))
    strange = np.setdiff1d(values, known)
    if strange.size:
        told = ", ".join(f"{name} {value}" for name, value in zip(labelling.classes, labelling.values, strict=True))
        raise InputError(
            f"{path}: found the value {strange[0]:g}, which is no class's; expected {told}; say what values mean with "
            "--classes, or which one does not count with --ignore"
        )
    indices = np.full(stored.voxels.shape[1:], IGNORED, np.uint8)
    for index, value in enumerate(labelling.values):
        indices[stored.voxels[0] == value] = index
    return indices


def by_name(folder: Path) -> dict[str, Path]:
    """The files of a folder by the names of their cases.

    Raises:
        InputError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with a file for each case")
    endings = files.suffixes()
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    named = {files.stem(path): path for path in paths if path.name.lower().endswith(endings)}
    if not named:
        raise InputError(f"{folder}: holds no files of labels; expected some that end in {', '.join(endings)}")
    return named


def labelling_written(predictions: Path) -> Labelling | None:
    """What `nas predict` says beside its segmentations of what values mean; None where there is no such record."""
    document = read_document(predictions / RECORD)
    if document is None or document.get("format") != FORMAT:
        return None
    told = document["labels"]
    regions = tuple((region["name"], tuple(region["classes"])) for region in told["regions"])
    return Labelling(tuple(told["classes"]), tuple(told["values"]), regions)


def _occurring(labels: Mapping[str, Path]) -> Labelling:
    """Every value in the labels as a class that is called by it; 0 is the background."""
    values: set[int] = {0}
    for path in labels.values():
        found = np.unique(files.read_label(path).voxels)
        if (found != np.rint(found)).any() or (found < 0).any():
            raise InputError(f"{path}: holds values that are no whole numbers from 0 up; expected one for each class")
        values |= {int(value) for value in found}
        if len(values) > LARGEST:
            raise InputError(f"{path}: more than {LARGEST} values; expected labels, not an image")
    ordered = tuple(sorted(values))
    return Labelling(tuple("background" if value == 0 else str(value) for value in ordered), ordered)


def mean_of_defined(values: npt.NDArray[np.float64]) -> float:
    """The mean of the values that are numbers; NaN where none is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _number(value: float) -> float | None:
    return None if value != value else value
