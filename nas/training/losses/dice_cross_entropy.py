"""Dice and cross-entropy."""

from dataclasses import dataclass

from nas.training.checking import check_fields
from nas.training.losses import Loss, Single
from nas.training.losses.terms import cross_entropy, soft_dice
from nas.training.targets import EACH_CLASS, Targets


@dataclass(frozen=True)
class DiceCrossEntropy(Loss):
    """Soft Dice over the batch plus cross-entropy, as nnU-Net trains (arXiv:1809.10486)."""

    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        dice = soft_dice(targets)
        return lambda scores, label: dice(scores, label) + self.cross_entropy * cross_entropy(scores, label)
