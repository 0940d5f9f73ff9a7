"""When networks see coarser voxels than the data have."""

import numpy as np
import pytest

from nas.searching.setup.resolution import coarser, coarsest, faithfulness


@pytest.mark.parametrize(
    ("spacing", "factor", "result"),
    [
        ((1.0, 1.0), 2.0, (2.0, 2.0)),
        ((1.5, 1.5, 10.0), 2.0, (3.0, 3.0, 10.0)),
        ((1.0, 1.0, 1.0), 1.5, (1.5, 1.5, 1.5)),
    ],
    ids=["an image", "thick slices stay", "cubes"],
)
def test_all_axes_but_thick_slices_become_coarser(
    spacing: tuple[float, ...], factor: float, result: tuple[float, ...]
) -> None:
    assert coarser(spacing, factor) == result


def test_large_structures_keep_their_shape_and_thin_ones_do_not() -> None:
    large, thin = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    large[20:80, 20:80], thin[::7] = 1, 1
    assert faithfulness(large, (1.0, 1.0), 2.0) > 0.98
    assert faithfulness(thin, (1.0, 1.0), 2.0) < 0.8
    assert faithfulness(np.zeros((9, 9), np.uint8), (1.0, 1.0), 2.0) == 1.0


@pytest.mark.parametrize(
    ("kept", "factor"), [({2.0: 0.99, 1.5: 1.0}, 2.0), ({2.0: 0.9, 1.5: 0.96}, 1.5), ({2.0: 0.5, 1.5: 0.5}, 1.0)]
)
def test_voxels_are_as_coarse_as_labels_bear(kept: dict[float, float], factor: float) -> None:
    assert coarsest(kept.__getitem__) == factor
