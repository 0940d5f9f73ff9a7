"""Free scores: what is measured on an untrained network in a moment, in the hope that it foretells its Dice.

One module a score, found by looking: a `SUMMARY`, and `score(network, batches, loss)`, higher being better. None of
them is used by a search unless a table shows it to rank better than parameters and MACs do.
"""

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast

from torch import Tensor

from nas.network import Network

Batch = tuple[Tensor, Tensor]
"""Images (batch, channels, *size) and class indices (batch, 1, *size)."""
Loss = Callable[["Tensor | tuple[Tensor, ...]", Tensor], Tensor]


class Score(Protocol):
    """What a module in this package offers."""

    SUMMARY: str

    def score(self, network: Network, batches: Sequence[Batch], loss: Loss) -> float:
        """How good an untrained network is taken to be; it may be left in any state."""


def score_names() -> tuple[str, ...]:
    """The names of all scores."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def score_of(name: str) -> Score:
    """The score of a name."""
    return cast(Score, import_module(f"{__name__}.{name}"))
