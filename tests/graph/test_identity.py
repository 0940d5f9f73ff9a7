"""One function of the image, one digest: what is used twice is one value, two equal layers are two."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture.references import nn_u_net, u_net_3d
from nas.catalog import load_space, space_names
from nas.errors import InputError
from nas.graph import Graph, Ops, Style, Task, Tensor, trace
from nas.graph import operations as op

FLAT = Task(2, 1, 2, (64, 64))
THICK = Task(3, 1, 3, (8, 32, 32), ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)))
REFERENCES = {member.name: member.architecture for name in space_names() for member in load_space(name).members}


@dataclass(frozen=True)
class Written:
    """An architecture that one function writes."""

    function: Callable[[Tensor, Ops], Tensor]
    style: Style = Style("batch")

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        return (self.function(x, ops),)


def digest(function: Callable[[Tensor, Ops], Tensor]) -> str:
    return trace(Written(function), FLAT).digest


# Stored studies go on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "flat", "thick"),
    [
        ("SE-ResNet-50 U-Net", "d9737671f699404c19305825028299ae", "5ddac2d23d8cdd525a32aeb8f1311f1e"),
        ("DeepLabv3+ R50", "118d327891bb7d5a65eaf2d7615f9e83", "989078a0a86247847333080827bf2178"),
        ("DeepLabv3+ R50, separable", "898e78e5a07369a873884cb1b75a6038", "65313309498860233619289af59c0d85"),
        ("ResNet-18 U-Net", "bf7639ba10d3e6c40f585d60667af201", "b0b049293e7685c060d99f17e74d5db1"),
        ("ResNet-50 U-Net", "a279d11536c76e2dd01b6c7258c269c4", "84d1acbd308c590b47e7dac00bb7071a"),
        ("Residual U-Net", "f0d0127b9ad51c891c8d31a2d9c4979f", "53abbc21879afee45e7a5ce41316f8e8"),
        ("Tiny U-Net", "13c17df61925344f99621c3a5fb9da0b", "9c74da3c5a68fe5dedd083cc6169d331"),
        ("Tiramisu-67", "b16e120947612e5cfb0c97fd03748141", "7edc7fe6df200cfbbcced02eee5eda67"),
        ("Tiramisu-103", "82aa7479be606ebd8d006bedb8024f56", "1a769200f55e5129a407e74749c7d230"),
        ("U-Net", "766bcdbbe0a7f0aedaad96ba5effe830", "583f058bbc30711982649be3b2e04782"),
        ("U-Net BN", "4baf2332ce53e525f908c6acbf3e06f7", "3fbc8bf029176bcb798549b62d0664e6"),
        ("3D U-Net", "218e815caf97fcdccd8b8753853e73de", "d78beee24d076f00269c73089e3a060d"),
        # Mended since: a bias that a norm takes away again counts for nothing. (And among those above, Tiramisu's
        # up-convolution is cropped and DeepLabv3+'s separable form aligned, as published.)
        ("Attention U-Net", "832579b0d684a2d49a628f05380c3242", "10d0564d44c0ab824cae016ab7d4b331"),
        ("ResNeSt-50 U-Net", "e1cf5e19833bb8dfea77243bd20b8c51", "b3fff9c82e200d64b8add6761f3ee0b4"),
        ("U-Net BN, bias", "4baf2332ce53e525f908c6acbf3e06f7", "3fbc8bf029176bcb798549b62d0664e6"),
        ("3D U-Net BN", "d64d0c856ea5bb546717c01b34c00388", "a92a015ae23d2316a61528f859066a94"),
        ("nnU-Net", "b7fd1d1af989c90d5b2ca363b4930ffd", "bf811ebacbe052f7a513174cc9b09b16"),
    ],
)
def test_a_published_network_has_the_digest_under_which_studies_have_stored_it(
    name: str, flat: str, thick: str
) -> None:
    assert trace(REFERENCES[name], FLAT).digest == flat
    assert trace(REFERENCES[name], THICK).digest == thick


def test_a_network_with_attention_has_the_digest_under_which_studies_have_stored_it() -> None:
    # Query, key and value are equal layers, and were always three.
    assert (
        digest(lambda x, ops: ops.attend(*(ops.conv(x, 4, 1) for _ in range(3)))) == "6d8d7475f692710b447c95789284c684"
    )
    assert digest(lambda x, ops: ops.add(ops.conv(x, 4), ops.conv(x, 4))) == "9c3d38af94dbcdb5c8f36b058fd8163f"


# What is used twice ----------------------------------------------------------------------------------------------


def one_layer_twice(x: Tensor, ops: Ops) -> Tensor:
    y = ops.conv(x, 4)
    return ops.add(y, y)


def two_equal_layers(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(ops.conv(x, 4), ops.conv(x, 4))


def one_layer_under_two(x: Tensor, ops: Ops) -> Tensor:
    y = ops.conv(x, 4)
    return ops.add(ops.conv(y, 4), ops.conv(y, 4))


def two_layers_under_two(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(ops.conv(ops.conv(x, 4), 4), ops.conv(ops.conv(x, 4), 4))


def a_shortcut(x: Tensor, ops: Ops) -> Tensor:
    y = ops.conv(x, 4)
    return ops.add(ops.conv(y, 4), y)


def a_shortcut_of_its_own(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(ops.conv(ops.conv(x, 4), 4), ops.conv(x, 4))


def one_dropout_twice(x: Tensor, ops: Ops) -> Tensor:
    y = ops.dropout(x, 0.5)
    return ops.add(y, y)


def two_dropouts(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(ops.dropout(x, 0.5), ops.dropout(x, 0.5))


def self_attention_of_one(x: Tensor, ops: Ops) -> Tensor:
    y = ops.conv(x, 4, 1)
    return ops.attend(y, y, y)


def attention_with_key_as_value(x: Tensor, ops: Ops) -> Tensor:
    query, key = ops.conv(x, 4, 1), ops.conv(x, 4, 1)
    return ops.attend(query, key, key)


def attention_with_query_as_value(x: Tensor, ops: Ops) -> Tensor:
    query, key = ops.conv(x, 4, 1), ops.conv(x, 4, 1)
    return ops.attend(query, key, query)


def attention_of_three(x: Tensor, ops: Ops) -> Tensor:
    return ops.attend(*(ops.conv(x, 4, 1) for _ in range(3)))


DIFFERENT = (
    one_layer_twice,
    two_equal_layers,
    one_layer_under_two,
    two_layers_under_two,
    a_shortcut,
    a_shortcut_of_its_own,
    one_dropout_twice,
    two_dropouts,
    self_attention_of_one,
    attention_with_key_as_value,
    attention_with_query_as_value,
    attention_of_three,
)


def test_networks_that_compute_differently_have_different_digests() -> None:
    digests = [digest(function) for function in DIFFERENT]
    assert len(set(digests)) == len(DIFFERENT)


def test_what_has_no_weights_is_one_value_however_often_it_is_written() -> None:
    def once(x: Tensor, ops: Ops) -> Tensor:
        y = ops.act(x)
        return ops.concat(y, y)

    assert digest(once) == digest(lambda x, ops: ops.concat(ops.act(x), ops.act(x)))


@dataclass(frozen=True)
class Program:
    """Steps on values by their number, the image being 0: a layer of one or of two, or a function."""

    steps: tuple[tuple[str, int, int], ...]

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        values = [x]
        for kind, first, second in self.steps:
            if kind == "layer":
                values.append(ops.conv(values[first], 1, 1))
            elif kind == "function":
                values.append(ops.act(values[first], "gelu"))
            else:
                values.append(ops.conv(ops.concat(values[first], values[second]), 1, 1))
        used = {number for kind, *numbers in self.steps for number in (numbers if kind == "join" else numbers[:1])}
        return ops.concat(*(value for number, value in enumerate(values) if number not in used))


def programs() -> st.SearchStrategy[Program]:
    def steps(count: int) -> st.SearchStrategy[tuple[tuple[str, int, int], ...]]:
        kinds = st.sampled_from(["layer", "layer", "function", "join"])
        return st.tuples(*(st.tuples(kinds, st.integers(0, n), st.integers(0, n)) for n in range(count)))

    return st.integers(1, 6).flatmap(steps).map(Program)


def graph_of(program: Program) -> Graph:
    return trace(Written(program, Style("none")), FLAT)


def computed(graph: Graph) -> list[float]:
    """What a graph makes of a number, each layer having weights of its own, drawn as layers are met from the output."""
    weights: dict[int, random.Random] = {}
    made: dict[int, list[float]] = {0: [0.7]}

    def value(index: int) -> list[float]:
        node = graph.nodes[index]
        if isinstance(node.operation, op.Convolution):
            weights.setdefault(index, random.Random(len(weights)))
        if index not in made:
            below = [value(source) for source in node.inputs]
            made[index] = applied(node.operation, below, weights.get(index))
        return made[index]

    return value(graph.outputs[0])


def applied(operation: op.Operation, inputs: Sequence[list[float]], weights: random.Random | None) -> list[float]:
    if isinstance(operation, op.Activation):
        return [math.tanh(number) for number in inputs[0]]
    if weights is not None:
        return [sum(weights.random() * number for number in inputs[0])]
    return [number for numbers in inputs for number in numbers]


@settings(max_examples=300)
@given(programs(), programs())
def test_digests_are_equal_exactly_where_functions_are(first: Program, second: Program) -> None:
    one, other = graph_of(first), graph_of(second)
    assert (one.digest == other.digest) == (computed(one) == pytest.approx(computed(other), abs=1e-12))


@settings(max_examples=100)
@given(programs(), st.randoms(use_true_random=False))
def test_the_order_of_writing_is_no_part_of_the_identity(program: Program, generator: random.Random) -> None:
    graph = graph_of(program)
    order = [0]
    while len(order) < len(graph.nodes):
        ready = [i for i in range(1, len(graph.nodes)) if i not in order and set(graph.nodes[i].inputs) <= set(order)]
        order.append(generator.choice(ready))
    places = {index: place for place, index in enumerate(order)}
    nodes = tuple(graph.nodes[i]._replace(inputs=tuple(places[s] for s in graph.nodes[i].inputs)) for i in order)
    moved = replace(graph, nodes=nodes, outputs=tuple(places[output] for output in graph.outputs))
    assert moved.digest == graph.digest


# What does nothing -----------------------------------------------------------------------------------------------


def test_a_layer_that_leads_to_no_output_is_refused_by_its_name() -> None:
    def idle(x: Tensor, ops: Ops) -> Tensor:
        with ops.scope("branch"):
            ops.norm(ops.conv(x, 4))
        return ops.conv(x, 4)

    with pytest.raises(InputError, match=r"branch\.norm .*leads to no output"):
        trace(Written(idle), FLAT)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_bias_that_a_norm_takes_away_again_is_no_part_of_the_identity(norm: str) -> None:
    def convolved(bias: bool) -> str:
        function = Written(lambda x, ops: ops.norm(ops.conv(x, 4, bias=bias)), Style(norm))
        return trace(function, FLAT).digest

    assert convolved(True) == convolved(False)


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x, ops, bias: ops.conv(x, 4, bias=bias), id="an output"),
        pytest.param(lambda x, ops, bias: ops.act(ops.conv(x, 4, bias=bias)), id="an activation"),
        pytest.param(lambda x, ops, bias: beside(ops.conv(x, 4, bias=bias), ops), id="a norm and a shortcut"),
    ],
)
def test_any_other_bias_is(function: Callable[[Tensor, Ops, bool], Tensor]) -> None:
    assert digest(lambda x, ops: function(x, ops, True)) != digest(lambda x, ops: function(x, ops, False))


def beside(x: Tensor, ops: Ops) -> Tensor:
    return ops.add(ops.norm(x), x)


@pytest.mark.parametrize(
    ("biased", "plain"),
    [
        (REFERENCES["U-Net BN, bias"], REFERENCES["U-Net BN"]),
        (u_net_3d("batch"), replace(u_net_3d("batch"), style=Style("batch"))),
        (nn_u_net(), replace(nn_u_net(), style=Style("instance", "leaky_relu"))),
    ],
)
def test_published_networks_keep_their_biases_and_share_the_digest_of_the_form_without(biased, plain) -> None:  # type: ignore[no-untyped-def]
    kept, without = trace(biased, FLAT), trace(plain, FLAT)
    assert kept.parameters > without.parameters
    assert kept.digest == without.digest
