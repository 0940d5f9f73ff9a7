"""Slices of volumes as cases of two axes."""

from pathlib import Path

import numpy as np
import pytest

from nas.data import PreparedDataset, check, open_dataset, plan_preprocessing, prepare_dataset, slices
from nas.errors import InputError

from .factories import BOX, bids, msd, nnunet_png


@pytest.fixture
def volumes(tmp_path: Path) -> PreparedDataset:
    dataset = open_dataset(msd(tmp_path / "data", channels=2))
    return prepare_dataset(dataset, plan_preprocessing(check(dataset)), tmp_path / "cache")


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("neighbours", [0, 1, 2])
def test_slices_are_cut_from_the_volumes(axis: int, neighbours: int, volumes: PreparedDataset) -> None:
    cut = slices(volumes, axis, neighbours)
    assert cut.axes == 2
    assert len(cut.cases) == 3 * BOX[axis]
    assert len(cut.channels) == 2 * (2 * neighbours + 1)
    first, last = cut.cases[0], cut.cases[BOX[axis] - 1]
    volume = volumes.cases[0]
    for case, number in ((first, 0), (last, BOX[axis] - 1)):
        assert case.name == f"case_1:{number:04d}"
        assert case.image.shape == (len(cut.channels), *case.size)
        assert case.spacing == tuple(np.delete(volume.spacing, axis))
        around = np.clip(np.arange(number - neighbours, number + neighbours + 1), 0, BOX[axis] - 1)
        expected = np.concatenate([volume.image.take(at, 1 + axis % 3) for at in around])
        np.testing.assert_array_equal(case.image, expected)
        np.testing.assert_array_equal(case.label, volume.label.take(number, axis))


def test_a_slice_knows_its_foreground(volumes: PreparedDataset) -> None:
    for case in slices(volumes).cases:
        for voxels in case.foreground:
            assert len(np.unique(case.label[tuple(voxels.T)])) == 1
    (voxels,) = slices(volumes, 0).cases[-1].foreground
    assert voxels.shape[1] == 2


def test_a_volume_is_never_split(tmp_path: Path) -> None:
    dataset = open_dataset(bids(tmp_path / "data"))
    volumes = prepare_dataset(dataset, plan_preprocessing(check(dataset)), tmp_path / "cache")
    assert volumes.split(0) == dataset.split(0)
    for fold in (0, 1):
        whole, parts = volumes.split(fold), slices(volumes).split(fold)
        assert {name.partition(":")[0] for name in parts.validation} == set(whole.validation)
        assert {name.partition(":")[0] for name in parts.training} == set(whole.training)
        subjects = [{name[:6] for name in part} for part in (whole.training, whole.validation)]
        assert not subjects[0] & subjects[1]


def test_a_slice_has_no_original_grid(volumes: PreparedDataset) -> None:
    case = slices(volumes).cases[0]
    with pytest.raises(TypeError, match="restore the volume"):
        case.restore(np.array(case.label))
    with pytest.raises(TypeError, match="ask the volume"):
        case.original_label()


def test_what_cannot_be_cut(volumes: PreparedDataset, tmp_path: Path) -> None:
    flat = open_dataset(nnunet_png(tmp_path / "flat"))
    prepared = prepare_dataset(flat, plan_preprocessing(check(flat)), tmp_path / "cache")
    with pytest.raises(InputError, match="is 2D; expected 3D"):
        slices(prepared)
    with pytest.raises(InputError, match="found axis 3 and 0 neighbours"):
        slices(volumes, 3)
    with pytest.raises(InputError, match="found axis 0 and -1 neighbours"):
        slices(volumes, 0, -1)
