"""Each norm and activation that a style may name, exact in parameters, memory, source and digest."""

import json

import pytest
import torch

import nas
from nas.architecture import EncoderDecoder, MaxPool, Mirrored, Stage, Style, UpStage
from nas.architecture.blocks import Plain, SplitAttention
from nas.errors import InputError
from nas.export import source
from nas.graph import Graph, Task, trace
from nas.graph.ops import ACTIVATIONS, NORMS
from nas.network import build
from tests.export.exported import network_of, trained

STYLES = [Style(norm, "relu") for norm in NORMS] + [Style("batch", activation) for activation in ACTIVATIONS[1:]]
WORDS = pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.norm}-{style.activation}")


def graph_of(style: Style, *, axes: int = 2, width: int = 12) -> Graph:
    """Two levels; twelve channels, which eight groups do not divide, and split attention, which pools."""
    encoder = (Stage(Plain(1)), Stage(SplitAttention(1), MaxPool()))
    architecture = EncoderDecoder(
        encoder=encoder, decoder=Mirrored((UpStage(block=Plain(1)),), width=width), style=style, width=width
    )
    return trace(architecture, Task(axes, 1, 2, (32,) * axes))


@WORDS
@pytest.mark.parametrize("axes", [2, 3])
def test_predicted_parameters_are_built_and_the_source_computes_the_same(style: Style, axes: int) -> None:
    graph = graph_of(style, axes=axes)
    network = trained(graph).eval()
    assert sum(p.numel() for p in network.parameters()) == graph.parameters
    own = network_of(source(graph)).eval()
    own.load_state_dict(network.state_dict())
    image = torch.randn(2, 1, *graph.task.patch)
    with torch.no_grad():
        torch.testing.assert_close(own(image), network(image), atol=1e-5, rtol=1e-5)


@WORDS
def test_predicted_training_memory_is_what_autograd_holds(style: Style) -> None:
    graph = graph_of(style)
    network, held = build(graph), dict[int, int]()
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        scores = network(torch.zeros(2, 1, 32, 32))
    measured = sum(size for address, size in held.items() if address not in own) / 2
    assert scores is not None
    assert measured == pytest.approx(graph.training_bytes, rel=0.02)


def test_every_word_has_a_digest_of_its_own_which_survives_json() -> None:
    graphs = [graph_of(style) for style in STYLES]
    assert len({graph.digest for graph in graphs}) == len(STYLES)
    for graph in graphs:
        assert Graph.from_json(json.loads(json.dumps(graph.to_json()))).digest == graph.digest


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("relu", torch.nn.functional.relu),
        ("leaky_relu", lambda x: torch.where(x > 0, x, 0.01 * x)),
        ("elu", lambda x: torch.where(x > 0, x, torch.expm1(x))),
        ("gelu", lambda x: x * torch.special.ndtr(x)),
        ("silu", lambda x: x / (1 + torch.exp(-x))),
        ("mish", lambda x: x * torch.tanh(torch.log1p(torch.exp(x)))),
        ("hardswish", lambda x: x * (x + 3).clamp(0, 6) / 6),
        ("prelu", lambda x: torch.where(x > 0, x, x * torch.tensor([0.1, 0.2, 0.3, 0.4])[:, None, None])),
    ],
)
def test_an_activation_is_the_function_of_its_name(word: str, expected) -> None:  # type: ignore[no-untyped-def]
    ops = nas.graph.Ops(Task(2, 4, 4, (8, 8)), Style(activation=word))
    network = build(ops.graph((ops.act(ops.input()),)))
    for weight in network.parameters():
        weight.data = torch.tensor([0.1, 0.2, 0.3, 0.4])
    image = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(network(image), expected(image), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("word", "channels", "axes"),
    [("instance", 4, (2, 3)), ("layer", 4, (1, 2, 3)), ("group", 16, None), ("group", 12, None), ("group", 8, (2, 3))],
)
def test_a_norm_is_over_what_its_name_says(word: str, channels: int, axes: tuple[int, ...] | None) -> None:
    ops = nas.graph.Ops(Task(2, channels, 1, (8, 8)), Style(word))
    network = build(ops.graph((ops.norm(ops.input()),)))
    image = torch.randn(2, channels, 8, 8)
    groups = {16: 8, 12: 4}.get(channels, 1)
    x = image.unflatten(1, (groups, -1)) if axes is None else image
    over = axes or (2, 3, 4)
    variance, mean = torch.var_mean(x, over, correction=0, keepdim=True)
    expected = ((x - mean) / torch.sqrt(variance + 1e-5)).reshape(image.shape)
    torch.testing.assert_close(network(image), expected, atol=1e-5, rtol=1e-5)


def test_groups_of_one_channel_are_instances() -> None:
    assert graph_of(Style("group"), width=4).digest != graph_of(Style("layer"), width=4).digest
    norms = [trace(EncoderDecoder(style=Style(norm), width=8), Task(2, 1, 1)).digest for norm in ("group", "instance")]
    assert norms[0] == norms[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Style(norm="Batch"), "Style norm: found 'Batch', expected one of none, batch, instance, group, layer"),
        (Style(norm=None), "Style norm: found None, expected one of none"),  # type: ignore[arg-type]
        (Style(activation="LeakyReLU"), "Style activation: found 'LeakyReLU', expected one of relu, leaky_relu"),
        (Style(activation="silo"), "did you mean 'silu'?"),
        (Style(dropout=1.5), "Style dropout: found 1.5, expected a number from 0 to below 1"),
        (Style(conv_bias=1), "Style conv_bias: found 1, expected True or False"),  # type: ignore[arg-type]
    ],
)
def test_a_word_that_is_none_is_refused_with_those_that_are(wrong: Style, message: str) -> None:
    with pytest.raises(InputError) as raised:
        graph_of(wrong)
    assert message in str(raised.value)
    assert str(raised.value).startswith("style: ")


# One voxel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["instance", "group", "layer"])
@pytest.mark.parametrize("axes", [2, 3])
def test_a_map_of_one_voxel_has_one_finite_answer_for_every_batch(norm: str, axes: int) -> None:
    ops = nas.graph.Ops(Task(axes, 8, 8, (1,) * axes), Style(norm))
    graph = ops.graph((ops.norm(ops.conv(ops.input(), 8)),))
    network = trained(graph).train()
    own = network_of(source(graph)).train()
    own.load_state_dict(network.state_dict())
    image = torch.randn(3, 8, *(1,) * axes)
    for run in (network, own):
        together = run(image)
        assert torch.isfinite(together).all()
        torch.testing.assert_close(run(image[:1]), together[:1])
    torch.testing.assert_close(own(image), network(image))
    network(image[:1]).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
