"""Class scores of a whole image, window by window."""

import torch
from torch import Tensor, nn

from nas.graph import Axes

_LARGEST_WINDOW = 2
"""A window grows to the image's own size along axes where that is at most this many times the patch."""


def predict(network: nn.Module, image: Tensor, patch: Axes, stride: Axes) -> Tensor:
    """Class indices of one image by MONAI's sliding window with Gaussian weighting.

    Args:
        network: in evaluation mode.
        image: normalised, (channels, *size), of any size.
        patch: the window, unless the image is not much larger: then one window covers it.
        stride: what each axis of a window must be a multiple of.

    Returns:
        Class indices (*size), uint8.
    """
    from monai.inferers import sliding_window_inference

    window = tuple(
        -(-size // step) * step if size <= _LARGEST_WINDOW * wide else wide
        for size, wide, step in zip(image.shape[1:], patch, stride, strict=True)
    )
    with torch.inference_mode():
        scores = sliding_window_inference(
            image[None], window, sw_batch_size=4, predictor=network, overlap=0.5, mode="gaussian"
        )
    classes: Tensor = scores[0].argmax(0).to(torch.uint8)
    return classes
