"""Every loss: smallest where the label is right, blind to ignored voxels, and able to train."""

from typing import Any

import monai.losses
import pytest
import torch

from nas.data.labelled import IGNORED
from nas.training import EACH_CLASS, Targets
from nas.training.losses import Loss, Single, supervised
from nas.training.losses.dice_boundary import DiceBoundary
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy
from nas.training.losses.dice_focal import DiceFocal
from nas.training.losses.generalised_dice import GeneralisedDice
from nas.training.losses.tversky import Tversky

LOSSES = [DiceCrossEntropy(), DiceFocal(), Tversky(), GeneralisedDice(), DiceBoundary()]
REGIONS = Targets(((1, 2), (2,)))
TARGETS = {"classes": EACH_CLASS, "regions": REGIONS}
each_target = pytest.mark.parametrize("targets", TARGETS.values(), ids=TARGETS)


def case(axes: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Random scores, and a label with two structures."""
    label = torch.zeros(2, 1, *(12,) * axes, dtype=torch.uint8)
    label[:, :, 2:6, 2:6], label[:, :, 7:10, 7:10] = 1, 2
    return torch.randn(2, 3, *label.shape[2:], generator=torch.Generator().manual_seed(0)), label


def right(label: torch.Tensor) -> torch.Tensor:
    return 20 * torch.nn.functional.one_hot(label[:, 0].long(), 3).movedim(-1, 1).float()


@each_target
@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_loss_is_smallest_where_the_label_is_right_and_its_gradient_leads_there(
    loss: Loss, axes: int, targets: Targets
) -> None:
    scores, label = case(axes)
    value, start = loss.function(targets), scores.clone().requires_grad_()
    first = value(start, label)
    first.backward()
    assert value(right(label), label) < 0.05 < float(first.detach())
    assert value(scores - 0.5 * start.grad / start.grad.norm(), label) < first


@each_target
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_ignored_voxels_change_nothing_and_have_no_gradient(loss: Loss, targets: Targets) -> None:
    scores, label = case()
    label[:, :, :, 5:] = IGNORED
    found = []
    for change in (0.0, 30.0):
        changed = scores.clone()
        changed[..., 5:] += change * torch.randn_like(changed[..., 5:])
        changed.requires_grad_()
        value = loss.function(targets)(changed, label)
        value.backward()
        found.append(float(value.detach()))
        assert (changed.grad[..., 5:] == 0).all()
        assert (changed.grad[..., :5] != 0).any()
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@each_target
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_batch_of_nothing_but_ignored_voxels_is_no_disaster(loss: Loss, targets: Targets) -> None:
    scores, label = case()
    value = loss.function(targets)(scores.requires_grad_(), torch.full_like(label, IGNORED))
    assert torch.isfinite(value)


OF_CLASSES: dict[str, Any] = {"to_onehot_y": True, "softmax": True, "include_background": False}


@pytest.mark.parametrize(
    ("loss", "theirs"),
    [
        (DiceCrossEntropy(cross_entropy=0.0), monai.losses.DiceLoss(**OF_CLASSES, batch=True)),
        (DiceCrossEntropy(), monai.losses.DiceCELoss(**OF_CLASSES, batch=True)),
        (DiceFocal(focal=0.0), monai.losses.DiceLoss(**OF_CLASSES, batch=True)),
        (Tversky(cross_entropy=0.0), monai.losses.TverskyLoss(**OF_CLASSES, batch=True, alpha=0.3, beta=0.7)),
        (
            GeneralisedDice(cross_entropy=0.0),
            monai.losses.GeneralizedDiceLoss(**OF_CLASSES | {"include_background": True}, batch=True),
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, Loss) else "",
)
def test_a_loss_of_classes_is_monais_to_the_bit_where_nothing_is_ignored(loss: Loss, theirs: Single) -> None:
    scores, label = case()
    assert torch.equal(loss.function()(scores, label), theirs(scores, label))


def test_the_boundary_of_classes_is_monais() -> None:
    scores, label = case()
    boundary = DiceBoundary(boundary=0.5).function()(scores, label) - DiceCrossEntropy().function()(scores, label)
    torch.testing.assert_close(boundary, 0.5 * monai.losses.HausdorffDTLoss(**OF_CLASSES)(scores, label))


def unions(scores: torch.Tensor, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities and masks of `REGIONS`, by hand."""
    _, first, second = scores.softmax(1).unbind(1)
    return torch.stack([first + second, second], 1), torch.cat([label > 0, label == 2], 1).float()


def overlap(a: torch.Tensor, b: torch.Tensor, false_positives: float = 0.5, misses: float = 0.5) -> torch.Tensor:
    """A soft Tversky index of each target, a Dice if nothing else is said; 1 being right."""
    both, over, under = ((x * y).sum((0, 2, 3)) for x, y in ((a, b), (a, 1 - b), (1 - a, b)))
    return both / (both + false_positives * over + misses * under)


def test_on_regions_dice_and_tversky_are_those_of_unions_and_cross_entropy_is_that_of_classes() -> None:
    scores, label = case()
    dice, tversky = (1 - overlap(*unions(scores, label), *weights).mean() for weights in ((), (0.3, 0.7)))
    entropy = torch.nn.functional.cross_entropy(scores, label[:, 0].long())
    for loss, expected in ((DiceCrossEntropy(), dice + entropy), (Tversky(), tversky + entropy)):
        torch.testing.assert_close(loss.function(REGIONS)(scores, label), expected)


def test_on_regions_generalised_dice_weighs_unions_and_the_background_by_their_volumes() -> None:
    scores, label = case()
    probabilities, masks = unions(scores, label)
    a = torch.cat([scores.softmax(1)[:, :1], probabilities], 1)
    b = torch.cat([(label == 0).float(), masks], 1)
    weights = 1 / b.sum((0, 2, 3)) ** 2
    expected = 1 - 2 * (weights * (a * b).sum((0, 2, 3))).sum() / (weights * (a + b).sum((0, 2, 3))).sum()
    found = GeneralisedDice(cross_entropy=0.0).function(REGIONS)(scores, label)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_on_regions_the_boundary_is_that_of_unions() -> None:
    scores, label = case()
    functions = (loss.function(REGIONS) for loss in (DiceBoundary(boundary=0.5), DiceCrossEntropy()))
    both, without = (function(scores, label) for function in functions)
    theirs = monai.losses.HausdorffDTLoss(include_background=True)
    torch.testing.assert_close(both - without, 0.5 * theirs(*unions(scores, label)))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_regions_of_one_class_each_are_the_classes(loss: Loss) -> None:
    scores, label = case()
    alone = Targets(((1,), (2,)))
    torch.testing.assert_close(loss.function(alone)(scores, label), loss.function()(scores, label))


@pytest.mark.parametrize(("decay", "shares"), [(0.5, (2 / 3, 1 / 3)), (1.0, (0.5, 0.5)), (0.0, (1.0, 0.0))])
@each_target
def test_deep_supervision_weighs_coarser_outputs_by_the_decay(
    decay: float, shares: tuple[float, float], targets: Targets
) -> None:
    scores, label = case()
    coarse = scores[..., ::2, ::2]
    single = DiceCrossEntropy().function(targets)
    expected = shares[0] * single(scores, label) + shares[1] * single(coarse, label[..., 1::2, 1::2])
    torch.testing.assert_close(supervised(DiceCrossEntropy(), decay, targets)((scores, coarse), label), expected)
