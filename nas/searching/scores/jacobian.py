"""A Jacobian score (Mellor et al. 2020, arXiv:2006.04647v1): how unlike each other the gradients by the images are."""

from collections.abc import Sequence

import torch

from nas.network import Network
from nas.searching.scores import Batch, Loss

SUMMARY = "how unlike gradients by the image are"
_SMALL = 1e-5


def score(network: Network, batches: Sequence[Batch], loss: Loss) -> float:
    """From the eigenvalues of the correlations between images' Jacobians; higher where these differ."""
    images = torch.cat([images for images, _ in batches]).requires_grad_()
    scores = network.train()(images)
    finest = scores[0] if isinstance(scores, tuple) else scores
    (jacobian,) = torch.autograd.grad(finest.sum(), images)
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(jacobian.flatten(1).double())).clamp_min(0) + _SMALL
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())
