"""Weights of other libraries are read by name, refused at the first difference, and put in our order of channels."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from monai.networks.nets import AttentionUnet, ResNet, SegResNet
from torch import Tensor, nn

import nas
from nas.architecture import ResNetStem
from nas.architecture.blocks import Basic
from nas.architecture.references import resnet_unet, seg_res_net
from nas.errors import InputError
from nas.graph import Ops, Style, Task
from nas.graph import Tensor as Symbol
from nas.network import Network, build, load_published
from nas.network.published.orders import channel_orders

State = dict[str, Tensor]


def resnet(classes: int = 5) -> State:
    """A small ResNet-18 under the names that torchvision, timm and MONAI share, classifier included."""
    network = ResNet(
        "basic", (2, 2, 2, 2), (4, 8, 16, 32), 2, 3, conv1_t_stride=2, num_classes=classes, bias_downsample=False
    )
    return network.state_dict()


def member(width: int = 4) -> Network:
    architecture = replace(resnet_unet(tuple(Basic(2) for _ in range(4)), width), stem=ResNetStem(width))
    return build(nas.trace(architecture, Task(2, 3, 2, (64, 64))))


def test_an_encoder_leaves_what_follows_as_it_is() -> None:
    network, state = member(), resnet()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    kept = load_published(network, state)
    after = network.state_dict()
    assert {name.partition(".")[0] for name in kept} == {"decoder", "head"}
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert torch.equal(after["encoder.1.block.0.shortcut.conv.weight"], state["layer2.0.downsample.0.weight"])
    assert torch.equal(after["encoder.3.block.1.norm_2.running_var"], state["layer4.1.bn2.running_var"])


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod."])
def test_the_wrappers_of_torch_do_not_matter(wrapper: str) -> None:
    network, state = member(), resnet()
    load_published(network, {wrapper + name: tensor for name, tensor in state.items()})
    assert torch.equal(network.state_dict()["stem.conv.weight"], state["conv1.weight"])


def without(name: str) -> Callable[[State], State]:
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


def other(name: str, tensor: Tensor) -> Callable[[State], State]:
    return lambda state: {**state, name: tensor}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            other("layer2.0.conv1.weight", torch.zeros(9, 4, 3, 3)),
            r"layer2\.0\.conv1\.weight .* \(9, 4, 3, 3\), encoder\.1\.block\.0\.conv\.weight has \(8, 4, 3, 3\)",
        ),
        (
            other("layer2.5.conv1.weight", torch.zeros(8, 8, 3, 3)),
            r"layer2\.5\.conv1\.weight .* would be encoder\.1\.block\.5\.conv",
        ),
        (other("layer1.0.attn.weight", torch.zeros(3)), r"layer1\.0\.attn\.weight \(3,\) is no name of"),
        (other("layer1.0.conv1.bias", torch.zeros(4)), r"layer1\.0\.conv1\.bias .* which has none"),
        (without("layer3.1.bn2.running_mean"), r"encoder\.2\.block\.1\.norm_2\.running_mean"),
        (
            lambda state: {"transformer.wte.weight": torch.zeros(2, 2)},
            r"transformer\.wte\.weight \(2, 2\) is no name of",
        ),
        (lambda state: {}, "expected a state dict"),
        (lambda state: {"state_dict": state}, "expected a state dict"),
    ],
)
def test_the_first_difference_is_named_and_nothing_changed(change: Callable[[State], Any], message: str) -> None:
    network = member()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match=message):
        load_published(network, change(resnet()))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_another_network_than_one_of_nas_is_refused() -> None:
    with pytest.raises(InputError, match=r"found a Linear, expected a network that nas\.build made"):
        load_published(nn.Linear(2, 2), resnet())


def test_a_network_of_other_width_is_refused() -> None:
    with pytest.raises(InputError, match=r"conv1\.weight .* \(4, 3, 7, 7\), stem\.conv\.weight has \(8, 3, 7, 7\)"):
        load_published(member(8), resnet())


def test_a_network_of_another_kind_is_refused() -> None:
    state = AttentionUnet(2, 1, 2, (4, 8), (2,)).state_dict()
    network = build(nas.trace(seg_res_net(8), Task(2, 1, 2, (16, 16))))
    with pytest.raises(InputError, match=r"model\.0\.conv\.0\.conv\.weight"):
        load_published(network, state)


def test_a_whole_network_must_be_complete() -> None:
    state = SegResNet(2, 8).state_dict()
    network = build(nas.trace(seg_res_net(8), Task(2, 1, 2, (16, 16))))
    with pytest.raises(InputError, match=re.escape("head.conv.bias") + "|" + re.escape("head.conv.weight")):
        load_published(network, {name: tensor for name, tensor in state.items() if not name.startswith("conv_final.2")})


def orders_of(write: Callable[[Symbol, Ops], Symbol]) -> list[list[int]]:
    ops = Ops(Task(2, 1, 1, (8, 8)), Style("batch"))
    graph = ops.graph((write(ops.input(), ops),))
    return [list(order) for order in channel_orders(graph, lambda name: "concat" in name)]


def test_the_order_of_a_concatenation_goes_through_what_works_on_each_channel_alone() -> None:
    def write(x: Symbol, ops: Ops) -> Symbol:
        joined = ops.concat(ops.conv(x, 2), ops.conv(x, 1))
        return ops.conv(ops.conv(ops.act(ops.norm(joined)), 3, groups=3), 2)

    *_, joined, norm, act, depthwise, last = orders_of(write)
    assert joined == norm == act == depthwise == [2, 0, 1]
    assert last == [0, 1]


def test_what_is_added_to_a_concatenation_was_made_in_its_order() -> None:
    def write(x: Symbol, ops: Ops) -> Symbol:
        joined = ops.concat(ops.conv(x, 2), ops.conv(x, 1))
        return ops.add(joined, ops.norm(ops.conv(joined, 3)))

    *_, joined, branch, norm, added = orders_of(write)
    assert branch == norm == added == joined == [2, 0, 1]


def test_concatenations_of_concatenations_are_put_in_order_inside_out() -> None:
    def write(x: Symbol, ops: Ops) -> Symbol:
        inner = ops.concat(ops.conv(x, 1), ops.conv(x, 1))
        return ops.conv(ops.concat(inner, ops.conv(inner, 2)), 1)

    assert [0, 1, 2, 3] not in orders_of(write)
    assert [2, 3, 1, 0] in orders_of(write)


def test_a_convolution_without_a_bias_there_has_one_of_zeros_here() -> None:
    architecture = replace(resnet_unet(tuple(Basic(2) for _ in range(4)), 4), stem=ResNetStem(4))
    biased = replace(architecture, style=Style("batch", conv_bias=True))
    network = build(nas.trace(biased, Task(2, 3, 2, (64, 64))))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    load_published(network, resnet())
    assert not network.state_dict()["encoder.0.block.0.conv.bias"].any()
