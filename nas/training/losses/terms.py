"""The terms that losses are sums of."""

from typing import TYPE_CHECKING

from nas.data.labelled import IGNORED
from nas.training.losses import Single
from nas.training.targets import Targets

if TYPE_CHECKING:
    from torch import Tensor

_SMOOTH = 1e-5
"""Keeps the overlap of nothing with nothing defined, as in MONAI."""


def soft_dice(targets: Targets) -> Single:
    """One minus the soft Dice of each target over the batch, the mean over targets.

    MONAI's `DiceLoss(batch=True)` in three lines: importing MONAI takes seconds, which a short search would feel.
    """
    return of_targets(_soft_dice, targets)


def _soft_dice(probabilities: "Tensor", masks: "Tensor") -> "Tensor":
    axes = (0, *range(2, masks.ndim))
    both, either = (probabilities * masks).sum(axes), (probabilities + masks).sum(axes)
    return 1 - ((2 * both + _SMOOTH) / (either + _SMOOTH)).mean()


def of_targets(loss: Single, targets: Targets, *, background: bool = False) -> Single:
    """A loss of scores and label from one of the probabilities and masks of targets, each (batch, targets, *size)."""

    def between(scores: "Tensor", label: "Tensor") -> "Tensor":
        import torch

        indices = torch.arange(scores.shape[1], device=label.device).view(1, -1, *(1,) * (scores.ndim - 2))
        probabilities, masks = scores.softmax(1), (label == indices).to(scores.dtype)
        return loss(targets.of(probabilities, background=background), targets.of(masks, background=background))

    return _without_ignored(between)


def cross_entropy(scores: "Tensor", label: "Tensor") -> "Tensor":
    """The mean over the voxels that have a label; 0 where none has."""
    from torch.nn import functional

    total = functional.cross_entropy(scores, label[:, 0].long(), ignore_index=IGNORED, reduction="sum")
    return total / (label != IGNORED).sum().clamp(min=1)


def _without_ignored(loss: Single) -> Single:
    """A loss over structures in which ignored voxels are background, predicted as such beyond doubt."""

    def without(scores: "Tensor", label: "Tensor") -> "Tensor":
        import torch

        ignored = label == IGNORED
        certain = torch.zeros_like(scores[:1, :, *(slice(1),) * (scores.ndim - 2)])
        certain[:, 0] = 100
        return loss(torch.where(ignored, certain, scores), label.masked_fill(ignored, 0))

    def either(scores: "Tensor", label: "Tensor") -> "Tensor":
        # On a GPU looking would make it wait, which costs more than the masking.
        masked = label.is_cuda or bool((label == IGNORED).any())
        return without(scores, label) if masked else loss(scores, label)

    return either
