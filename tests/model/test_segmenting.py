"""One image: prepared as in training, seen through windows, put back on its own grid."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nas.data import Geometry, Image, check, open_dataset, plan_preprocessing, prepare_dataset
from nas.errors import InputError
from nas.graph import Axes
from nas.model import Segmenter, TrainedModel, ensemble, segment
from nas.training import Slicing, Window, samples_of, validate
from tests.data.factories import msd
from tests.model.factories import OBLIQUE, SHAPE, model, voxels

IMAGE = Image(voxels()[None], Geometry((0.95, 1.44, 2.0), OBLIQUE))
SLICED = Slicing(axis=2, neighbours=1)


@pytest.mark.parametrize(
    "made",
    [model(), model(mirrored=True), model(members=2), model(slicing=SLICED), model(slicing=Slicing(0, 0))],
    ids=["volume", "mirrored", "ensemble", "slices with neighbours", "slices along another axis"],
)
def test_a_segmentation_lies_on_the_image_s_own_grid(made: TrainedModel) -> None:
    found = segment(made, IMAGE, probabilities=True)
    assert found.classes.shape == SHAPE
    assert found.classes.dtype == np.uint8
    assert found.probabilities is not None
    assert found.probabilities.shape == (3, *SHAPE)
    assert np.allclose(found.probabilities.sum(axis=0), 1, atol=1e-4)
    assert np.mean(found.probabilities.argmax(axis=0) == found.classes) > 0.8  # classes are resampled, not argmaxed


@pytest.mark.parametrize(
    "window", [None, Window((16, 16, 16), 0.25), Window()], ids=["as ever", "sparse windows", "whole images"]
)
def test_it_is_what_validation_sees(window: Window | None, tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path / "data", shape=(20, 21, 19)))
    settings = plan_preprocessing(check(dataset))
    prepared = prepare_dataset(dataset, settings, tmp_path / "cache")
    made = model(window=window, strides=((2, 2, 2),))
    samples = samples_of(prepared.cases, torch.device("cpu"), 2**30)
    (network,) = made.networks()
    expected = dict(validate(network, samples, window=window).cases)
    for case in dataset.cases:
        volume = dataset.load(case)
        classes = segment(made, Image(volume.image, volume.geometry)).classes
        both = [2 * np.sum((classes == k) & (volume.label == k)) for k in (1, 2)]
        sizes = [np.sum(classes == k) + np.sum(volume.label == k) for k in (1, 2)]
        assert [a / b for a, b in zip(both, sizes, strict=True)] == pytest.approx(expected[case.name], abs=1e-9)


def test_an_ensemble_of_twins_sees_what_one_sees() -> None:
    one = model()
    assert np.array_equal(segment(ensemble([one, one]), IMAGE).classes, segment(one, IMAGE).classes)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (model(values=(0, 1, 9)), "differ in their values"),
        (model(mirrored=True), "differ in their mirrored"),
    ],
)
def test_an_ensemble_sees_and_says_one_thing(other: TrainedModel, expected: str) -> None:
    with pytest.raises(InputError, match=f"ensemble: its members {expected}"):
        ensemble([model(), other])


def test_an_ensemble_of_different_networks_averages_their_probabilities() -> None:
    one, other = model(), model(reference="nnU-Net")
    together = ensemble([one, other])
    assert [graph.digest for graph in together.of_each] == [one.graph.digest, other.graph.digest]
    alone = [segment(each, IMAGE, probabilities=True).probabilities for each in (one, other)]
    both = segment(together, IMAGE, probabilities=True).probabilities
    assert alone[0] is not None
    assert alone[1] is not None
    assert np.allclose(both, (alone[0] + alone[1]) / 2, atol=1e-5)


def test_an_image_on_a_finer_grid_is_put_back_on_it() -> None:
    fine = Image(voxels(shape=(40, 38, 40))[None], Geometry((0.5, 0.75, 1.0), np.diag([0.5, 0.75, 1.0, 1.0])))
    assert segment(model(), fine).classes.shape == (40, 38, 40)


@pytest.mark.parametrize("turn", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_orientation_of_a_file_changes_nothing(turn: tuple[int, ...]) -> None:
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    array = voxels()
    expected = segment(model(), Image(array[None], Geometry((1.0, 1.5, 2.0), affine))).classes
    turned = Image(
        np.ascontiguousarray(array.transpose(turn))[None],
        Geometry(tuple((1.0, 1.5, 2.0)[axis] for axis in turn), affine[:, [*turn, 3]]),
    )
    assert np.array_equal(segment(model(), turned).classes, expected.transpose(turn))


@pytest.mark.parametrize("scale", [1e-3, 1e5])
def test_the_scale_of_intensities_changes_nothing(scale: float) -> None:
    scaled = Image(IMAGE.voxels * np.float32(scale), IMAGE.geometry)
    assert np.mean(segment(model(), scaled).classes == segment(model(), IMAGE).classes) > 0.999


def test_an_image_smaller_than_a_window_is_segmented() -> None:
    small = Image(voxels(shape=(5, 20, 3))[None], Geometry((1.0, 1.5, 2.0), np.diag([1.0, 1.5, 2.0, 1.0])))
    assert segment(model(), small).classes.shape == (5, 20, 3)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image(np.zeros((2, *SHAPE), np.float32), IMAGE.geometry), r"found 2 channels, expected 1 \(channel 0\)"),
        (Image(np.zeros((1, 20, 20), np.float32), Geometry((1.0, 1.0))), "is 2D, expected 3D"),
    ],
)
def test_an_image_of_another_kind_is_refused(image: Image, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        segment(model(), image)


def test_one_segmenter_serves_many_images() -> None:
    segmenter = Segmenter(model())
    assert np.array_equal(segmenter(IMAGE).classes, segmenter(IMAGE).classes)


@pytest.mark.parametrize(
    ("window", "image", "seen"),
    [
        (None, (50, 60, 70), (16, 16, 16)),
        (Window((24, 24, 24)), (50, 60, 70), (24, 24, 24)),
        (Window(), (33, 20, 15), (34, 20, 16)),
        (Window(), (130, 130, 130), (16, 16, 16)),
    ],
    ids=["the patch", "another size", "the whole image", "one that is too large"],
)
def test_how_much_is_seen_at_once(window: Window | None, image: Axes, seen: Axes) -> None:
    assert model(window=window).windows.over(image) == seen


def test_an_overlap_that_is_wished_asks_for_windows() -> None:
    whole = model(window=Window())
    wished = Segmenter(whole, overlap=0.5)(IMAGE).classes
    assert np.array_equal(wished, segment(model(), IMAGE).classes)
    assert not np.array_equal(wished, segment(whole, IMAGE).classes)
