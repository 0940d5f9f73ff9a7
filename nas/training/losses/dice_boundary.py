"""Dice, cross-entropy and a loss of boundaries."""

from dataclasses import dataclass

from nas.training.checking import check_fields
from nas.training.losses import Loss, Single
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy
from nas.training.losses.terms import of_targets
from nas.training.targets import EACH_CLASS, Targets


@dataclass(frozen=True)
class DiceBoundary(Loss):
    """Dice and cross-entropy plus MONAI's Hausdorff loss by distance transforms (arXiv:1904.10030).

    The distance transforms run on the CPU and cost much more than a small network's step.
    """

    boundary: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import HausdorffDTLoss

        overlap = DiceCrossEntropy().function(targets)
        boundary = of_targets(HausdorffDTLoss(include_background=True), targets)
        return lambda scores, label: overlap(scores, label) + self.boundary * boundary(scores, label)
