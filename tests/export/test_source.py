"""An exported file computes what the network does, needs torch alone, and reads as a person would write it."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import nas
from nas.architecture.blocks import Plain
from nas.errors import InputError
from nas.export import source
from nas.graph import Ops, Style, Tensor
from search_spaces.unet_family import SPACE
from tests.export.exported import image, network_of, published, reference, sample, small, trained

NAMES = tuple(SPACE.references)
SAMPLES = range(20)
AXES = (2, 3)


def check(graph: nas.Graph) -> None:
    """The exported network has the same tensors and gives the same, in evaluation and in training mode."""
    theirs, own = trained(graph), network_of(source(graph))
    state = theirs.state_dict()
    assert {name: tensor.shape for name, tensor in own.state_dict().items()} == {
        name: tensor.shape for name, tensor in state.items()
    }
    own.load_state_dict(state)
    x = image(graph)
    with torch.no_grad():
        torch.testing.assert_close(own.eval()(x), theirs.eval()(x), atol=1e-5, rtol=1e-5)
        made = []
        for network in (own, theirs):
            # Both draw the same for dropout.
            torch.manual_seed(0)
            made.append(network.train()(x))
    torch.testing.assert_close(*made, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", NAMES)
def test_a_published_network_is_the_same_as_source(name: str, axes: int) -> None:
    check(reference(name, axes))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("seed", SAMPLES)
def test_torch_jit_scripts_a_random_network(seed: int, axes: int, tmp_path: Path) -> None:
    graph = sample(seed, axes)
    file = tmp_path / "model.py"
    file.write_text(source(graph))  # torch.jit reads the source of classes from their file
    spec = importlib.util.spec_from_file_location(f"model_{seed}_{axes}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network, x = module.Network().eval(), image(graph)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(network)(x), network(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("seed", SAMPLES)
def test_a_random_network_is_the_same_as_source(seed: int, axes: int) -> None:
    check(sample(seed, axes))


def test_dropout_acts_in_training_alone() -> None:
    graph = reference("Tiramisu-67")
    network = network_of(source(graph))
    x = image(graph)
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


def test_deep_supervision_returns_all_outputs_in_training_alone() -> None:
    graph = reference("nnU-Net")
    network = network_of(source(graph))
    x = image(graph)
    outputs = network.train()(x)
    assert [tuple(output.shape[2:]) for output in outputs] == [(16, 16), (16, 8), (8, 4)]
    assert network.eval()(x).shape == outputs[0].shape


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 1, 16, 12), "expected (batch, 1, height, width), multiples of (4, 8)"),
        ((1, 2, 16, 16), "image of shape (1, 2, 16, 16)"),
        ((1, 1, 16, 16, 16), "image of shape (1, 1, 16, 16, 16)"),
    ],
)
def test_an_image_that_does_not_fit_is_refused(shape: tuple[int, ...], expected: str) -> None:
    network = network_of(source(reference("U-Net")))
    with pytest.raises(ValueError, match="image of shape") as caught:
        network(torch.zeros(shape))
    assert expected in str(caught.value)


class Doubled(nn.Module):
    """A user's own module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


class Own:
    """An architecture with a user's own module in it."""

    style = Style()

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        return (ops.module(x, Doubled, x.channels),)


def test_a_users_own_module_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"Doubled.*write it in primitive operations"):
        source(nas.trace(Own(), small(2)))


# What a person reads ------------------------------------------------------------------------------------------------


