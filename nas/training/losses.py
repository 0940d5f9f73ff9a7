"""What training minimises. A loss is a frozen value; `function` makes it callable."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.training.checking import ABOVE_ZERO, check_fields
from nas.training.targets import EACH_CLASS, Targets

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = 255
"""The label of voxels that nobody annotated: they take part in no loss and no metric."""

Single = Callable[["Tensor", "Tensor"], "Tensor"]
"""From float scores (batch, classes, *size) and class indices (batch, 1, *size) of one resolution to a scalar."""


@dataclass(frozen=True)
class Loss:
    """What every loss has.

    Voxels labelled `IGNORED` are left out: where cross-entropy or a focal term averages over voxels, exactly; in the
    overlap terms they count as background that was predicted for certain, which adds nothing to any structure.

    Terms of overlap and of boundaries look at targets: at regions where the data declare such. Cross-entropy and focal
    terms look at the classes, which exclude each other.
    """

    def function(self, targets: Targets = EACH_CLASS) -> Single:
        """The loss of one output; MONAI's wherever it has it."""
        raise NotImplementedError


@dataclass(frozen=True)
class DiceCrossEntropy(Loss):
    """Soft Dice over the batch plus cross-entropy, as nnU-Net trains (arXiv:1809.10486)."""

    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        dice = _dice(targets)
        return lambda scores, label: dice(scores, label) + self.cross_entropy * _cross_entropy(scores, label)


@dataclass(frozen=True)
class DiceFocal(Loss):
    """Soft Dice plus the focal loss, which looks at hard voxels (Lin et al. 2017, arXiv:1708.02002)."""

    gamma: float = 2.0
    focal: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import FocalLoss

        dice = _dice(targets)
        focal = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=self.gamma, reduction="none")

        def both(scores: "Tensor", label: "Tensor") -> "Tensor":
            known = label != IGNORED
            each = focal(scores, label.masked_fill(~known, 0)) * known
            # Summed over classes, as cross-entropy is, and averaged over the voxels that have a label.
            focused: Tensor = self.focal * each.sum() / known.sum().clamp(min=1)
            return dice(scores, label) + focused

        return both


@dataclass(frozen=True)
class Tversky(Loss):
    """Dice with false positives weighed by `alpha` and misses by `1 - alpha` (arXiv:1706.05721), plus cross-entropy."""

    alpha: float = 0.3
    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, alpha=(ABOVE_ZERO, 1))

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import TverskyLoss

        tversky = _of_targets(TverskyLoss(alpha=self.alpha, beta=1 - self.alpha, batch=True), targets)
        return lambda scores, label: tversky(scores, label) + self.cross_entropy * _cross_entropy(scores, label)


@dataclass(frozen=True)
class GeneralisedDice(Loss):
    """Dice whose structures weigh by the inverse of their squared volume (arXiv:1707.03237), plus cross-entropy."""

    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import GeneralizedDiceLoss

        # The background takes part here: it keeps the loss defined in a patch without any structure.
        dice = _of_targets(GeneralizedDiceLoss(batch=True), targets, background=True)
        return lambda scores, label: dice(scores, label) + self.cross_entropy * _cross_entropy(scores, label)


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
        boundary = _of_targets(HausdorffDTLoss(include_background=True), targets)
        return lambda scores, label: overlap(scores, label) + self.boundary * boundary(scores, label)


def supervised(
    loss: Loss, decay: float, targets: Targets = EACH_CLASS
) -> "Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]":
    """A loss of one or of several outputs.

    The result takes class scores (batch, classes, *size), or several of falling resolution for deep supervision,
    and class indices (batch, 1, *size) of any type. Each coarser output weighs `decay` times the one before; one that
    weighs nothing costs nothing.
    """
    single = loss.function(targets)

    def total(scores: "Tensor | tuple[Tensor, ...]", label: "Tensor") -> "Tensor":
        outputs = scores if isinstance(scores, tuple) else (scores,)
        weights = [decay**index for index in range(len(outputs))]
        parts = [
            weight / sum(weights) * single(output.float(), _at(label, output))
            for output, weight in zip(outputs, weights, strict=True)
            if weight > 0
        ]
        return sum(parts[1:], start=parts[0])

    return total


def _dice(targets: Targets) -> Single:
    from monai.losses import DiceLoss

    return _of_targets(DiceLoss(batch=True), targets)


def _of_targets(loss: Single, targets: Targets, *, background: bool = False) -> Single:
    """A loss of scores and label from one of the probabilities and masks of targets, each (batch, targets, *size)."""
    from monai.networks.utils import one_hot

    def between(scores: "Tensor", label: "Tensor") -> "Tensor":
        probabilities, masks = scores.softmax(1), one_hot(label, scores.shape[1])
        return loss(targets.of(probabilities, background=background), targets.of(masks, background=background))

    return _without_ignored(between)


def _cross_entropy(scores: "Tensor", label: "Tensor") -> "Tensor":
    """The mean over the voxels that have a label; 0 where none has."""
    from torch.nn.functional import cross_entropy

    total = cross_entropy(scores, label[:, 0].long(), ignore_index=IGNORED, reduction="sum")
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


def _at(label: "Tensor", output: "Tensor") -> "Tensor":
    """The label at an output's resolution."""
    from torch.nn.functional import interpolate

    size = output.shape[2:]
    return label if label.shape[2:] == size else interpolate(label, size=size, mode="nearest-exact")
