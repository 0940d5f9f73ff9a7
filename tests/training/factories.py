"""Small samples and networks for tests of training."""

from math import prod

import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import Network, build
from nas.training import Augmentation, Recipe, Sample

STILL = Augmentation(strength=0, flips=False)
EVERYTHING = Augmentation(
    affine=1, elastic=1, noise=1, blur=1, brightness=1, contrast=1, gamma=1, low_resolution=1, cutout=1
)


def sample(size: tuple[int, ...] = (24, 20), seed: int = 0, channels: int = 1, classes: int = 3) -> Sample:
    """An image of noise with a bright box of each class."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(channels, *size, generator=generator)
    label = torch.zeros(size, dtype=torch.uint8)
    for index in range(1, classes):
        box = tuple(slice(length * index // (classes + 1), length * index // (classes + 1) + 4) for length in size)
        label[box] = index
        image[(slice(None), *box)] += 3 * index
    foreground = tuple(torch.nonzero(label == index) for index in range(1, classes))
    return Sample(f"case {seed}", image, label, (1.0,) * len(size), foreground)


def ramp(size: tuple[int, ...]) -> Sample:
    """An image that holds each voxel's own number, so that a patch tells where it was cut."""
    image = torch.arange(prod(size), dtype=torch.float32).reshape(1, *size)
    label = (image[0] % 3).to(torch.uint8)
    return Sample("ramp", image, label, (1.0,) * len(size), (torch.nonzero(label == 1), torch.nonzero(label == 2)))


def network(reference: str = "Tiny U-Net", *, axes: int = 2, patch: int = 16, rungs: int = 0, seed: int = 0) -> Network:
    """A small network for two foreground classes."""
    space = load_space("tiny" if reference == "Tiny U-Net" else "unet_family")
    return build(trace(slim(space.references[reference], rungs), Task(axes, 1, 3, (patch,) * axes)), seed=seed)


def recipe(**fields: object) -> Recipe:
    """A short training."""
    return Recipe(**{"steps": 6, "batch": 4, "epochs": 2, "augmentation": EVERYTHING, **fields})  # type: ignore[arg-type]
