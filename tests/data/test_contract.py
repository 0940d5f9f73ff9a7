"""What every data set keeps to, whoever reads or makes it."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.data import Dataset, brain, check, open_dataset

from .factories import SHARED, msd, nnunet_colour, nnunet_nifti, nnunet_png


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
        assert volume.label.ndim == len(volume.spacing) == dataset.axes
        assert volume.label.max() < len(dataset.classes)
        assert np.isfinite(volume.image).all()
        assert all(step > 0 for step in volume.spacing)


def test_loading_again_gives_the_same_in_another_process_too(dataset: Dataset) -> None:
    sent: Dataset = pickle.loads(pickle.dumps(dataset))
    first, again = dataset.load(dataset.cases[1]), sent.load(sent.cases[1])
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.label, again.label)
    assert first.spacing == again.spacing


def test_it_passes_the_check(dataset: Dataset) -> None:
    seen: list[tuple[int, int]] = []
    fingerprint = check(dataset, lambda done, total: seen.append((done, total)))
    assert fingerprint.cases == len(dataset.cases)
    assert seen == [(done, fingerprint.cases) for done in range(1, fingerprint.cases + 1)]
    assert tuple(summary.name for summary in fingerprint.classes) == dataset.classes
    assert tuple(summary.name for summary in fingerprint.channels) == dataset.channels
    assert sum(summary.voxel_fraction for summary in fingerprint.classes) == pytest.approx(1)
    assert json.loads(json.dumps(fingerprint.to_json()))["digest"] == fingerprint.digest
