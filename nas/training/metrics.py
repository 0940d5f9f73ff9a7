"""How well a segmentation agrees with its label.

Policy for absent structures: where a class is in neither label nor prediction its Dice is undefined (NaN) and left
out of every mean; where it is in one of them only its Dice is 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def agreement(predicted: Tensor, label: Tensor, classes: int) -> list[tuple[int, int]]:
    """Twice the overlap and the sum of both sizes, in voxels, of each foreground class: Dice is their quotient."""
    counts = []
    for index in range(1, classes):
        a, b = predicted == index, label == index
        counts.append((2 * int((a & b).sum()), int(a.sum() + b.sum())))
    return counts


def dice_per_class(predicted: Tensor, label: Tensor, classes: int) -> list[float]:
    """Dice of each foreground class, 0 to 1 or NaN, of two arrays of class indices of one shape."""
    return [twice / sizes if sizes else float("nan") for twice, sizes in agreement(predicted, label, classes)]


def mean_per_class(cases: Sequence[Sequence[float]]) -> list[float]:
    """The mean over cases for each class, undefined values left out; NaN for a class defined nowhere."""
    return torch.tensor(cases, dtype=torch.float64).nanmean(dim=0).tolist()


def mean_dice(per_class: Sequence[float]) -> float:
    """The mean over classes, undefined ones left out; 0 if all are."""
    defined = [value for value in per_class if value == value]
    return sum(defined) / len(defined) if defined else 0.0
