"""Tversky and cross-entropy."""

from dataclasses import dataclass

from nas.training.checking import ABOVE_ZERO, check_fields
from nas.training.losses import Loss, Single
from nas.training.losses.terms import cross_entropy, of_targets
from nas.training.targets import EACH_CLASS, Targets


@dataclass(frozen=True)
class Tversky(Loss):
    """Dice with false positives weighed by `alpha` and misses by `1 - alpha` (arXiv:1706.05721), plus cross-entropy."""

    alpha: float = 0.3
    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, alpha=(ABOVE_ZERO, 1))

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import TverskyLoss

        tversky = of_targets(TverskyLoss(alpha=self.alpha, beta=1 - self.alpha, batch=True), targets)
        return lambda scores, label: tversky(scores, label) + self.cross_entropy * cross_entropy(scores, label)
