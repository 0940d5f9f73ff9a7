"""What training minimises."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Loss = Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]


def dice_cross_entropy() -> Loss:
    """Soft Dice plus cross-entropy, MONAI's, as nnU-Net trains (arXiv:1809.10486).

    The result takes class scores (batch, classes, *size), or several of falling resolution for deep supervision,
    and class indices (batch, 1, *size). Each coarser output weighs half of the one before.
    """
    from monai.losses import DiceCELoss

    single = DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)

    def loss(scores: Tensor | tuple[Tensor, ...], label: Tensor) -> Tensor:
        outputs = scores if isinstance(scores, tuple) else (scores,)
        weights = [0.5**index for index in range(len(outputs))]
        total = torch.zeros((), device=label.device)
        for output, weight in zip(outputs, weights, strict=True):
            total = total + weight / sum(weights) * single(output.float(), _at(label, output.shape[2:]))
        return total

    return loss


def _at(label: Tensor, size: torch.Size) -> Tensor:
    return label if label.shape[2:] == size else F.interpolate(label, size=size, mode="nearest-exact")
