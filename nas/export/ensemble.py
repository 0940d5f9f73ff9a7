"""A trained model as one module, as exported files hold it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas.model import TrainedModel


class Ensemble(nn.Module):
    """Members whose probabilities are averaged; its scores are their logarithm, so that softmax gives them back."""

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, image: Tensor) -> Tensor:
        """Scores (batch, classes, *size) of images (batch, channels, *size)."""
        mean = torch.stack([member(image).softmax(1) for member in self.members]).mean(0)
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


def module_of(model: TrainedModel) -> nn.Module:
    """The module whose scores are the model's, in evaluation mode, on the CPU."""
    networks = model.networks()
    return networks[0] if len(networks) == 1 else Ensemble(networks).eval()
