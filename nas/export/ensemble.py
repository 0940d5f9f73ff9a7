"""A trained model as one module, as exported files hold it."""

from collections.abc import Callable, Sequence

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


def scores_of(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """What a module gives for images, without anything for training kept."""

    def scores(images: Tensor) -> Tensor:
        with torch.inference_mode():
            result: Tensor = module(images)
        return result

    return scores


def module_of(model: TrainedModel) -> nn.Module:
    """The module whose scores are the model's, in evaluation mode, on the CPU."""
    return joined(model.networks())


def joined(networks: Sequence[nn.Module]) -> nn.Module:
    """The one network there is, or all of them averaged, in evaluation mode."""
    return networks[0] if len(networks) == 1 else Ensemble(networks).eval()
