"""Class scores of a whole image, window by window."""

from collections.abc import Callable
from itertools import combinations
from math import prod

import torch
from torch import Tensor

from nas.graph import Axes

_OVERLAP = 0.5
"""Of neighbouring windows, as in nnU-Net."""


def predict(forward: Callable[[Tensor], Tensor], image: Tensor, patch: Axes, *, mirrored: Axes = ()) -> Tensor:
    """Class indices of one image by MONAI's sliding window with Gaussian weighting, half overlapping.

    Windows have the size that networks were trained on, also where one a little larger would cover the image: what a
    norm takes from each image by itself, and how far from a border a voxel lies, then are as in training.

    Args:
        forward: scores of images, by a network in evaluation mode.
        image: normalised, (channels, *size), of any size. Beyond its border it goes on as at it, as in training.
        patch: the window.
        mirrored: axes; probabilities are averaged over the image mirrored along every set of them.

    Returns:
        Class indices (*size), uint8.
    """
    from monai.inferers import sliding_window_inference

    def scores(images: Tensor) -> Tensor:
        if not mirrored:
            return forward(images)
        axes = [2 + axis for axis in mirrored]
        sets = [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]
        total = forward(images).softmax(1)
        for chosen in sets[1:]:
            total = total + forward(images.flip(chosen)).softmax(1).flip(chosen)
        return total / len(sets)

    with torch.inference_mode():
        whole = sliding_window_inference(
            image[None], patch, sw_batch_size=4, predictor=scores, overlap=_OVERLAP, mode="gaussian",
            padding_mode="replicate",
        )  # fmt: skip
    classes: Tensor = whole[0].argmax(0).to(torch.uint8)
    return classes


def windows(size: Axes, patch: Axes) -> int:
    """How many windows `predict` cuts an image of a size into."""
    steps = [max(int(wide * (1 - _OVERLAP)), 1) for wide in patch]
    return prod(max(-(-(along - wide) // step), 0) + 1 for along, wide, step in zip(size, patch, steps, strict=True))
