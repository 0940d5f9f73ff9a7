"""Every loss: smallest where the label is right, blind to ignored voxels, and able to train."""

import pytest
import torch

from nas.training.losses import (
    IGNORED,
    DiceBoundary,
    DiceCrossEntropy,
    DiceFocal,
    GeneralisedDice,
    Loss,
    Tversky,
    supervised,
)

LOSSES = [DiceCrossEntropy(), DiceFocal(), Tversky(), GeneralisedDice(), DiceBoundary()]


def case(axes: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Random scores, and a label with two structures."""
    label = torch.zeros(2, 1, *(12,) * axes, dtype=torch.uint8)
    label[:, :, 2:6, 2:6], label[:, :, 7:10, 7:10] = 1, 2
    return torch.randn(2, 3, *label.shape[2:], generator=torch.Generator().manual_seed(0)), label


def right(label: torch.Tensor) -> torch.Tensor:
    return 20 * torch.nn.functional.one_hot(label[:, 0].long(), 3).movedim(-1, 1).float()


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_loss_is_smallest_where_the_label_is_right_and_its_gradient_leads_there(loss: Loss, axes: int) -> None:
    scores, label = case(axes)
    value, start = loss.function(), scores.clone().requires_grad_()
    first = value(start, label)
    first.backward()
    assert value(right(label), label) < 0.05 < float(first.detach())
    assert value(scores - 0.5 * start.grad / start.grad.norm(), label) < first


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_ignored_voxels_change_nothing_and_have_no_gradient(loss: Loss) -> None:
    scores, label = case()
    label[:, :, :, 5:] = IGNORED
    found = []
    for change in (0.0, 30.0):
        changed = scores.clone()
        changed[..., 5:] += change * torch.randn_like(changed[..., 5:])
        changed.requires_grad_()
        value = loss.function()(changed, label)
        value.backward()
        found.append(float(value.detach()))
        assert (changed.grad[..., 5:] == 0).all()
        assert (changed.grad[..., :5] != 0).any()
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_batch_of_nothing_but_ignored_voxels_is_no_disaster(loss: Loss) -> None:
    scores, label = case()
    value = loss.function()(scores.requires_grad_(), torch.full_like(label, IGNORED))
    assert torch.isfinite(value)


def test_dice_and_cross_entropy_are_monais_where_nothing_is_ignored() -> None:
    from monai.losses import DiceCELoss

    theirs = DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)
    scores, label = case()
    torch.testing.assert_close(DiceCrossEntropy().function()(scores, label), theirs(scores, label))


@pytest.mark.parametrize(("decay", "shares"), [(0.5, (2 / 3, 1 / 3)), (1.0, (0.5, 0.5)), (0.0, (1.0, 0.0))])
def test_deep_supervision_weighs_coarser_outputs_by_the_decay(decay: float, shares: tuple[float, float]) -> None:
    scores, label = case()
    coarse = scores[..., ::2, ::2]
    single = DiceCrossEntropy().function()
    expected = shares[0] * single(scores, label) + shares[1] * single(coarse, label[..., 1::2, 1::2])
    torch.testing.assert_close(supervised(DiceCrossEntropy(), decay)((scores, coarse), label), expected)
