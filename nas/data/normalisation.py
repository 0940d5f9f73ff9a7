"""Intensities made comparable between cases."""

import numpy as np
import numpy.typing as npt


def normalise(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bring every channel of one case, (channels, *spatial), to mean 0 and deviation 1; a constant one to zeros."""
    spatial = tuple(range(1, image.ndim))
    mean = image.mean(axis=spatial, keepdims=True, dtype=np.float64)
    deviation = image.std(axis=spatial, keepdims=True, dtype=np.float64)
    # Rounding gives a constant channel a tiny deviation, which would blow its rounding errors up.
    constant = image.max(axis=spatial, keepdims=True) == image.min(axis=spatial, keepdims=True)
    normalised = np.where(constant, 0, image - mean) / np.where(constant, 1, deviation)
    return normalised.astype(np.float32)
