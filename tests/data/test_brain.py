"""The built-in data: made, yet like brain slices, and the same whenever they are made."""

import numpy as np
import pytest

from nas.data import Dataset, brain


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return brain.dataset()


def test_there_are_forty_cases_of_three_classes(dataset: Dataset) -> None:
    assert len(dataset.cases) == 40
    assert dataset.cases[7].name == "brain_007"
    assert dataset.classes == ("background", "grey matter", "white matter")


def test_every_case_shows_every_class_in_a_plausible_amount(dataset: Dataset) -> None:
    for case in dataset.cases[:10]:
        volume = dataset.load(case)
        assert volume.image.shape == (1, 96, 112)
        assert volume.geometry.spacing == (2.0, 2.0)
        background, grey, white = np.bincount(volume.label.ravel(), minlength=3) / volume.label.size
        assert 0.4 < background < 0.8
        assert 0.1 < grey < 0.35
        assert 0.08 < white < 0.35


def test_cases_differ_in_anatomy_and_in_contrast(dataset: Dataset) -> None:
    volumes = [dataset.load(case) for case in dataset.cases[:10]]
    overlaps = [np.mean(volumes[0].label == other.label) for other in volumes[1:]]
    assert max(overlaps) < 0.95
    brighter = [v.image[0][v.label == 2].mean() > v.image[0][v.label == 1].mean() for v in volumes]
    assert True in brighter
    assert False in brighter  # white matter is brighter than grey in some cases and darker in others


def test_a_case_depends_on_the_seed_and_its_number_alone(dataset: Dataset) -> None:
    case = dataset.cases[3]
    image = dataset.load(case).image
    np.testing.assert_array_equal(brain.dataset(cases=5).load(case).image, image)
    assert not np.array_equal(brain.dataset(seed=1).load(case).image, image)


def test_a_case_is_not_changed_by_what_is_done_to_it(dataset: Dataset) -> None:
    volume = dataset.load(dataset.cases[0])
    before = volume.image.copy(), volume.label.copy()
    volume.image[:], volume.label[:] = 0, 0
    again = dataset.load(dataset.cases[0])
    np.testing.assert_array_equal(again.image, before[0])
    np.testing.assert_array_equal(again.label, before[1])
