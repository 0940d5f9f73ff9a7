"""Dice and the focal loss."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.data.labelled import IGNORED
from nas.training.checking import check_fields
from nas.training.losses import Loss, Single
from nas.training.losses.terms import soft_dice
from nas.training.targets import EACH_CLASS, Targets

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DiceFocal(Loss):
    """Soft Dice plus the focal loss, which looks at hard voxels (Lin et al. 2017, arXiv:1708.02002)."""

    gamma: float = 2.0
    focal: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import FocalLoss

        dice = soft_dice(targets)
        focal = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=self.gamma, reduction="none")

        def both(scores: "Tensor", label: "Tensor") -> "Tensor":
            known = label != IGNORED
            each = focal(scores, label.masked_fill(~known, 0)) * known
            # Summed over classes, as cross-entropy is, and averaged over the voxels that have a label.
            focused: Tensor = self.focal * each.sum() / known.sum().clamp(min=1)
            return dice(scores, label) + focused

        return both
