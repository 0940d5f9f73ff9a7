"""Encoders begin with published weights: the same features, for any number of channels, in 2D and 3D."""

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.networks.nets import ResNet
from safetensors.torch import save_file
from torch import Tensor, nn

import nas
from nas.architecture import EncoderDecoder, Linear, Mirrored, ResNetStem, UpStage
from nas.architecture.blocks import Basic
from nas.architecture.references import residual_encoder_u_net, resnet_unet
from nas.errors import InputError
from nas.graph import Graph, Style, Task
from nas.network import Network, build, load_encoder, read_weights
from nas.network.published import MisfitError, encoder_tensors, fetched, files_at, is_name
from nas.network.published.fitting import across, for_channels, inflated
from tests.network.features import features, resnet_features, shaken

State = dict[str, Tensor]
IMAGE = (64, 64)


def resnet(channels: int = 3, axes: int = 2, units: tuple[int, ...] = (2, 2, 2, 2)) -> nn.Module:
    """A small ResNet whose layers are named as torchvision's and timm's are, classifier included."""
    torch.manual_seed(0)
    network = ResNet(
        "basic", units, (4, 8, 16, 32), axes, channels, conv1_t_stride=2, num_classes=5, bias_downsample=False
    )
    return shaken(network).double()


def member(task: Task | None = None, *, width: int = 4, stages: int = 4) -> Network:
    architecture = resnet_unet(tuple(Basic(2) for _ in range(4)), width)
    decoder = Mirrored((UpStage(Linear()),) * (stages + 1), width=4)
    architecture = replace(architecture, stem=ResNetStem(width), encoder=architecture.encoder[:stages], decoder=decoder)
    return build(nas.trace(architecture, task or Task(2, 3, 2, IMAGE)))


def close(actual: list[Tensor], expected: list[Tensor]) -> bool:
    return all(
        torch.allclose(a, e, rtol=0, atol=1e-5 * float(e.abs().max())) for a, e in zip(actual, expected, strict=True)
    )


def test_the_same_weights_make_the_same_features_at_every_stage() -> None:
    theirs, ours = resnet(), member()
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    loaded = load_encoder(ours, theirs.state_dict())
    image = torch.randn(2, 3, *IMAGE, dtype=torch.float64)
    assert close(features(ours, image), resnet_features(theirs, image))
    after = ours.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in after if name.startswith(("decoder", "head")))
    assert loaded.source == "torchvision and timm"
    assert not loaded.changes
    assert loaded.share == pytest.approx(ours.graph.parameters_of("stem", "encoder") / ours.graph.parameters)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_channels_that_are_alike_have_the_features_of_a_grey_picture(channels: int) -> None:
    theirs, ours = resnet(), member(Task(2, channels, 2, IMAGE))
    loaded = load_encoder(ours, theirs.state_dict())
    grey = torch.randn(2, 1, *IMAGE, dtype=torch.float64)
    expected = resnet_features(theirs, grey.expand(-1, 3, -1, -1))
    assert close(features(ours, grey.expand(-1, channels, -1, -1)), expected)
    assert loaded.changes == (f"image channels from 3 to {channels}",)


@pytest.mark.parametrize(
    ("spacing", "axis"), [((1.0, 1.0, 5.0), 2), ((1.0, 5.0, 1.0), 1), ((5.0, 1.0, 1.0), 0), (None, 2)]
)
def test_a_volume_of_equal_slices_has_the_features_of_a_slice_in_each(
    spacing: tuple[float, ...] | None, axis: int
) -> None:
    theirs = resnet()
    ours = member(Task(3, 1, 2, (64, 64, 64), spacing=spacing))
    loaded = load_encoder(ours, theirs.state_dict())
    grey = torch.randn(1, 1, *IMAGE, dtype=torch.float64)
    volume = grey.unsqueeze(2 + axis).expand(1, 1, 64, 64, 64)
    for actual, expected in zip(
        features(ours, volume), resnet_features(theirs, grey.expand(-1, 3, -1, -1)), strict=True
    ):
        assert close(list(actual.unbind(2 + axis)), [expected] * actual.shape[2 + axis])
    assert loaded.changes == ("2D kernels in the middle of 3D ones", "image channels from 3 to 1")


