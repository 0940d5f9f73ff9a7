"""The networks of other libraries that members of `unet_family` must equal, each as it is made there."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from nas.architecture import EncoderDecoder, Head, Mirrored, Nearest, ResNetStem, Stage, Strided, Style, UpStage
from nas.architecture.blocks import Basic, Bottleneck
from nas.architecture.references import deeplab, link_net, u_net_plus_plus
from nas.catalog import task_of
from nas.graph import Graph, Task, trace
from nas.network import Network, build, load_published
from search_spaces.unet_family import SPACE
from tests.network.features import shaken

Size = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A network of a library and the member that it is.

    `made` is the expression that makes it, for people to read; `encoder` compares the encoders alone; `run` is how
    theirs is run.
    """

    member: str
    library: str
    made: str
    theirs: Callable[[], nn.Module]
    architecture: EncoderDecoder
    task: Task
    encoder: bool = False
    run: Callable[[nn.Module, Tensor], Any] = nn.Module.__call__
    precision: torch.dtype = torch.float64

    @property
    def id(self) -> str:
        return f"{self.library}: {self.made}"


@dataclass(frozen=True)
class Comparison:
    """What two networks of the same weights make of the same image."""

    parameters: int
    largest_difference: float
    scale: float

    @property
    def relative(self) -> float:
        return self.largest_difference / self.scale


def compare(case: Case) -> Comparison:
    """Give our network the weights of theirs, and both the same image."""
    torch.manual_seed(0)
    theirs = shaken(case.theirs())
    graph = trace(case.architecture, case.task)
    ours = build(encoder_of(graph) if case.encoder else graph)
    kept = load_published(ours, theirs.state_dict())
    assert not kept
    image = torch.randn(1, case.task.channels, *case.task.patch, dtype=case.precision)
    with torch.no_grad():
        expected = first(case.run(theirs.to(case.precision).eval(), image))
        actual = first(ours.to(case.precision).eval()(image))
    assert actual.shape == expected.shape
    difference = (actual - expected).abs().max().item()
    return Comparison(sum(p.numel() for p in ours.parameters()), difference, expected.abs().max().item())


def first(scores: Any) -> Tensor:
    """The output at full resolution, of networks that may return more."""
    while not isinstance(scores, Tensor):
        scores = scores[0]
    return scores


def encoder_of(graph: Graph) -> Graph:
    """The graph up to the encoder's last tensor."""
    count = sum(node.name.startswith(("input", "stem", "encoder")) for node in graph.nodes)
    return replace(graph, nodes=graph.nodes[:count], outputs=(count - 1,))


def of(library: str, path: str, *arguments: Any, **named: Any) -> tuple[str, str, Callable[[], nn.Module]]:
    """A network by the path of what makes it: its library, the expression, and the maker."""
    module, _, name = path.rpartition(".")
    words = [*map(repr, arguments), *(f"{key}={value!r}" for key, value in named.items())]

    def make() -> nn.Module:
        made: nn.Module = getattr(importlib.import_module(module), name)(*arguments, **named)
        return made

    return library, f"{name}({', '.join(words)})", make


def member(name: str) -> EncoderDecoder:
    return SPACE.references[name]


RESNETS = {
    "resnet18": (tuple(Basic(2) for _ in range(4)), 64),
    "resnet34": (tuple(Basic(units) for units in (3, 4, 6, 3)), 64),
    "resnet50": (tuple(Bottleneck(units) for units in (3, 4, 6, 3)), 256),
    "resnet101": (tuple(Bottleneck(units) for units in (3, 4, 23, 3)), 256),
}


def _resnet_features(model: nn.Module, image: Tensor) -> Tensor:
    parts = (
        getattr(model, name) for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
    )
    return nn.Sequential(*parts)(image)


def _timm_features(model: nn.Module, image: Tensor) -> Tensor:
    return model.forward_features(image)  # type: ignore[no-any-return,operator]


def torchvision_cases() -> list[Case]:
    task = Task(2, 3, 1, (64, 96))
    return [
        Case(
            f"ResNet-{name[6:]} U-Net",
            *of("torchvision", f"torchvision.models.{name}", weights=None),
            member(f"ResNet-{name[6:]} U-Net"),
            task,
            encoder=True,
            run=_resnet_features,
        )
        for name in RESNETS
    ]


