"""The voxels that networks work on: the data's, or coarser ones where the budget cannot bear these."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from statistics import mean, median

import numpy as np

from nas.data import Dataset, Fingerprint, Preprocessing
from nas.data.resampling import coarse_axis, resample_classes

FACTORS = (2.0, 1.5)
"""How much coarser voxels are tried, the coarsest first."""
FAITHFUL = 0.95
"""The Dice that labels must keep with themselves when they are made coarser and put back."""
FEWEST_LOOKS = 2.0
"""How often a training must be able to look at each voxel of its cases before full resolution pays."""
VOXELS_A_SECOND = {"cpu": 4e5, "cuda": 2e7}
"""That a network of usual width is trained on, by kind of device: of a U-Net of base 16 on two cores with bfloat16."""
_CASES = 4


def bearable(
    preprocessing: Preprocessing, dataset: Dataset, fingerprint: Fingerprint, device: str, seconds: float
) -> tuple[Preprocessing, float]:
    """Preprocessing as planned, or with coarser voxels, and how much coarser they are.

    Args:
        preprocessing: at full resolution.
        dataset: some of whose labels are looked at, where the budget is short.
        fingerprint: of the data.
        device: "cpu" or "cuda".
        seconds: of one training.
    """
    looks = VOXELS_A_SECOND[device] * seconds / voxels(fingerprint, preprocessing)
    if looks >= FEWEST_LOOKS:
        return preprocessing, 1.0
    cases = dataset.cases[:: max(len(dataset.cases) // _CASES, 1)][:_CASES]
    labels = [(volume.label, volume.geometry.spacing) for volume in map(dataset.load, cases)]
    factor = coarsest(lambda factor: mean(faithfulness(label, spacing, factor) for label, spacing in labels))
    return replace(preprocessing, spacing=coarser(preprocessing.spacing, factor)), factor


def coarsest(faithful: Callable[[float], float]) -> float:
    """The largest factor at which labels stay what they are, 1 where none does."""
    return next((factor for factor in FACTORS if faithful(factor) >= FAITHFUL), 1.0)


def coarser(spacing: Sequence[float], factor: float) -> tuple[float, ...]:
    """A spacing so many times coarser, but for slices that are thick already."""
    thick = coarse_axis(spacing)
    return tuple(step if axis == thick else step * factor for axis, step in enumerate(spacing))


def faithfulness(label: np.ndarray, spacing: Sequence[float], factor: float) -> float:
    """The Dice of a label with itself made coarser and put back, the mean over the classes in it; 1 without any."""
    thick = coarse_axis(spacing)
    size = [length if axis == thick else max(round(length / factor), 1) for axis, length in enumerate(label.shape)]
    back = resample_classes(resample_classes(label, size, thick), label.shape, thick)
    shares = [_dice(back == index, label == index) for index in np.unique(label) if index not in (0, 255)]
    return mean(shares) if shares else 1.0


def voxels(fingerprint: Fingerprint, preprocessing: Preprocessing) -> float:
    """Of all training cases of a fold, about, as preprocessed."""
    target = prod(preprocessing.spacing)
    sizes = [prod(case.shape) * prod(case.spacing) / target for case in fingerprint.case_summaries]
    return max(0.8 * len(sizes) * median(sizes), 1.0)


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))
