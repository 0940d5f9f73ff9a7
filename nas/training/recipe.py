"""How a network is trained."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from nas.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """The settings of one training; every network of a study is trained by the same.

    Args:
        steps: optimiser steps in all.
        batch: patches a step, at least 2 (batch norm after global pooling needs two).
        epochs: into how many parts the steps are divided; each ends with its losses and Dice on record.
        learning_rate: the peak; it warms up over the first tenth of the steps and falls to zero along a cosine.
        weight_decay: AdamW's (Loshchilov and Hutter 2019, arXiv:1711.05101).
        clip: largest norm of the gradient.
        foreground: share of patches centred on a voxel of a random foreground class.
        flips: whether patches are mirrored, each axis half of the time.
        rotation: largest rotation in degrees about each axis.
        scaling: largest relative change of size.

    Raises:
        InputError: a number out of range.
    """

    steps: int = 250
    batch: int = 4
    epochs: int = 5
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    clip: float = 1.0
    foreground: float = 0.5
    flips: bool = True
    rotation: float = 10.0
    scaling: float = 0.1

    def __post_init__(self) -> None:
        smallest = {"steps": 1, "batch": 2, "epochs": 1, "learning_rate": 1e-12, "clip": 1e-12}
        for field in fields(self):
            value, low = getattr(self, field.name), smallest.get(field.name, 0)
            if value < low:
                raise InputError(f"recipe {field.name}: found {value}, expected at least {low}")
        if self.foreground > 1:
            raise InputError(f"recipe foreground: found {self.foreground}, expected a share from 0 to 1")

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON."""
        return asdict(self)

    @staticmethod
    def from_json(document: dict[str, Any]) -> "Recipe":
        """The recipe that `to_json` wrote."""
        return Recipe(**document)