LINES = [
    # A loop down the encoder that keeps its features, and one up that takes them.
    ("U-Net", "for stage in self.encoder:"),
    ("U-Net", "features.append(x)"),
    ("U-Net", "for index, stage in enumerate(self.decoder):"),
    ("U-Net", "x = stage(x, features[3 - index])"),
    # A class for each kind of block, its constructor given what differs.
    ("U-Net", "class PlainLayer(nn.Module):"),
    ("U-Net", "class Plain(nn.Sequential):"),
    ("U-Net", "class StageWithPool(nn.Module):"),
    ("U-Net", "super().__init__(PlainLayer(inputs, channels), PlainLayer(channels, channels))"),
    ("U-Net", '"""Convolution, norm and activation, repeated (Ronneberger et al. 2015,'),
    ("Attention U-Net", "def __init__(self, inputs: int, channels: int, stride: int = 1) -> None:"),
    # Operations in one line as far as they belong together.
    ("U-Net BN", "return F.relu(self.norm(self.conv(x)))"),
    ("Attention U-Net", "gating = self.gating_norm(self.gating(x))"),
    ("Attention U-Net", "weights = torch.sigmoid(self.weights_norm(self.weights(weights)))"),
    ("ResNet-18 U-Net", "return F.relu(x + shortcut)"),
    ("ResNet-18 U-Net", "return F.relu(branch + x)"),
    # What the stem passes on begins the features; a stage without a skip stands alone.
    ("ResNet-18 U-Net", "feature, x = self.stem(x)"),
    ("ResNet-18 U-Net", "x = self.decoder[3](x, feature)"),
    ("ResNet-18 U-Net", "x = self.decoder[4](x)"),
    # Lists of any length in a line.
    ("Tiramisu-103", "super().__init__(DenseLayer(inputs + 16 * index) for index in range(layers))"),
    ("ResNet-50 U-Net", "*(BottleneckLayer(channels) for _ in range(1, layers)),"),
    ("DeepLabv3+ R50", "x = torch.cat(branches + [image], 1)"),
    # Channels by what they follow from.
    ("ResNet-50 U-Net", "inside = channels // 4"),
    ("ResNet-50 U-Net", "self.block = Plain(inputs + skip_channels, channels)"),
    ("nnU-Net", "if not self.training:"),
    ("nnU-Net", "return scores, coarser[0], coarser[1]"),
    # Numbers that only happen to be equal are not one: what is joined is a sum.
    ("U-Net", "self.block = Plain(2 * channels, channels)"),
    ("U-Net", "def __init__(self, inputs: int, channels: int) -> None:"),
    ("U-Net", "self.head = Head(64, 1)"),
    # What a layer does, where no part has said it.
    ("U-Net BN", '"""One layer of `Plain`: 3x3 convolution, batch norm and ReLU."""'),
]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_the_source_reads_as_a_person_would_write_it(name: str, line: str) -> None:
    assert line in [written.strip() for written in source(published(name)).splitlines()]


def test_the_head_of_the_file_says_what_it_is_and_how_to_load_it() -> None:
    graph = published("U-Net")
    head = ast.get_docstring(ast.parse(source(graph, title="U-Net")))
    assert head is not None
    assert head.startswith("U-Net, as plain PyTorch.")
    assert "31,030,593 trainable parameters" in head
    assert graph.digest in head
    assert 'model.load_state_dict(load_file("weights.safetensors"))' in head


def test_the_docstring_of_a_block_says_nothing_of_fields_that_its_class_lacks() -> None:
    text = source(published("U-Net"))
    assert "arXiv:1505.04597" in text
    assert "`gradual`" in (Plain.__doc__ or "")
    assert "`gradual`" not in text


def test_the_source_of_a_unet_fits_two_pages() -> None:
    assert len(source(published("U-Net")).splitlines()) < 145


@pytest.mark.parametrize("name", NAMES)
def test_every_class_is_used_and_described(name: str) -> None:
    text = source(published(name))
    for item in ast.parse(text).body:
        if isinstance(item, ast.ClassDef):
            assert ast.get_docstring(item), item.name
            assert item.name == "Network" or text.count(f"{item.name}(") > 1, item.name


@pytest.mark.parametrize("name", NAMES)
def test_the_source_imports_torch_alone(name: str) -> None:
    imported = set()
    for item in ast.walk(ast.parse(source(published(name)))):
        if isinstance(item, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            imported.add((item.module or "").partition(".")[0])
    assert imported == {"torch"}


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is not installed")
def test_the_source_is_formatted_and_has_nothing_unused(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(source(published(name)))
    for seed in SAMPLES:
        (tmp_path / f"{seed}.py").write_text(source(sample(seed, 3)))
    for command in (["format", "--check"], ["check", "--select", "E,F,W"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_graph_gives_the_same_source() -> None:
    assert source(sample(3, 2)) == source(nas.Graph.from_json(sample(3, 2).to_json()))
