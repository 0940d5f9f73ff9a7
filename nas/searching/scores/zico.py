"""ZiCo (Li et al. 2023, arXiv:2301.11300): gradients that are large and change little from batch to batch."""

import math
from collections.abc import Sequence

import torch

from nas.network import Network
from nas.searching.scores import Batch, Loss

SUMMARY = "mean over deviation of gradients"


def score(network: Network, batches: Sequence[Batch], loss: Loss) -> float:
    """The sum over layers of the logarithm of summed mean over deviation."""
    gradients: dict[str, list[torch.Tensor]] = {}
    for images, labels in batches:
        network.train().zero_grad()
        loss(network(images), labels).backward()
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1 and parameter.grad is not None:
                gradients.setdefault(name, []).append(parameter.grad.detach().abs().clone())
    total = 0.0
    for values in gradients.values():
        stacked = torch.stack(values)
        deviation = stacked.std(0)
        ratio = float((stacked.mean(0) / deviation)[deviation > 0].sum())
        total += math.log(ratio) if ratio > 0 else 0.0
    return total
