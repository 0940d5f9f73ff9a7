"""An image without a label is read and checked as that of a labelled case is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.data import open_dataset, read_image
from nas.errors import InputError

from .factories import (
    BOX,
    bids,
    intensities,
    msd,
    nnunet_colour,
    nnunet_nifti,
    nnunet_png,
    nnunet_tiff,
    pairs_jpeg,
    pairs_tiff,
    write,
)

LAYOUTS = [msd, nnunet_nifti, nnunet_png, nnunet_colour, nnunet_tiff, pairs_tiff, pairs_jpeg, bids]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_it_is_the_image_of_the_case(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    dataset = open_dataset(layout(tmp_path))
    case = dataset.cases[1]
    volume, image = dataset.load(case), read_image(case.images, dataset.axes, dataset.channels)
    np.testing.assert_array_equal(image.voxels, volume.image)
    assert image.geometry.spacing == volume.geometry.spacing
    np.testing.assert_array_equal(image.geometry.affine, volume.geometry.affine)


@pytest.mark.parametrize(
    ("names", "axes", "channels", "message"),
    [
        (["a"], 2, ["T1"], "a.nii.gz: 3D, but the first case is 2D"),
        (["a"], 3, ["T1", "T2"], "a.nii.gz: channels: found 1; expected the 2 declared"),
        (["a", "small"], 3, ["T1", "T2"], "small.nii.gz: shape .* but .*a.nii.gz has"),
        (["a", "moved"], 3, ["T1", "T2"], "moved.nii.gz: its affine differs from that of .*a.nii.gz"),
        (["nowhere"], 3, ["T1"], "nowhere.nii.gz: no such file"),
    ],
)
def test_what_is_no_such_image(names: list[str], axes: int, channels: list[str], message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.nii.gz", intensities("a", BOX))
    write(tmp_path / "small.nii.gz", intensities("a", (16, 16, 6)))
    write(tmp_path / "moved.nii.gz", intensities("a", BOX), np.diag([2.0, 1.5, 2.0, 1.0]))
    with pytest.raises(InputError, match=message):
        read_image([tmp_path / f"{name}.nii.gz" for name in names], axes, channels)
