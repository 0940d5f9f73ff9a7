"""Batches: where patches come from, how they are changed, and that the seed decides it all."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nas.errors import InputError
from nas.training import Augmentation, Recipe, Sample, intensity, sample_of, samples_of
from nas.training.augmentation import Flips
from nas.training.feed import Feed
from tests.training.factories import EVERYTHING, STILL, ramp, sample

CPU = torch.device("cpu")
CHANGES = ("noise", "blur", "brightness", "contrast", "gamma", "low_resolution", "cutout")
MOVES = replace(EVERYTHING, flips=False, **dict.fromkeys(CHANGES, 0.0))


def feed(
    samples: list[Sample], patch: tuple[int, ...], *, seed: int = 0, ahead: bool = False, **fields: object
) -> Feed:
    recipe = Recipe(**{"batch": 4, "augmentation": STILL, **fields})  # type: ignore[arg-type]
    return Feed(samples, patch, recipe, CPU, seed=seed, ahead=ahead)


@pytest.mark.parametrize("size", [(24, 20), (18, 24, 20)], ids=["2D", "3D"])
@pytest.mark.parametrize("patch", [16, 32], ids=["smaller than the case", "larger"])
def test_a_batch_is_a_function_of_seed_and_step(size: tuple[int, ...], patch: int) -> None:
    samples = [sample(size, number, channels=2) for number in range(3)]
    wide = (patch,) * len(size)
    with (
        feed(samples, wide, augmentation=EVERYTHING) as one,
        feed(samples, wide, augmentation=EVERYTHING, ahead=True) as ahead,
        feed(samples, wide, augmentation=EVERYTHING, seed=1) as other,
    ):
        first = [one.batch(step) for step in (0, 1, 2)]
        for step in (2, 0, 1, 2):
            images, labels = ahead.batch(step)
            assert torch.equal(images, first[step][0])
            assert torch.equal(labels, first[step][1])
        assert not torch.equal(other.batch(0)[0], first[0][0])
    images, labels = first[0]
    assert images.shape == (4, 2, *wide)
    assert labels.shape == (4, 1, *wide)
    assert labels.dtype == torch.uint8
    assert torch.isfinite(images).all()
    assert set(labels.unique().tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("size", [(20, 24), (10, 12, 14)], ids=["2D", "3D"])
def test_patches_that_are_only_cut_hold_the_voxels_themselves(size: tuple[int, ...]) -> None:
    with feed([ramp(size)], (8,) * len(size)) as batches:
        images, labels = batches.batch(0)
    assert torch.equal(labels, (images % 3).to(torch.uint8))
    assert torch.equal(images.flatten(1).amin(1), images[(slice(None), 0, *(0,) * len(size))])


@pytest.mark.parametrize("size", [(20, 24), (10, 12, 14)], ids=["2D", "3D"])
def test_resampling_without_a_change_gives_the_same_patch(size: tuple[int, ...]) -> None:
    still = replace(MOVES, rotation=0, scaling=0, elastic=0)
    # An odd patch has a voxel in its middle; where that is one of the foreground's, both are on the same grid.
    with (
        feed([ramp(size)], (7,) * len(size), foreground=1.0) as cut,
        feed([ramp(size)], (7,) * len(size), foreground=1.0, augmentation=still) as moved,
    ):
        for step in range(5):
            (images, labels), (again, same) = cut.batch(step), moved.batch(step)
            torch.testing.assert_close(again, images, atol=1e-2, rtol=0)
            assert torch.equal(labels, same)


@pytest.mark.parametrize("patch", [(8, 8), (33, 40)])
def test_image_and_label_move_together(patch: tuple[int, ...]) -> None:
    """The image of a label, turned, bent and mirrored, is still the image of the label."""
    case = sample((32, 32), classes=2)
    case = replace(case, image=case.label[None].float())
    moves = replace(MOVES, rotation=90.0, scaling=0.4)
    with feed([case], patch, augmentation=moves, foreground=1.0) as batches:
        for step in range(5):
            images, labels = batches.batch(step)
            assert ((images > 0.5) == (labels == 1)).float().mean() > 0.98
            assert (labels == 1).any()


def test_rotation_is_in_millimetres() -> None:
    """A disc drawn in millimetres stays one, however thick the slices."""
    across, along = torch.meshgrid(torch.arange(40) - 19.5, 4 * (torch.arange(10) - 4.5), indexing="ij")
    label = (across**2 + along**2 < 15**2).to(torch.uint8)
    case = Sample("disc", label[None].float(), label, (1.0, 4.0), (torch.tensor([[20, 5]]),))
    turn = replace(MOVES, rotation=180.0, scaling=0, elastic=0)
    with feed([case], (40, 10), augmentation=turn) as batches:
        _, labels = batches.batch(0)
    assert ((labels[:, 0] == 1) == (label == 1)).float().mean() > 0.93


def test_the_foreground_share_centres_patches_on_every_class() -> None:
    case = sample((60, 60), classes=4)
    with feed([case], (5, 5), foreground=1.0, batch=60) as batches:
        middles = batches.batch(0)[1][:, 0, 2, 2]
    assert {1, 2, 3} <= set(middles.tolist())
    assert (middles > 0).all()


def test_every_case_is_drawn_once_before_any_is_drawn_again() -> None:
    samples = [replace(ramp((8, 8)), image=torch.full((1, 8, 8), float(number))) for number in range(6)]
    with feed(samples, (8, 8), batch=4) as batches:
        drawn = torch.cat([batches.batch(step)[0][:, 0, 0, 0] for step in range(3)]).tolist()
    assert sorted(drawn[:6]) == sorted(drawn[6:]) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("flips", "corners"),
    [
        (True, {0.0, 7.0, 56.0, 63.0}),
        (False, {0.0}),
        ("x", {0.0, 56.0}),
        ("y", {0.0, 7.0}),
        ("xy", {0.0, 7.0, 56.0, 63.0}),
        ("z", {0.0}),
    ],
)
def test_mirroring_happens_on_the_axes_asked_for(flips: Flips, corners: set[float]) -> None:
    moves = Augmentation(strength=0, flips=flips)
    with feed([ramp((8, 8))], (8, 8), augmentation=moves, batch=40) as batches:
        assert set(batches.batch(0)[0][:, 0, 0, 0].tolist()) == corners


def test_no_cases_are_refused() -> None:
    with pytest.raises(InputError, match="no cases"):
        feed([], (8, 8))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("size", [(16, 16), (8, 10, 12)], ids=["2D", "3D"])
def test_each_change_of_intensity_changes_only_the_patches_that_drew_it(name: str, size: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(40, 2, *size, generator=generator)
    before = images.clone()
    numbers = torch.rand(40, intensity.numbers_needed(), generator=generator).tolist()
    settings = replace(MOVES, **{name: 0.5})
    intensity.change(images, settings, [iter(row) for row in numbers], generator)
    changed = (images != before).flatten(1).any(1)
    assert 5 < int(changed.sum()) < 35
    assert torch.isfinite(images).all()
    assert (images - before).abs().mean() < 0.5


class Mapped:
    """A preprocessed case as a cache gives it: read-only arrays mapped from files."""

    def __init__(self, case: Sample, folder: str):
        self.name, self.spacing = case.name, case.spacing
        for field, array in (("image", case.image.numpy()), ("label", case.label.numpy())):
            np.save(f"{folder}/{field}.npy", array)
            setattr(self, field, np.load(f"{folder}/{field}.npy", mmap_mode="r"))
        self.foreground = tuple(voxels.numpy().astype(np.int32) for voxels in case.foreground)

    def restore(self, classes: np.ndarray) -> np.ndarray:
        return classes

    def original_label(self) -> np.ndarray:
        return np.asarray(self.label)


@pytest.mark.parametrize("room", [0, 10**9], ids=["streamed", "resident"])
def test_mapped_cases_give_the_batches_of_cases_in_memory(room: int, tmp_path: object) -> None:
    case = sample((24, 20))
    (mapped,) = samples_of([Mapped(case, str(tmp_path))], CPU, room)  # type: ignore[list-item]
    assert mapped.streamed == (room == 0)
    recipe = Recipe(batch=3, augmentation=EVERYTHING)
    with Feed([case], (16, 16), recipe, CPU, seed=0) as a, Feed([mapped], (16, 16), recipe, CPU, seed=0) as b:
        for step in range(3):
            for ours, theirs in zip(a.batch(step), b.batch(step), strict=True):
                assert torch.equal(ours, theirs)
    assert sample_of(Mapped(case, str(tmp_path)), CPU).bytes == case.bytes  # type: ignore[arg-type]
