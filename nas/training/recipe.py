"""How a network is trained."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.training.augmentation import Augmentation
from nas.training.checking import ABOVE_ZERO, check_fields
from nas.training.documents import read_part, written
from nas.training.losses import Loss
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy
from nas.training.optimisers import AdamW, Optimiser
from nas.training.schedules import Cosine, Schedule

CONTENT = "@"
"""Between the name of weights and the hash of what is in them."""


@dataclass(frozen=True)
class Recipe:
    """The settings of one training. Any field may be left open (`nas.space`): then it is the template of a space.

    Args:
        steps: optimiser steps in all; None where training has a time instead, and makes as many as fit.
        batch: patches a step, at least 2 (batch norm after global pooling needs two).
        epochs: into how many parts the steps are divided; each ends with its losses and Dice on record.
        loss: what is minimised.
        optimiser: how weights follow the gradient.
        schedule: how the learning rate falls.
        learning_rate: the peak.
        weight_decay: how strongly weights are drawn to zero.
        warm_up: share of the steps over which the learning rate rises to its peak.
        clip: largest norm of the gradient.
        accumulation: in how many parts a batch is computed, its gradients added up; saves memory, not time.
        supervision: with deep supervision, the weight of each coarser output relative to the one before; 0 trains
            the finest alone.
        averaging: decay of a running mean of the weights that replaces them at the end; 0 for none.
        foreground: share of patches centred on a voxel of a random foreground class.
        augmentation: how patches are varied.
        mirrored: whether validation averages over images mirrored along the axes that training mirrors, twice the
            work for each.
        pretrained: the weights that an encoder which they fit begins with: a file of weights or a folder of such, in a
            study by its name and what is in it; None for random ones.
        frozen: share of the training in which these weights stand still, while the rest learns to use them.

    Raises:
        InputError: a field of another type or out of range.
    """

    steps: int | None = 250
    batch: int = 4
    epochs: int = 5
    loss: Loss = DiceCrossEntropy()
    optimiser: Optimiser = AdamW()
    schedule: Schedule = Cosine()
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.1
    clip: float = 1.0
    accumulation: int = 1
    supervision: float = 0.5
    averaging: float = 0.98
    foreground: float = 0.5
    augmentation: Augmentation = Augmentation()
    mirrored: bool = False
    pretrained: str | None = None
    frozen: float = 0.0

    def __post_init__(self) -> None:
        check_fields(
            self,
            steps=(1, math.inf),
            batch=(2, math.inf),
            epochs=(1, math.inf),
            learning_rate=(ABOVE_ZERO, math.inf),
            warm_up=(0, 1),
            clip=(ABOVE_ZERO, math.inf),
            accumulation=(1, math.inf),
            supervision=(0, 1),
            averaging=(0, 0.99999),
            foreground=(0, 1),
            frozen=(0, 1),
        )

    @property
    def parts(self) -> int:
        """How many epochs are reported; a training of fewer steps than `epochs` has as many as steps."""
        return self.epochs if self.steps is None else min(self.epochs, self.steps)

    def averaged_axes(self, axes: int) -> tuple[int, ...]:
        """Along which of so many axes validation mirrors images, to average over them."""
        return self.augmentation.mirrored_axes(axes) if self.mirrored else ()

    @property
    def digest(self) -> str:
        """A hash of all settings; of weights what is in them counts, not what they are called."""
        document = self.to_json()
        weights = document.pop("pretrained")
        if weights is not None:  # recipes without any keep the digest that they had before there were some
            document["pretrained"] = weights.rpartition(CONTENT)[2] if isinstance(weights, str) else weights
        if self.frozen == 0:  # likewise
            del document["frozen"]
        text = json.dumps(document, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON."""
        document: dict[str, Any] = written(self)
        return document

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` wrote; fields that it lacks have their defaults. Nothing in it is executed.

        Raises:
            InputError: an unknown field or kind, or a value that does not fit.
        """
        return read_part(Recipe, document, "recipe")
