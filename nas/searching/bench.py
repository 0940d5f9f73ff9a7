"""What every trial of a search shares."""

from dataclasses import dataclass

import torch

from nas.graph import Task
from nas.searching.candidates import Candidates
from nas.searching.events import Listener
from nas.searching.loading import Fold
from nas.searching.plan import Plan
from nas.study.study import Study


@dataclass(frozen=True)
class Bench:
    """All that every trial of a search shares. `seed` is that of weights and patches, and of proposals."""

    candidates: Candidates
    task: Task
    plan: Plan
    study: Study
    data: Fold
    device: torch.device
    fold: int
    seed: int
    listener: Listener
