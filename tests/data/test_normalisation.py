"""Intensities are made comparable case by case."""

import numpy as np
import pytest

from nas.data.normalisation import normalise


@pytest.mark.parametrize("scale", [1e-30, 1, 1.7e6])
@pytest.mark.parametrize("shape", [(1, 20, 30), (3, 8, 9, 10)])
def test_every_channel_has_mean_zero_and_deviation_one(shape: tuple[int, ...], scale: float) -> None:
    image = (scale * np.random.default_rng(0).gamma(2, size=shape)).astype(np.float32)
    normalised = normalise(image)
    assert normalised.dtype == np.float32
    for channel in normalised:
        assert channel.mean() == pytest.approx(0, abs=1e-4)
        assert channel.std() == pytest.approx(1, abs=1e-4)


def test_a_constant_channel_becomes_zeros_and_leaves_the_others_alone() -> None:
    image = np.stack([np.full((4, 4), 1234.567), np.arange(16.0).reshape(4, 4)]).astype(np.float32)
    constant, other = normalise(image)
    assert not constant.any()
    assert other.std() == pytest.approx(1)
