"""Instance norm is torch's, whatever the layout in memory."""

import pytest
import torch

from nas.network.normalising import InstanceNorm

LAYOUTS = {2: torch.channels_last, 3: torch.channels_last_3d}


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("axes", [2, 3])
def test_values_and_gradients_are_those_of_torchs_instance_norm(axes: int, affine: bool, last: bool) -> None:
    torch.manual_seed(0)
    ours = InstanceNorm(5, affine)
    theirs = (torch.nn.InstanceNorm2d if axes == 2 else torch.nn.InstanceNorm3d)(5, affine=affine)
    if affine:
        torch.nn.init.normal_(ours.weight)
        torch.nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    image, gradient = torch.randn(2, 3, 5, *(4,) * axes)[:, 0] + 3, torch.randn(2, 5, *(4,) * axes)
    if last:
        image = image.contiguous(memory_format=LAYOUTS[axes])
    found, expected = image.clone().requires_grad_(), image.clone().requires_grad_()
    ours(found).backward(gradient)
    theirs(expected).backward(gradient)
    pairs = [(ours(found), theirs(expected)), (found.grad, expected.grad)]
    pairs += [(mine.grad, other.grad) for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True)]
    for mine, other in pairs:
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_with_channels_last_the_gradient_comes_with_channels_last() -> None:
    image = torch.randn(2, 5, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    InstanceNorm(5, affine=True)(image).sum().backward()
    assert image.grad is not None
    assert image.grad.is_contiguous(memory_format=torch.channels_last)
