"""Whatever a user's own part writes can be exported: odd names, groups entered twice, several values in and out."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

import nas
from nas.export import source
from nas.graph import Ops, Style, Tensor
from tests.export.exported import image, network_of, small, trained


@dataclass(frozen=True)
class Written:
    """An architecture that one function writes."""

    function: Callable[[Tensor, Ops], Tensor]
    style: Style = Style("batch")

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        return (self.function(x, ops),)


def named_like_a_keyword(x: Tensor, ops: Ops) -> Tensor:
    with ops.scope("class"):
        return ops.conv(ops.conv(x, 4, name="lambda"), 2)


def named_like_what_the_file_uses(x: Tensor, ops: Ops) -> Tensor:
    x = ops.act(ops.conv(x, 4, name="F"))
    made = [ops.conv(x, 4, name=name) for name in ("torch", "nn", "zip", "self", "attend")]
    return ops.act(ops.concat(*made))


class Network:
    """A part called like the network itself."""

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        with ops.scope("inner", self):
            return ops.conv_norm_act(x, 4)


class F:
    """A part called like a module of torch."""

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        for index in range(3):
            with ops.scope(index, self):
                x = ops.conv_norm_act(x, 4)
        return x


def parts_called_like_what_the_file_uses(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(Network()(x, ops), F()(x, ops))


def a_scope_entered_again(x: Tensor, ops: Ops) -> Tensor:
    with ops.scope("a"):
        first = ops.conv_norm_act(x, 4)
    with ops.scope("b"):
        second = ops.conv_norm_act(first, 4)
    with ops.scope("a"):
        return ops.add(ops.conv_norm_act(second, 4), first)


def a_list_with_a_name(x: Tensor, ops: Ops) -> Tensor:
    made = []
    for index in range(3):
        with ops.scope(f"branches.{index}"):
            made.append(ops.conv_norm_act(x, 4, dilation=index + 1))
    return ops.conv(ops.concat(*made), 2)


def a_list_in_a_list(x: Tensor, ops: Ops) -> Tensor:
    for index in range(2):
        for inner in range(2):
            with ops.scope(index), ops.scope(inner):
                x = ops.conv_norm_act(x, 4)
    return x


def a_list_that_begins_at_one(x: Tensor, ops: Ops) -> Tensor:
    for index in (1, 2, 3):
        with ops.scope(index):
            x = ops.conv_norm_act(x, 4)
    return x


def a_list_gone_through_backwards(x: Tensor, ops: Ops) -> Tensor:
    for index in (2, 1, 0):
        with ops.scope(index):
            x = ops.conv_norm_act(x, 4)
    return x


def pooling_between_items(x: Tensor, ops: Ops) -> Tensor:
    features = []
    for index in range(3):
        with ops.scope(index):
            x = ops.conv_norm_act(x, 4)
        features.append(x)
        if index < 2:
            x = ops.max_pool(x, 2, (2, 2))
    return ops.add(*(ops.resize(feature, features[0].strides) for feature in features))


def one_input_for_all_items(x: Tensor, ops: Ops) -> Tensor:
    given = x = ops.conv(x, 4)
    for index in range(3):
        with ops.scope(index):
            x = ops.add(ops.conv(x, 4), ops.conv(given, 4, name="again"))
    return x


def an_outer_shortcut_around_a_list(x: Tensor, ops: Ops) -> Tensor:
    given = x = ops.conv(x, 4)
    for index in range(3):
        with ops.scope(index):
            x = ops.conv_norm_act(x, 4)
    return ops.add(x, given)


def two_values_from_round_to_round(x: Tensor, ops: Ops) -> Tensor:
    y = x = ops.conv(x, 4)
    for index in range(3):
        with ops.scope(index):
            new = ops.conv(ops.add(x, y), 4)
        x, y = ops.add(new, x), new
    return ops.add(x, y)


def values_that_change_places(x: Tensor, ops: Ops) -> Tensor:
    x, y = ops.conv(x, 4, name="one"), ops.conv(x, 4, name="two")
    for index in range(4):
        with ops.scope(index):
            x, y = y, ops.conv_norm_act(x, 4)
    return ops.add(x, y)


def items_used_two_back(x: Tensor, ops: Ops) -> Tensor:
    made = [ops.conv(x, 4), ops.conv(x, 4)]
    for index in range(4):
        with ops.scope(index):
            made.append(ops.conv(ops.add(made[-1], made[-2]), 4))
    return made[-1]


def two_lists_in_turn(x: Tensor, ops: Ops) -> Tensor:
    for index in range(3):
        with ops.scope(f"down.{index}"):
            x = ops.conv_norm_act(x, 4)
        with ops.scope(f"up.{index}"):
            x = ops.conv_norm_act(x, 6)
    return x


def three_values_out_of_a_scope(x: Tensor, ops: Ops) -> Tensor:
    with ops.scope("split"):
        a, b, c = (ops.conv(x, 4, name=name) for name in "abc")
    with ops.scope("join"):
        return ops.conv(ops.add(ops.multiply(a, ops.act(b, "sigmoid")), c), 4)


def dense_layers_of_uneven_width(x: Tensor, ops: Ops) -> Tensor:
    for index, width in enumerate((2, 4, 4, 8)):
        with ops.scope(index):
            x = ops.concat(x, ops.conv(x, width))
    return x


class Uneven:
    """A part whose items, in a list with a name and in one without, grow by no rule, and differ between its uses."""

    def __init__(self, *widths: int):
        self.widths = widths

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        for index, width in enumerate(self.widths):
            with ops.scope(f"layers.{index}"):
                x = ops.conv_norm_act(x, width)
        for index, width in enumerate(self.widths):
            with ops.scope(index):
                x = ops.conv_norm_act(x, width)
        return x


class Stacked:
    """A part whose items, in a list with a name, see all that was made before them."""

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        for index in range(3):
            with ops.scope(f"layers.{index}"):
                x = ops.concat(x, ops.conv_norm_act(x, 4))
        return x


def stacks_in_two_places(x: Tensor, ops: Ops) -> Tensor:
    for index in range(2):
        with ops.scope(f"stacks.{index}", Stacked()):
            x = Stacked()(x, ops)
    return x


def lists_of_uneven_width_in_two_places(x: Tensor, ops: Ops) -> Tensor:
    for name, part in (("first", Uneven(2, 5, 7, 4)), ("second", Uneven(3, 4, 9, 5))):
        with ops.scope(name, part):
            x = part(x, ops)
    return x


def one_tensor_twice(x: Tensor, ops: Ops) -> Tensor:
    x = ops.conv(x, 4)
    return ops.multiply(ops.add(x, x), ops.concat(ops.conv(x, 2, 1), ops.conv(x, 2, 1)))


FUNCTIONS = (
    named_like_a_keyword,
    named_like_what_the_file_uses,
    parts_called_like_what_the_file_uses,
    a_scope_entered_again,
    a_list_with_a_name,
    a_list_in_a_list,
    a_list_that_begins_at_one,
    a_list_gone_through_backwards,
    pooling_between_items,
    one_input_for_all_items,
    an_outer_shortcut_around_a_list,
    two_values_from_round_to_round,
    values_that_change_places,
    items_used_two_back,
    two_lists_in_turn,
    three_values_out_of_a_scope,
    dense_layers_of_uneven_width,
    lists_of_uneven_width_in_two_places,
    stacks_in_two_places,
    one_tensor_twice,
)


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_an_odd_network_is_the_same_as_source(function: Callable[[Tensor, Ops], Tensor], norm: str) -> None:
    graph = nas.trace(Written(function, Style(norm)), small(2))
    theirs = trained(graph).eval()
    own = network_of(source(graph)).eval()
    assert own.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(own(image(graph)), theirs(image(graph)))
