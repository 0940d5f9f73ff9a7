"""NASWOT (Mellor et al. 2021, arXiv:2006.04647): how differently images switch a network's units on and off."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nas.network import Network
from nas.searching.scores import Batch, Loss

SUMMARY = "how differently images switch units on and off"


def score(network: Network, batches: Sequence[Batch], loss: Loss) -> float:
    """The logarithm of the determinant of how many units agree, image by image.

    A unit is on where what its norm gives to the activation is positive; networks without norms are taken at their
    convolutions.
    """
    images = torch.cat([images for images, _ in batches])
    agreeing = torch.zeros(len(images), len(images), dtype=torch.float64)

    def look(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        on = (output.detach() > 0).flatten(1).double()
        agreeing.add_(on @ on.T + (1 - on) @ (1 - on).T)

    hooks = [module.register_forward_hook(look) for module in _watched(network)]
    try:
        with torch.no_grad():
            network.train()(images)
    finally:
        for hook in hooks:
            hook.remove()
    return float(torch.linalg.slogdet(agreeing).logabsdet)


def _watched(network: Network) -> list[nn.Module]:
    kinds = [[module for module in network.modules() if kind in type(module).__name__] for kind in ("Norm", "Conv")]
    return kinds[0] or kinds[1]