def timm_cases() -> list[Case]:
    task = Task(2, 3, 1, (64, 96))
    return [
        Case(
            name,
            *of("timm", "timm.create_model", model),
            member(name),
            task,
            encoder=True,
            run=_timm_features,
        )
        for name, model in (
            ("ResNet-34 U-Net", "resnet34"),
            ("SE-ResNet-50 U-Net", "seresnet50"),
            ("ResNeSt-50 U-Net", "resnest50d"),
        )
    ]


def _smp_u_net(blocks: Any, width: int) -> EncoderDecoder:
    downs = (None, Strided(), Strided(), Strided())
    return EncoderDecoder(
        stem=ResNetStem(),
        encoder=tuple(Stage(block, down) for block, down in zip(blocks, downs, strict=True)),
        decoder=Mirrored((UpStage(Nearest()),) * 5, width=16),
        head=Head(kernel=3),
        style=Style("batch"),
        width=width,
    )


def smp_cases() -> list[Case]:
    def case(title: str, kind: str, encoder: str, architecture: EncoderDecoder, size: Size, **more: Any) -> Case:
        made = of(
            "segmentation-models-pytorch",
            f"segmentation_models_pytorch.{kind}",
            encoder,
            encoder_weights=None,
            in_channels=1,
            classes=2,
            **more,
        )
        return Case(title, *made, architecture, Task(2, 1, 2, size))

    numbers = {name: f"R{name[6:]}" for name in RESNETS}
    cases = []
    for name in ("resnet34", "resnet50", "resnet101"):
        for stride in (16, 8):
            title = f"DeepLabv3+ {numbers[name]}, separable" + ("" if stride == 16 else ", output stride 8")
            architecture = deeplab(*RESNETS[name], separable=True, output_stride=stride)
            cases.append(case(title, "DeepLabV3Plus", name, architecture, (64, 96), encoder_output_stride=stride))
    for name in ("resnet18", "resnet50"):
        parts = RESNETS[name]
        title = numbers[name]
        cases.append(case(f"U-Net++ {title}", "UnetPlusPlus", name, u_net_plus_plus(*parts), (64, 96)))
        cases.append(case(f"LinkNet {title}", "Linknet", name, link_net(*parts), (64, 96)))
        cases.append(case(f"U-Net over {name}, nearest upsampling", "Unet", name, _smp_u_net(*parts), (64, 96)))
    return cases


def _monai(name: str, architecture: EncoderDecoder, task: Task, kind: str, *arguments: Any, **named: Any) -> Case:
    return Case(name, *of("monai", f"monai.networks.nets.{kind}", *arguments, **named), architecture, task)


def monai_cases() -> list[Case]:
    levels = (64, 128, 256, 512, 1024)
    cases = [
        _monai(
            "Attention U-Net",
            member("Attention U-Net"),
            Task(2, 1, 2, (32, 48)),
            "AttentionUnet",
            2,
            1,
            2,
            levels,
            (2,) * 4,
        ),
        _monai("V-Net", member("V-Net"), Task(3, 1, 2, (32, 16, 16)), "VNet", out_channels=2, act="relu"),
        _monai("SegResNet", member("SegResNet"), Task(3, 1, 2, (24, 16, 16)), "SegResNet", init_filters=16),
    ]
    for size in "SBML":
        for kernel in (3, 5):
            name = f"MedNeXt-{size}, kernel {kernel}"
            task = Task(3, 1, 2, (32, 16, 16))
            case = _monai(name, member(name), task, f"MedNeXt{size}", kernel_size=kernel)
            # Minutes each in double precision, for which there is no fast depthwise convolution.
            cases.append(replace(case, precision=torch.float32))
    return cases


