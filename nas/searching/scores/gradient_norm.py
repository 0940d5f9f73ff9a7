"""The length of the loss's gradient (Abdelfattah et al. 2021, arXiv:2101.08134)."""

from collections.abc import Sequence

import torch

from nas.network import Network
from nas.searching.scores import Batch, Loss

SUMMARY = "length of the gradient"


def score(network: Network, batches: Sequence[Batch], loss: Loss) -> float:
    """The norm over all weights, of the first batch."""
    images, labels = batches[0]
    network.train().zero_grad()
    loss(network(images), labels).backward()
    gradients = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
    return float(torch.cat(gradients).norm())
