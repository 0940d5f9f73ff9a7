"""Metrics against hand-made cases, and the policy for structures that are absent."""

import math

import pytest
import torch

from nas.data.labelled import IGNORED
from nas.training import Targets, metrics


def mask(*boxes: tuple[int, slice, slice]) -> torch.Tensor:
    label = torch.zeros(20, 30, dtype=torch.uint8)
    for index, rows, columns in boxes:
        label[rows, columns] = index
    return label


SQUARE = mask((1, slice(4, 8), slice(4, 8)))
SHIFTED = mask((1, slice(4, 8), slice(6, 10)))
OTHER = mask((2, slice(4, 8), slice(4, 8)))
EMPTY = mask()


@pytest.mark.parametrize(
    ("predicted", "label", "dice", "iou", "volume"),
    [
        (SQUARE, SQUARE, 1.0, 1.0, 0.0),
        (SHIFTED, SQUARE, 0.5, 1 / 3, 0.0),
        (mask((1, slice(4, 8), slice(4, 6))), SQUARE, 2 / 3, 0.5, -2 / 3),
        (EMPTY, SQUARE, 0.0, 0.0, -2.0),
        (SQUARE, EMPTY, 0.0, 0.0, 2.0),
        (EMPTY, EMPTY, math.nan, math.nan, math.nan),
    ],
    ids=["right", "shifted", "half", "missed", "invented", "absent"],
)
def test_overlap_and_volume(
    predicted: torch.Tensor, label: torch.Tensor, dice: float, iou: float, volume: float
) -> None:
    table = metrics.counts(predicted, label, 2)
    assert metrics.dice(table)[0] == pytest.approx(dice, nan_ok=True)
    assert metrics.iou(table)[0] == pytest.approx(iou, nan_ok=True)
    assert metrics.volume_error(table)[0] == pytest.approx(volume, nan_ok=True)


@pytest.mark.parametrize(
    ("predicted", "label", "distance", "share"),
    [
        (SQUARE, SQUARE, 0.0, 1.0),
        (SHIFTED, SQUARE, 4.0, None),
        (EMPTY, SQUARE, math.hypot(20 * 3, 30 * 2), 0.0),
        (SQUARE, EMPTY, math.hypot(20 * 3, 30 * 2), 0.0),
        (EMPTY, EMPTY, math.nan, math.nan),
    ],
    ids=["right", "shifted", "missed", "invented", "absent"],
)
def test_surfaces_are_measured_in_millimetres(
    predicted: torch.Tensor, label: torch.Tensor, distance: float, share: float | None
) -> None:
    found = metrics.surfaces(predicted, label, 2, (3.0, 2.0), tolerance=1.0)
    assert found.hausdorff95[0] == pytest.approx(distance, nan_ok=True)
    if share is None:
        assert 0 < found.surface_dice[0] < 1
    else:
        assert found.surface_dice[0] == pytest.approx(share, nan_ok=True)


WHOLE_AND_CORE = Targets(((1, 2), (2,)))
CORE_INSIDE = mask((1, slice(4, 8), slice(4, 8)), (2, slice(4, 8), slice(4, 6)))
TOO_MUCH_CORE = mask((1, slice(4, 8), slice(4, 8)), (2, slice(4, 8), slice(4, 7)))
DIAGONAL = math.hypot(20, 30)


@pytest.mark.parametrize(
    ("predicted", "label", "dice", "volume", "distance"),
    [
        (CORE_INSIDE, CORE_INSIDE, (1.0, 1.0), (0.0, 0.0), (0.0, 0.0)),
        (TOO_MUCH_CORE, CORE_INSIDE, (1.0, 0.8), (0.0, 0.4), (0.0, 1.0)),
        (OTHER, SQUARE, (1.0, 0.0), (0.0, 2.0), (0.0, DIAGONAL)),
        (SQUARE, OTHER, (1.0, 0.0), (0.0, -2.0), (0.0, DIAGONAL)),
        (SHIFTED, SQUARE, (0.5, math.nan), (0.0, math.nan), (2.0, math.nan)),
        (EMPTY, EMPTY, (math.nan, math.nan), (math.nan, math.nan), (math.nan, math.nan)),
    ],
    ids=["right", "too much core", "core invented", "core missed", "without core", "absent"],
)
def test_regions_are_scored_as_unions_of_classes_and_each_of_them_may_be_absent(
    predicted: torch.Tensor,
    label: torch.Tensor,
    dice: tuple[float, float],
    volume: tuple[float, float],
    distance: tuple[float, float],
) -> None:
    table = metrics.counts(predicted, label, 3, WHOLE_AND_CORE)
    assert metrics.dice(table) == pytest.approx(dice, nan_ok=True)
    assert metrics.iou(table) == pytest.approx([value / (2 - value) for value in dice], nan_ok=True)
    assert metrics.volume_error(table) == pytest.approx(volume, nan_ok=True)
    found = metrics.surfaces(predicted, label, 3, (1.0, 1.0), targets=WHOLE_AND_CORE)
    assert found.hausdorff95 == pytest.approx(distance, nan_ok=True)


def test_ignored_voxels_count_in_no_region() -> None:
    label = CORE_INSIDE.clone()
    label[:, 5:] = IGNORED
    assert metrics.counts(TOO_MUCH_CORE, label, 3, WHOLE_AND_CORE).tolist() == [[4, 4, 4], [4, 4, 4]]
    found = metrics.surfaces(TOO_MUCH_CORE, label, 3, (1.0, 1.0), targets=WHOLE_AND_CORE)
    assert found.surface_dice == (1.0, 1.0)


def test_a_structure_at_the_border_is_measured_as_one_inside() -> None:
    inside = metrics.surfaces(SHIFTED, SQUARE, 2, (1.0, 1.0))
    border = metrics.surfaces(SHIFTED[4:, 4:], SQUARE[4:, 4:], 2, (1.0, 1.0))
    assert border.hausdorff95 == inside.hausdorff95


def test_ignored_voxels_count_nowhere() -> None:
    label = SQUARE.clone()
    label[:, 6:] = IGNORED
    everywhere = torch.ones_like(label)
    assert metrics.counts(everywhere, label, 2).tolist() == [[8, 20 * 6, 8]]
    assert metrics.surfaces(SHIFTED, label, 2, (1.0, 1.0)).surface_dice == (0.0,)
    assert metrics.surfaces(SQUARE, label, 2, (1.0, 1.0)).surface_dice == (1.0,)


def test_a_missed_structure_counts_in_the_mean_and_an_absent_one_does_not() -> None:
    cases = [metrics.dice(metrics.counts(p, y, 3)) for p, y in ((SQUARE, SQUARE), (EMPTY, SQUARE), (OTHER, OTHER))]
    assert metrics.mean_per_target(cases) == [0.5, 1.0]
    assert metrics.mean_dice([0.5, 1.0, math.nan]) == 0.75
    assert metrics.mean_dice([math.nan]) == 0.0