def test_slices_are_seen_across_the_axis_that_is_least_halved_where_no_spacing_is_known() -> None:
    thick = Task(3, 1, 2, (16, 64, 64), ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)))
    assert across(member(thick).graph) == 0


@given(st.integers(1, 5), st.integers(1, 5))
def test_channels_keep_the_sum_of_the_weight(before: int, after: int) -> None:
    weight = torch.rand(2, before, 3, 3, dtype=torch.float64)
    changed = for_channels(weight, after)
    assert changed.shape == (2, after, 3, 3)
    assert torch.allclose(changed.sum(1), weight.sum(1))


@given(st.sampled_from([1, 3, 5, 7]), st.integers(0, 2))
def test_an_inflated_weight_stands_in_the_middle_alone(depth: int, axis: int) -> None:
    weight = torch.rand(2, 3, 3, 3)
    kernel = (*(3, 3)[:axis], depth, *(3, 3)[axis:])
    volume = inflated(weight, kernel, axis)
    assert torch.equal(volume.select(2 + axis, depth // 2), weight)
    assert volume.count_nonzero() == weight.count_nonzero()


def test_weights_in_3d_stay_in_3d() -> None:
    theirs, ours = resnet(1, 3), member(Task(3, 1, 2, (64, 64, 64)))
    assert not load_encoder(ours, theirs.state_dict()).changes
    image = torch.randn(1, 1, 64, 64, 64, dtype=torch.float64)
    assert close(features(ours, image), resnet_features(theirs, image))


def test_a_network_of_fewer_stages_takes_the_first_ones() -> None:
    theirs, ours = resnet(), member(Task(2, 3, 2, IMAGE), stages=2)
    loaded = load_encoder(ours, theirs.state_dict())
    image = torch.randn(2, 3, *IMAGE, dtype=torch.float64)
    assert close(features(ours, image), resnet_features(theirs, image)[:2])
    assert {name.split(".")[0] for name in loaded.unused} == {"layer3", "layer4", "fc"}


def nn_unet_name(name: str) -> str:
    """The name in nnU-Net's ResidualEncoderUNet of a tensor of ours."""
    part, _, rest = name.partition(".")
    if part == "stem":
        return f"encoder.stem.convs.0.{rest}"
    stage, _, unit, *layer, kind = rest.split(".")
    if layer[0] == "shortcut":
        return f"encoder.stages.{stage}.blocks.{unit}.skip.1.{layer[1]}.{kind}"
    what, _, number = layer[0].partition("_")
    return f"encoder.stages.{stage}.blocks.{unit}.conv{number or 1}.{what}.{kind}"


def residual_encoder() -> Graph:
    architecture = replace(residual_encoder_u_net(3), width=8, maximum_width=16)
    return nas.trace(architecture, Task(3, 1, 2, (16, 16, 16)))


def test_a_checkpoint_of_nn_unet_is_read_by_its_names(tmp_path: Path) -> None:
    theirs, ours = build(residual_encoder(), seed=1), build(residual_encoder(), seed=2)
    encoder = {n: t for n, t in theirs.state_dict().items() if n.startswith(("stem", "encoder"))}
    state = {nn_unet_name(name): tensor for name, tensor in encoder.items()}
    # Each convolution is listed again where it is run, and the encoder where the decoder keeps it.
    state |= {f"decoder.{name}": tensor for name, tensor in state.items()}
    state |= {"decoder.seg_layers.0.weight": torch.zeros(2, 32, 1, 1, 1), "decoder.mask_token": torch.zeros(1)}
    checkpoint = {
        "network_weights": state,
        "init_args": {"plans": {"configurations": {"3d": [1, 2]}}, "fold": "all"},
        "_best_ema": np.float64(0.9),
        "logging": {"mean_fg_dice": [np.float64(0.5), np.float32(0.6)]},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, tmp_path / "checkpoint_final.pth")
    loaded = load_encoder(ours, read_weights(tmp_path / "checkpoint_final.pth").state)
    image = torch.randn(1, 1, 16, 16, 16)
    assert close(features(ours, image), features(theirs, image))
    assert loaded.source == "dynamic-network-architectures"


def test_whether_weights_fit_is_known_from_their_shapes(tmp_path: Path) -> None:
    save_file({n: t.contiguous() for n, t in resnet().state_dict().items()}, tmp_path / "weights.safetensors")
    weights = read_weights(tmp_path / "weights.safetensors")
    graph = member(Task(3, 1, 2, (64, 64, 64))).graph
    tensors, loaded = encoder_tensors(graph, weights.state)
    shapes, known = encoder_tensors(graph, weights.shapes.state)
    assert known == loaded
    assert {n: t.shape for n, t in shapes.items()} == {n: t.shape for n, t in tensors.items()}


def test_a_state_dict_of_torchvision_in_half_precision_is_read_too() -> None:
    ours = member()
    load_encoder(ours, {name: tensor.half() for name, tensor in resnet().state_dict().items()})
    assert ours.state_dict()["stem.conv.weight"].dtype == torch.float32


def other(name: str, tensor: Tensor) -> Callable[[State], State]:
    return lambda state: {**state, name: tensor}


def without(name: str) -> Callable[[State], State]:
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            other("layer2.0.conv1.weight", torch.zeros(9, 4, 3, 3)),
            r"layer2\.0\.conv1\.weight .* \(9, 4, 3, 3\), encoder\.1\.block\.0\.conv\.weight has \(8, 4, 3, 3\)",
        ),
        (
            other("layer2.0.conv1.weight", torch.zeros(8, 4, 3, 3, 3)),
            r"layer2\.0\.conv1\.weight .* \(8, 4, 3, 3, 3\), encoder\.1\.block\.0\.conv\.weight has \(8, 4, 3, 3\)",
        ),
        (other("conv1.weight", torch.zeros(4, 3, 5, 5)), r"conv1\.weight .* \(4, 3, 5, 5\), stem.* \(4, 3, 7, 7\)"),
        (other("layer2.5.conv1.weight", torch.zeros(8, 8, 3, 3)), r"would be encoder\.1\.block\.5\.conv"),
        (other("layer1.0.attn.weight", torch.zeros(3)), r"layer1\.0\.attn\.weight \(3,\) is no name of"),
        (without("layer3.1.bn2.running_mean"), r"encoder\.2\.block\.1\.norm_2\.running_mean"),
        (lambda state: {"transformer.wte.weight": torch.zeros(2, 2)}, r"transformer\.wte\.weight .* is no name of"),
        (lambda state: {"fc.weight": torch.zeros(2, 2)}, "of an encoder"),
        (lambda state: {}, "expected a state dict"),
    ],
)
def test_the_first_difference_is_named_and_nothing_changed(change: Callable[[State], Any], message: str) -> None:
    network = member()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match=message):
        load_encoder(network, change(resnet().state_dict()))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_weights_of_volumes_are_none_of_images() -> None:
    with pytest.raises(MisfitError, match=r"conv1\.weight .* \(4, 3, 7, 7, 7\), stem\.conv\.weight has \(4, 3, 7, 7\)"):
        load_encoder(member(), resnet(axes=3).state_dict())


