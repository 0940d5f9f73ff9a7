"""Whole cases: segmented window by window and compared on the grid that they came from."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data.labelled import IGNORED
from nas.graph import Task
from nas.network import Network, StepPlan
from nas.training import Sample, Slicing, Targets, Window, validate
from nas.training.inference import predict, windows
from tests.training.factories import network, sample


class Reads(torch.nn.Module):
    """Scores that read the class off the intensity, as a network would that has learned everything."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([-(image - index).abs() for index in range(3)], dim=1)


def readable(size: tuple[int, ...] = (40, 50)) -> Sample:
    case = sample(size)
    return replace(case, image=case.label[None].float(), spacing=(2.0, 1.0))


@pytest.mark.parametrize("size", [(40, 50), (5, 7), (100, 33)], ids=["some windows", "less than a patch", "many"])
@pytest.mark.parametrize("mirrored", [(), (0,), (0, 1)])
def test_every_voxel_of_any_size_gets_its_class(size: tuple[int, ...], mirrored: tuple[int, ...]) -> None:
    image = torch.randint(0, 3, (1, *size)).float()
    predicted = predict(Reads(), image, (16, 16), mirrored=mirrored)
    assert torch.equal(predicted, image[0].to(torch.uint8))


@given(size=st.tuples(*[st.integers(1, 40)] * 2), patch=st.tuples(*[st.integers(1, 20)] * 2))
def test_a_network_sees_windows_of_the_size_that_it_was_trained_on(
    size: tuple[int, int], patch: tuple[int, int]
) -> None:
    seen: list[tuple[int, ...]] = []

    def forward(images: torch.Tensor) -> torch.Tensor:
        seen.extend([tuple(images.shape[2:])] * len(images))
        return Reads()(images)

    predict(forward, torch.zeros(1, *size), patch)
    assert set(seen) == {patch}
    assert len(seen) == windows(size, patch)


def test_the_windows_of_a_volume_that_is_segmented_slice_by_slice_are_those_of_its_slices() -> None:
    volume, image = sample((6, 20, 22)), sample((20, 22))
    task, volume = Task(2, 3, 3, (16, 16), ((2, 2),)), replace(volume, slicing=Slicing(0, 1))
    for window in (Window((16, 16)), Window()):
        assert window.positions([volume, image], task) == 7 * window.positions([image], task)


@pytest.mark.parametrize(
    ("window", "size", "seen"),
    [
        (Window((16, 16)), (40, 50), (16, 16)),
        (Window(), (40, 50), (40, 52)),
        (Window(), (3, 4), (4, 4)),
    ],
)
def test_a_window_without_a_size_covers_the_image_and_can_be_halved(
    window: Window, size: tuple[int, int], seen: tuple[int, int]
) -> None:
    assert window.over(size, Task(2, 1, 3, (16, 16), ((2, 2), (2, 2)))) == seen
    assert Window.from_json(window.to_json()) == window


def test_mirroring_averages_over_all_sets_of_axes() -> None:
    seen: list[torch.Tensor] = []

    def forward(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return Reads()(images)

    image = torch.rand(1, 8, 8, 8)
    predict(forward, image, (8, 8, 8), mirrored=(0, 1, 2))
    assert len(seen) == 8
    assert len({tuple(images[0, 0, 0, 0, :3].tolist()) + tuple(images[0, 0, :3, 0, 0].tolist()) for images in seen}) > 4


def test_a_network_that_was_compiled_for_training_is_not_compiled_for_cases_of_all_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled")

    monkeypatch.setattr(torch, "compile", refuse)
    built, cases = network(), [sample((20, 22)), sample((40, 36))]
    assert validate(built, cases, plan=StepPlan(compiled=True)).cases == validate(built, cases, plan=StepPlan()).cases


def test_metrics_of_surfaces_are_made_only_when_asked() -> None:
    built, cases = network(), [sample((20, 22))]
    assert set(validate(built, cases).further) == {"iou", "volume_error"}
    asked = validate(built, cases, tolerance=2.0)
    assert set(asked.further) == {"iou", "volume_error", "hausdorff95", "surface_dice"}
    assert set(asked.means()) == set(asked.further)
    assert all(len(values) == 2 for values in asked.means().values())


def test_regions_are_scored_where_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    right = readable((16, 16))
    swapped = replace(right, name="swapped", label=(3 - right.label) % 3)
    monkeypatch.setattr(Network, "forward", lambda self, image: Reads()(image))
    found = validate(network(), [right, swapped], tolerance=1.0, targets=Targets(((1, 2), (2,))))
    assert found.cases == ((right.name, (1.0, 1.0)), ("swapped", (1.0, 0.0)))
    assert (found.per_target, found.dice) == ((1.0, 0.5), 0.75)
    assert found.means()["iou"] == (1.0, 0.5)
    assert [found.means()[name][0] for name in ("volume_error", "hausdorff95", "surface_dice")] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("plan", [StepPlan(), StepPlan(channels_last=True)], ids=["channels first", "channels last"])
def test_the_plan_changes_no_segmentation(plan: StepPlan) -> None:
    assert validate(network(), [sample((33, 41))], plan=plan).dice == validate(network(), [sample((33, 41))]).dice


@dataclass
class Coarser:
    """A case prepared at half the resolution of its file, with a margin cut off."""

    name: str
    image: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    spacing: tuple[float, ...]
    foreground: tuple[npt.NDArray[np.int32], ...]
    truth: npt.NDArray[np.uint8]
    original_spacing: tuple[float, ...] = (1.0, 0.5)

    def restore(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.pad(classes.repeat(2, 0).repeat(2, 1), 3)

    def original_label(self) -> npt.NDArray[np.uint8]:
        return self.truth


def test_cases_are_measured_on_the_grid_that_they_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    case = readable((16, 16))
    prepared = Coarser(
        case.name, case.image.numpy(), case.label.numpy(), case.spacing, (), np.zeros((38, 38), np.uint8)
    )
    prepared.truth = prepared.restore(case.label.numpy())
    prepared.truth[0] = IGNORED
    built = network()
    monkeypatch.setattr(Network, "forward", lambda self, image: Reads()(image))
    assert validate(built, [replace(case, original=prepared)], tolerance=1.0).dice == 1.0
    prepared.truth = np.zeros((38, 38), np.uint8)
    found = validate(built, [replace(case, original=prepared)], tolerance=1.0)
    assert found.per_target == (0.0, 0.0)
    assert found.further["hausdorff95"][0][0] == pytest.approx(math.hypot(38, 19))
