"""Cases as volumes: what is cut out, how coarse it gets, and that it lies where the image lies."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from nibabel.nifti1 import Nifti1Image

from nas.data import IGNORED, Volume
from nas.data.geometry import Geometry
from nas.report.page import page
from nas.report.volumes import SIDE, VOXELS, case_volume, coarsening
from tests.report.factories import HOSTILE, stored
from tests.report.volumes import TILTED, balls, shown

WINDOW = (0.0, 300.0)


def opened(packed: bytes) -> Nifti1Image:
    return Nifti1Image.from_bytes(gzip.decompress(packed))


@pytest.mark.parametrize(
    ("sizes", "spacing", "steps"),
    [
        ((35, 51, 35), (1.0, 1.0, 1.0), [1, 1, 1]),
        ((320, 320, 20), (0.6, 0.6, 4.0), [4, 4, 1]),
        ((96, 96, 96), (1.0, 1.0, 1.0), [2, 2, 1]),
        ((500, 1, 1), (1.0, 1.0, 1.0), [6, 1, 1]),
    ],
)
def test_the_finest_axes_become_coarser(sizes: tuple[int, ...], spacing: tuple[float, ...], steps: list[int]) -> None:
    assert coarsening(sizes, spacing) == steps


@given(some.tuples(*[some.integers(1, 700)] * 3), some.tuples(*[some.floats(0.1, 10)] * 3))
def test_however_large_a_case_is_its_volume_is_small(sizes: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    counts = [-(-size // step) for size, step in zip(sizes, coarsening(sizes, spacing), strict=True)]
    assert max(counts) <= SIDE
    assert np.prod(counts) <= VOXELS


@pytest.mark.parametrize("size", [40, 130])
def test_a_volume_lies_where_the_image_lies(size: int) -> None:
    volume = balls(size).load(balls(size).cases[0])
    small = case_volume(volume, {"truth": volume.label}, WINDOW)
    image, label = opened(small.image), opened(small.labels[0][1])
    assert image.get_data_dtype() == label.get_data_dtype() == np.uint8
    assert image.shape == label.shape
    assert max(image.shape) <= SIDE
    # The middle of a structure is at the same millimetres, within a voxel of the coarser grid.
    before = TILTED @ [*np.argwhere(volume.label == 2).mean(axis=0), 1]
    after = label.affine @ [*np.argwhere(np.asarray(label.dataobj) == 2).mean(axis=0), 1]
    assert np.abs(before - after).max() < np.abs(np.diag(label.affine)[:3]).max()
    assert small.oriented


def test_without_structures_all_is_shown_and_what_nobody_knows_is_no_class() -> None:
    label = np.full((8, 9, 10), IGNORED, np.uint8)
    volume = Volume(np.ones((1, 8, 9, 10), np.float32), label, Geometry((1.0, 2.0, 3.0), oriented=False))
    small = case_volume(volume, {"truth": label, "other": np.zeros_like(label)}, WINDOW)
    image = opened(small.image)
    assert image.shape == (8, 9, 10)
    assert np.diag(image.affine).tolist() == [1, 2, 3, 1]
    assert not np.asarray(opened(small.labels[0][1]).dataobj).any()
    assert not small.oriented


def test_a_page_embeds_the_viewer_only_where_there_are_volumes() -> None:
    material, images = shown(stored(6).material)
    text = page(material, images)
    assert text.count('id="library-niivue"') == text.count('id="library-plotly"') == 1
    assert "Copyright (c) 2021, Niivue" in text
    flat = replace(images, cases=tuple(replace(case, volume=None) for case in images.cases))
    assert 'id="library-niivue"' not in page(material, flat)


def test_names_of_cases_and_networks_are_text_in_the_viewer() -> None:
    material, images = shown(stored(6).material)
    first = images.cases[0]
    assert first.volume is not None
    hostile = replace(first.volume, labels=tuple((HOSTILE, label) for _, label in first.volume.labels))
    text = page(material, replace(images, cases=(replace(first, title=HOSTILE, volume=hostile),)))
    assert "<img src=x" not in text
