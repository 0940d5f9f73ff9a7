"""SynFlow (Tanaka et al. 2020, arXiv:2006.05467): how much of a signal all paths of weights let through."""

import math
from collections.abc import Sequence

import torch

from nas.network import Network
from nas.searching.scores import Batch, Loss

SUMMARY = "flow along all paths of weights"
_SMALLEST = 1e-300


def score(network: Network, batches: Sequence[Batch], loss: Loss) -> float:
    """The logarithm of the sum of weights times their gradients, all weights positive, of an image of ones.

    In evaluation mode, where a batch norm does nothing at the start; other norms take their part.
    """
    images, _ = batches[0]
    network.double().eval().zero_grad()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    scores = network(torch.ones_like(images[:1], dtype=torch.float64))
    scores.sum().backward()
    with torch.no_grad():
        flows = [(weight * weight.grad).sum().abs() for weight in network.parameters() if weight.grad is not None]
    return math.log(max(float(torch.stack(flows).sum()), _SMALLEST))
