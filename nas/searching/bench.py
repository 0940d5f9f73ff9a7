"""What every trial of a search shares."""

from dataclasses import dataclass

import torch

from nas.searching.events import Listener
from nas.searching.ground import Ground
from nas.study.study import Study


@dataclass(frozen=True)
class Bench:
    """All that every trial of a search shares."""

    study: Study
    ground: Ground
    device: torch.device
    listener: Listener

    @property
    def fold(self) -> int:
        """The part of the data that validates."""
        return self.study.settings.fold

    @property
    def seed(self) -> int:
        """Of weights and patches, and of proposals."""
        return self.study.settings.seed
