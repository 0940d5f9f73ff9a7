"""Class scores of a whole image, window by window."""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from nas.graph import Axes

_LARGEST_WINDOW = 2
"""A window grows to the image's own size along axes where that is at most this many times the patch."""


def predict(
    forward: Callable[[Tensor], Tensor], image: Tensor, patch: Axes, stride: Axes, *, mirrored: Axes = ()
) -> Tensor:
    """Class indices of one image by MONAI's sliding window with Gaussian weighting.

    Args:
        forward: scores of images, by a network in evaluation mode.
        image: normalised, (channels, *size), of any size. Beyond its border it goes on as at it, as in training.
        patch: the window, unless the image is not much larger: then one window covers it.
        stride: what each axis of a window must be a multiple of.
        mirrored: axes; probabilities are averaged over the image mirrored along every set of them.

    Returns:
        Class indices (*size), uint8.
    """
    from monai.inferers import sliding_window_inference

    window = tuple(
        -(-size // step) * step if size <= _LARGEST_WINDOW * wide else wide
        for size, wide, step in zip(image.shape[1:], patch, stride, strict=True)
    )

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
            image[None], window, sw_batch_size=4, predictor=scores, overlap=0.5, mode="gaussian",
            padding_mode="replicate",
        )  # fmt: skip
    classes: Tensor = whole[0].argmax(0).to(torch.uint8)
    return classes