def dynamic_cases() -> list[Case]:
    """nnU-Net's networks, as its planner has them made."""

    def made(kind: str, title: str, task: Task, widths: Size, kernels: Any, strides: Any, **more: Any) -> Case:
        named = {
            "input_channels": task.channels,
            "n_stages": len(widths),
            "features_per_stage": widths,
            "conv_op": nn.Conv3d,
            "kernel_sizes": kernels,
            "strides": strides,
            "num_classes": task.classes,
            "conv_bias": True,
            "norm_op": nn.InstanceNorm3d,
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "nonlin": nn.LeakyReLU,
            "nonlin_kwargs": {"inplace": True},
            "deep_supervision": True,
            **more,
        }
        path = f"dynamic_network_architectures.architectures.unet.{kind}"
        library, _, make = of("dynamic-network-architectures", path, **named)
        shown = f"{kind}(n_stages={len(widths)}, kernel_sizes={kernels}, strides={strides})".replace(" ", "")
        return Case(title, library, shown, make, member(title), task)

    def widths(stages: int) -> Size:
        return tuple(min(32 * 2**stage, 320) for stage in range(stages))

    def plain(stages: int) -> dict[str, Any]:
        return {"n_conv_per_stage": (2,) * stages, "n_conv_per_stage_decoder": (2,) * (stages - 1)}

    def residual(stages: int) -> dict[str, Any]:
        blocks = (1, 3, 4, 6, 6, 6, 6)[:stages]
        return {"n_blocks_per_stage": blocks, "n_conv_per_stage_decoder": (1,) * (stages - 1)}

    def halving(stages: int) -> Size:
        return (1, *(2,) * (stages - 1))

    thick = task_of(next(member for member in SPACE.members if member.name == "nnU-Net, thick slices"))
    cases = [
        made("PlainConvUNet", "nnU-Net", Task(3, 1, 3, (16, 16, 24)), widths(4), 3, halving(4), **plain(4)),
        made("PlainConvUNet", "nnU-Net, 6 stages", Task(3, 1, 2, (64, 32, 32)), widths(6), 3, halving(6), **plain(6)),
        made(
            "PlainConvUNet",
            "nnU-Net, thick slices",
            replace(thick, patch=(8, 64, 32)),
            widths(6),
            thick.kernels,
            ((1, 1, 1), *(thick.strides or ())),
            **plain(6),
        ),
    ]
    for title, stages, size in (
        ("nnU-Net ResEnc-M, 5 stages", 5, (32, 16, 16)),
        ("nnU-Net ResEnc-L, 6 stages", 6, (64, 32, 32)),
        # The last step along one axis, so that a small image has more than the one voxel there that has no variance.
        ("nnU-Net ResEnc-XL, 7 stages", 7, (128, 32, 32)),
    ):
        strides = ((2, 2, 2),) * min(stages - 1, 5) + ((2, 1, 1),) * (stages - 6)
        task = Task(3, 1, 2, size, strides)
        planned = ((1, 1, 1), *strides)
        cases.append(made("ResidualEncoderUNet", title, task, widths(stages), 3, planned, **residual(stages)))
    return cases


def _zero_padded(model: nn.Module, image: Tensor) -> Any:
    """tiramisu-brulee pads with the edge where the paper and all here pad with zeros."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "zeros"
    return model(image)


def tiramisu_cases() -> list[Case]:
    def made(name: str, down: Size, bottleneck: int) -> Case:
        named = {"down_blocks": down, "up_blocks": down[::-1], "bottleneck_layers": bottleneck, "out_channels": 11}
        parts = of("tiramisu-brulee", "tiramisu_brulee.model.Tiramisu2d", **named)
        return Case(name, *parts, member(name), Task(2, 3, 11, (64, 96)), run=_zero_padded)

    return [made("Tiramisu-67", (5,) * 5, 5), made("Tiramisu-103", (4, 5, 7, 10, 12), 15)]


CASES: tuple[Case, ...] = (
    *torchvision_cases(),
    *timm_cases(),
    *smp_cases(),
    *monai_cases(),
    *dynamic_cases(),
    *tiramisu_cases(),
)
PACKAGES = {
    "torchvision": "torchvision",
    "timm": "timm",
    "segmentation-models-pytorch": "segmentation_models_pytorch",
    "monai": "monai",
    "dynamic-network-architectures": "dynamic_network_architectures",
    "tiramisu-brulee": "tiramisu_brulee",
}
"""What each library is imported as."""


def is_installed(library: str) -> bool:
    return importlib.util.find_spec(PACKAGES[library]) is not None


__all__ = ["CASES", "Case", "Comparison", "Network", "compare", "is_installed"]
