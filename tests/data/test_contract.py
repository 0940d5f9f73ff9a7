"""What every data set keeps to, whoever reads or makes it."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas.data import (
    IGNORED,
    Dataset,
    Fingerprint,
    PreparedDataset,
    Preprocessing,
    brain,
    check,
    open_dataset,
    open_prepared,
    plan_preprocessing,
    prepare_dataset,
)

from .factories import (
    SHARED,
    bids,
    msd,
    nnunet_colour,
    nnunet_nifti,
    nnunet_png,
    nnunet_regions,
    nnunet_tiff,
    pairs,
    pairs_jpeg,
    pairs_nifti,
    pairs_tiff,
)


def shared(name: str) -> Callable[[Path], Dataset]:
    def give(_: Path) -> Dataset:
        if not (SHARED / name).is_dir():
            pytest.skip(f"the real data {name} are not beside this checkout, in {SHARED}")
        return open_dataset(SHARED / name)

    return give


DATASETS: dict[str, Callable[[Path], Dataset]] = {
    "msd": lambda folder: open_dataset(msd(folder)),
    "msd, four channels": lambda folder: open_dataset(msd(folder, channels=4)),
    "msd, 2D": lambda folder: open_dataset(msd(folder, shape=(20, 24))),
    "nnU-Net, PNG": lambda folder: open_dataset(nnunet_png(folder)),
    "nnU-Net, colour PNG": lambda folder: open_dataset(nnunet_colour(folder)),
    "nnU-Net, NIfTI": lambda folder: open_dataset(nnunet_nifti(folder)),
    "nnU-Net, TIFF volumes": lambda folder: open_dataset(nnunet_tiff(folder)),
    "nnU-Net, regions and unknown voxels": lambda folder: open_dataset(nnunet_regions(folder)),
    "pairs, PNG": lambda folder: open_dataset(pairs(folder)),
    "pairs, TIFF": lambda folder: open_dataset(pairs_tiff(folder)),
    "pairs, JPEG and PNG": lambda folder: open_dataset(pairs_jpeg(folder)),
    "pairs, NIfTI": lambda folder: open_dataset(pairs_nifti(folder)),
    "BIDS": lambda folder: open_dataset(bids(folder)),
    "brain": lambda _: brain.dataset(cases=6),
    "hippocampus": shared("Task04_Hippocampus"),
    "nuclei": shared("Dataset018_Nuclei"),
}


@pytest.fixture(scope="module", params=DATASETS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return DATASETS[request.param](tmp_path_factory.mktemp("data"))


def test_cases_have_sorted_names_of_their_own(dataset: Dataset) -> None:
    names = [case.name for case in dataset.cases]
    assert names == sorted(set(names))
    assert len(names) >= 2


def test_a_volume_fits_what_the_dataset_says(dataset: Dataset) -> None:
    for case in dataset.cases[:5]:
        volume = dataset.load(case)
        assert volume.image.dtype == np.float32
        assert volume.label.dtype == np.uint8
        assert volume.image.shape == (len(dataset.channels), *volume.label.shape)
        assert volume.label.ndim == len(volume.geometry.spacing) == dataset.axes
        assert volume.label[volume.label != IGNORED].max() < len(dataset.classes)
        assert np.isfinite(volume.image).all()
        assert all(step > 0 for step in volume.geometry.spacing)


def test_loading_again_gives_the_same_in_another_process_too(dataset: Dataset) -> None:
    sent: Dataset = pickle.loads(pickle.dumps(dataset))
    first, again = dataset.load(dataset.cases[1]), sent.load(sent.cases[1])
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.label, again.label)
    assert first.geometry.spacing == again.geometry.spacing


@pytest.fixture(scope="module")
def checked(dataset: Dataset) -> tuple[Fingerprint, list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    return check(dataset, lambda done, total: seen.append((done, total))), seen


def test_it_passes_the_check(dataset: Dataset, checked: tuple[Fingerprint, list[tuple[int, int]]]) -> None:
    fingerprint, seen = checked
    assert fingerprint.cases == len(dataset.cases)
    assert seen == [(done, fingerprint.cases) for done in range(1, fingerprint.cases + 1)]
    assert [case.name for case in fingerprint.case_summaries] == [case.name for case in dataset.cases]
    assert tuple(summary.name for summary in fingerprint.classes) == dataset.classes
    assert tuple(summary.name for summary in fingerprint.channels) == dataset.channels
    assert sum(summary.voxel_fraction for summary in fingerprint.classes) == pytest.approx(1)
    assert Fingerprint.from_json(json.loads(json.dumps(fingerprint.to_json()))) == fingerprint


def test_every_case_is_in_the_validation_of_one_fold(dataset: Dataset) -> None:
    groups = len({case.group or case.name for case in dataset.cases})
    folds = [dataset.split(fold) for fold in range(min(groups, 5))]
    assert sorted(name for fold in folds for name in fold.validation) == [case.name for case in dataset.cases]


def test_it_is_prepared_once_and_goes_back_to_where_it_was(
    dataset: Dataset, checked: tuple[Fingerprint, list[tuple[int, int]]], tmp_path: Path
) -> None:
    settings = plan_preprocessing(checked[0])
    assert Preprocessing.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    few = replace(dataset, cases=dataset.cases[:6])
    prepared = prepare_dataset(few, settings, tmp_path)
    assert [case.name for case in prepared.cases] == [case.name for case in few.cases]
    assert (prepared.classes, prepared.channels, prepared.axes) == (dataset.classes, dataset.channels, dataset.axes)
    for case, stored in zip(prepared.cases, few.cases, strict=True):
        volume = dataset.load(stored)
        assert case.image.shape == (len(prepared.channels), *case.size)
        assert (case.image.dtype, case.label.dtype, case.label.shape) == (np.float32, np.uint8, case.size)
        assert not case.image.flags.writeable
        assert not case.label.flags.writeable
        np.testing.assert_array_equal(case.original_label(), volume.label)
        np.testing.assert_array_equal(case.restore(np.array(case.label)), volume.label)
        present = [index for index in np.unique(case.label) if index not in (0, IGNORED)]
        for index, voxels in zip(present, case.foreground, strict=True):
            assert voxels.dtype == np.int32
            assert (case.label[tuple(voxels.T)] == index).all()
    again = open_prepared(prepared.folder)
    assert again.digest == prepared.digest == prepare_dataset(few, settings, tmp_path).digest
    sent: PreparedDataset = pickle.loads(pickle.dumps(prepared))
    np.testing.assert_array_equal(sent.cases[0].image, again.cases[0].image)