def test_another_network_than_one_of_nas_is_refused() -> None:
    with pytest.raises(InputError, match=r"found a Linear, expected a network that nas\.build made"):
        load_encoder(nn.Linear(2, 2), resnet().state_dict())


def test_a_misfit_says_how_far_it_went() -> None:
    with pytest.raises(MisfitError) as nothing:
        load_encoder(member(width=8), resnet().state_dict())
    with pytest.raises(MisfitError) as nearly:
        load_encoder(member(), other("layer4.1.conv2.weight", torch.zeros(1))(resnet().state_dict()))
    assert nothing.value.matched == 0 < nearly.value.matched


class Trap:
    """What runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("trapped"),)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap()))


def trapped(path: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(2)}, "trap": Trap()}, path)


def cut(path: Path) -> None:
    save_file({"a": torch.zeros(20)}, path)
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "not found"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.write_bytes(b""), "neither safetensors nor"),
        (lambda path: path.write_text("weights"), "neither safetensors nor"),
        (cut, "no whole file of safetensors"),
        (pickled, "would have to execute|neither safetensors nor"),
        (trapped, "would have to execute"),
        (lambda path: torch.save({"epoch": 3, "state_dict": {}}, path), "a dictionary of epoch, state_dict, expected"),
        (lambda path: torch.save([torch.zeros(2)], path), "no dictionary, expected"),
    ],
)
def test_what_is_no_file_of_weights_is_refused_and_never_executed(
    write: Callable[[Path], Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    write(path)
    with pytest.raises(InputError, match=rf"weights\.pth: .*({message})"):
        read_weights(path)
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_what_torch_has_saved_is_read(zipped: bool, wrap: Callable[[State], Any], tmp_path: Path) -> None:
    torch.save(wrap({"a": torch.ones(2)}), tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert torch.equal(read_weights(tmp_path / "a.pth").state["a"], torch.ones(2))


def test_a_folder_holds_files_of_weights(tmp_path: Path) -> None:
    for name in ("b.pth", "a.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    assert [file.name for file in files_at(tmp_path)] == ["a.safetensors", "b.pth"]
    assert files_at(tmp_path / "b.pth") == (tmp_path / "b.pth",)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no file of weights"):
        files_at(tmp_path / "empty")


def test_the_style_is_of_no_concern_to_names() -> None:
    """Activations are not told by weights: said in the documents, and here."""
    architecture: EncoderDecoder = replace(resnet_unet(tuple(Basic(2) for _ in range(4)), 4), stem=ResNetStem(4))
    gelu = replace(architecture, style=Style("batch", "gelu"))
    load_encoder(build(nas.trace(gelu, Task(2, 3, 2, IMAGE))), resnet().state_dict())


def library(get_model_weights: Callable[[str], Any]) -> dict[str, Any]:
    """A torchvision of this function alone, as `sys.modules` has it."""
    models = SimpleNamespace(get_model_weights=get_model_weights)
    return {"torchvision": SimpleNamespace(models=models), "torchvision.models": models}


def test_weights_of_a_library_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def published(model: str) -> Any:
        asked.append(model)
        return SimpleNamespace(DEFAULT=SimpleNamespace(get_state_dict=lambda **_: {"conv1.weight": torch.ones(2)}))

    for name, module in library(published).items():
        monkeypatch.setitem(sys.modules, name, module)
    files = [fetched("torchvision:resnet50", tmp_path / "weights") for _ in range(2)]
    assert asked == ["resnet50"]
    assert set(read_weights(files[1]).state) == {"conv1.weight"}
    assert [file.name for file in (tmp_path / "weights").iterdir()] == ["torchvision-resnet50.safetensors"]


def unreachable(model: str) -> Any:
    raise OSError("no network\nand more")


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"torchvision": None, "torchvision.models": None}, "torchvision is not installed; pip install torchvision"),
        (library(unreachable), r"cannot give these weights \(no network\); give a file"),
    ],
)
def test_weights_that_cannot_be_fetched_are_asked_for_as_a_file(
    modules: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(InputError, match=rf"torchvision:resnet50: .*{message}"):
        fetched("torchvision:resnet50", tmp_path)


def test_a_name_is_told_from_a_path() -> None:
    assert is_name("timm:resnet50.a1_in1k")
    assert not any(is_name(path) for path in ("resnet50.pth", "C:weights.pth", "./torchvision:resnet50", "timm:"))
