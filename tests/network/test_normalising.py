"""Instance and batch norm are torch's, whatever the layout in memory."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas.network.normalising import BatchNorm, InstanceNorm

LAYOUTS = {2: torch.channels_last, 3: torch.channels_last_3d}


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("channels", [1, 5, 16])
@pytest.mark.parametrize("axes", [2, 3])
def test_values_and_gradients_are_those_of_torchs_instance_norm(
    axes: int, channels: int, affine: bool, last: bool
) -> None:
    torch.manual_seed(0)
    ours = InstanceNorm(channels, affine)
    theirs = (torch.nn.InstanceNorm2d if axes == 2 else torch.nn.InstanceNorm3d)(channels, affine=affine)
    if affine:
        torch.nn.init.normal_(ours.weight)
        torch.nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    image, gradient = torch.randn(2, 3, channels, *(4,) * axes)[:, 0] + 3, torch.randn(2, channels, *(4,) * axes)
    if last:
        image = image.contiguous(memory_format=LAYOUTS[axes])
    found, expected = image.clone().requires_grad_(), image.clone().requires_grad_()
    ours(found).backward(gradient)
    theirs(expected).backward(gradient)
    pairs = [(ours(found), theirs(expected)), (found.grad, expected.grad)]
    pairs += [(mine.grad, other.grad) for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True)]
    for mine, other in pairs:
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("channels", [1, 5, 16])
@pytest.mark.parametrize("axes", [2, 3])
def test_batch_norm_trains_and_predicts_as_torchs_own(axes: int, channels: int, last: bool) -> None:
    torch.manual_seed(0)
    ours = BatchNorm(channels)
    theirs = (torch.nn.BatchNorm2d if axes == 2 else torch.nn.BatchNorm3d)(channels)
    torch.nn.init.normal_(ours.weight)
    torch.nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    for shift in (3, -1):
        image, gradient = torch.randn(2, channels, *(4,) * axes) + shift, torch.randn(2, channels, *(4,) * axes)
        if last:
            image = image.contiguous(memory_format=LAYOUTS[axes])
        found, expected = image.clone().requires_grad_(), image.clone().requires_grad_()
        mine, other = ours(found), theirs(expected)
        mine.backward(gradient)
        other.backward(gradient)
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-5)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    for mine_grad, other_grad in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine_grad.grad, other_grad.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.eval()(image), theirs.eval()(image), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [4, 16])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize(
    "make", [lambda channels, affine: InstanceNorm(channels, affine), lambda channels, _: BatchNorm(channels)]
)
def test_in_bfloat16_values_and_gradients_are_those_of_float32_rounded(
    make: Callable[[int, bool], nn.Module], channels: int, affine: bool
) -> None:
    torch.manual_seed(0)
    image = torch.randn(2, channels, 6, 6, 6).bfloat16().contiguous(memory_format=torch.channels_last_3d)
    gradient = torch.randn(image.shape).bfloat16()
    norm = make(channels, affine)
    found, expected = image.clone().requires_grad_(), image.float().requires_grad_()
    mine = norm(found)
    mine.backward(gradient)
    learned = [parameter.grad for parameter in norm.parameters()]
    norm.zero_grad(set_to_none=True)
    other = norm(expected)
    other.backward(gradient.float())
    assert mine.dtype == torch.bfloat16
    assert found.grad is not None
    assert expected.grad is not None
    torch.testing.assert_close(mine, other.bfloat16(), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(found.grad, expected.grad.bfloat16(), rtol=1e-2, atol=1e-2)
    for mine_grad, parameter in zip(learned, norm.parameters(), strict=True):
        torch.testing.assert_close(mine_grad, parameter.grad, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    "make", [lambda: InstanceNorm(5, affine=True), lambda: BatchNorm(5)], ids=["instance", "batch"]
)
def test_with_channels_last_the_gradient_has_them_last_too(make: Callable[[], nn.Module]) -> None:
    image = torch.randn(2, 5, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    normalised = make()(image)
    normalised.sum().backward()
    assert image.grad is not None
    for tensor in (normalised, image.grad):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
