"""What every trial of a search shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nas.architecture import EncoderDecoder
from nas.graph import Task
from nas.searching.events import Listener
from nas.searching.plan import Plan
from nas.space import Space
from nas.study.study import Study
from nas.training import Sample


@dataclass(frozen=True)
class Bench:
    """All that every trial of a search shares."""

    space: Space[EncoderDecoder]
    task: Task
    plan: Plan
    study: Study
    training: Sequence[Sample]
    validation: Sequence[Sample]
    device: torch.device
    fold: int
    seed: int
    """Of weights and patches, and of proposals."""
    listener: Listener
