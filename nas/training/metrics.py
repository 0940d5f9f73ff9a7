"""How well a segmentation agrees with its label, per case and target: each foreground class, or each region.

Policy for absent structures, the same for all cases and written here once:

- A target in neither label nor prediction is undefined (NaN) in every metric and left out of every mean.
- A target in one of them alone, missed or invented, has Dice, IoU and surface Dice 0, a volume error of -2 (missed) or
  2 (invented), and the image's diagonal in mm as its Hausdorff distance: never dropped, never infinite.
- Voxels whose label is 255 are not looked at.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nas.data.labelled import IGNORED
from nas.training.targets import EACH_CLASS, Targets

UNDEFINED = float("nan")


@dataclass(frozen=True)
class Surfaces:
    """Metrics of surfaces of one case, per target.

    `hausdorff95` is the 95th percentile of the symmetric surface distance in mm, `surface_dice` the share of both
    surfaces that lies within a tolerance of the other.
    """

    hausdorff95: tuple[float, ...]
    surface_dice: tuple[float, ...]


def counts(predicted: Tensor, label: Tensor, classes: int, targets: Targets = EACH_CLASS) -> Tensor:
    """Voxels of each target that are in both, in the prediction and in the label: (targets, 3), int64."""
    label = label.reshape(-1)
    flat = label.long() * classes + predicted.reshape(-1)
    table = torch.bincount(flat[label != IGNORED] if bool((label == IGNORED).any()) else flat, minlength=classes**2)
    table = table.view(classes, classes)
    both = targets.of(targets.of(table, 0), 1).diagonal()
    return torch.stack([both, targets.of(table.sum(0), 0), targets.of(table.sum(1), 0)], dim=1)


def dice(table: Tensor) -> list[float]:
    """Twice the overlap over the sum of both sizes, from `counts`."""
    return [2 * both / (a + b) if a + b else UNDEFINED for both, a, b in table.tolist()]


def iou(table: Tensor) -> list[float]:
    """The overlap over the union, from `counts`."""
    return [both / (a + b - both) if a + b else UNDEFINED for both, a, b in table.tolist()]


def volume_error(table: Tensor) -> list[float]:
    """The predicted volume less the label's, over their mean, from `counts`: -2 to 2, 0 being right."""
    return [2 * (a - b) / (a + b) if a + b else UNDEFINED for _, a, b in table.tolist()]


def surfaces(
    predicted: Tensor,
    label: Tensor,
    classes: int,
    spacing: Sequence[float],
    tolerance: float = 1.0,
    targets: Targets = EACH_CLASS,
) -> Surfaces:
    """Surface metrics of one case, MONAI's where both surfaces exist.

    Args:
        predicted: class indices, (*size).
        label: the same, 255 being ignored.
        classes: background included.
        spacing: of a voxel, in mm.
        tolerance: of surface Dice, in mm.
        targets: whose surfaces.
    """
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    diagonal = math.hypot(*(size * step for size, step in zip(label.shape, spacing, strict=True)))
    predicted = predicted.masked_fill(label == IGNORED, 0)
    distances, shares = [], []
    for each in targets.sets(classes):
        a, b = _union(predicted, each), _union(label, each)
        if not bool(a.any()) or not bool(b.any()):
            absent = not bool((a | b).any())
            distances.append(UNDEFINED if absent else diagonal)
            shares.append(UNDEFINED if absent else 0.0)
            continue
        # Both are in one small box, which is all that distance transforms have to go through.
        box = _box(a | b)
        first, second = (part[box][None, None].float().cpu() for part in (a, b))
        with warnings.catch_warnings():
            # MONAI's own functions call each other with an argument that it has deprecated.
            warnings.filterwarnings("ignore", "monai.*always_return_as_numpy", FutureWarning)
            distance = compute_hausdorff_distance(
                first, second, include_background=True, percentile=95, spacing=list(spacing)
            )
            share = compute_surface_dice(first, second, [tolerance], include_background=True, spacing=list(spacing))
        distances.append(float(distance))
        shares.append(float(share))
    return Surfaces(tuple(distances), tuple(shares))


def mean_per_target(cases: Sequence[Sequence[float]]) -> list[float]:
    """The mean over cases for each target, undefined values left out; NaN for a target defined nowhere.

    Nothing is known of any target where there are no cases.
    """
    if not cases:
        return []
    return torch.tensor(cases, dtype=torch.float64).nanmean(dim=0).tolist()


def mean_dice(per_target: Sequence[float]) -> float:
    """The mean over targets, undefined ones left out; 0 if all are; NaN if there is none, as without a case."""
    if not per_target:
        return float("nan")
    defined = [value for value in per_target if value == value]
    return sum(defined) / len(defined) if defined else 0.0


def _union(indices: Tensor, classes: Sequence[int]) -> Tensor:
    """Where any of some classes is."""
    return torch.isin(indices, torch.tensor(classes, dtype=indices.dtype, device=indices.device))


def _box(mask: Tensor) -> tuple[slice, ...]:
    """The smallest box around a mask, one voxel larger on every side, where the image goes on that far."""
    found = torch.nonzero(mask)
    low, high = (found.amin(0) - 1).clamp(min=0).tolist(), (found.amax(0) + 2).tolist()
    return tuple(slice(first, stop) for first, stop in zip(low, high, strict=True))
