"""Generalised Dice and cross-entropy."""

from dataclasses import dataclass

from nas.training.checking import check_fields
from nas.training.losses import Loss, Single
from nas.training.losses.terms import cross_entropy, of_targets
from nas.training.targets import EACH_CLASS, Targets


@dataclass(frozen=True)
class GeneralisedDice(Loss):
    """Dice whose structures weigh by the inverse of their squared volume (arXiv:1707.03237), plus cross-entropy."""

    cross_entropy: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def function(self, targets: Targets = EACH_CLASS) -> Single:  # noqa: D102
        from monai.losses import GeneralizedDiceLoss

        # The background takes part here: it keeps the loss defined in a patch without any structure.
        dice = of_targets(GeneralizedDiceLoss(batch=True), targets, background=True)
        return lambda scores, label: dice(scores, label) + self.cross_entropy * cross_entropy(scores, label)
