"""nnU-Net's plans: the network that one of their configurations describes (Isensee et al. 2021, version 2's files)."""

from collections.abc import Mapping, Sequence
from typing import Any

from nas.architecture.blocks import Basic, Plain
from nas.architecture.downsampling import Downsampling, Strided
from nas.architecture.encoder_decoder import EncoderDecoder, Mirrored, Stage, UpStage
from nas.architecture.heads import Head
from nas.architecture.part import Block
from nas.architecture.stems import ConvStem
from nas.errors import InputError, did_you_mean
from nas.graph import Axes, Style, Task

PLAIN, RESIDUAL = "PlainConvUNet", "ResidualEncoderUNet"
_NORMS = {"InstanceNorm": "instance", "BatchNorm": "batch"}
_ACTIVATIONS = {
    "LeakyReLU": "leaky_relu",
    "ReLU": "relu",
    "GELU": "gelu",
    "SiLU": "silu",
    "ELU": "elu",
    "Mish": "mish",
    "Hardswish": "hardswish",
}
_MANY = 2048
"""A most that no width reaches, where a plan's widths double to the last."""


def planned_network(plans: Mapping[str, Any], configuration: str, classes: int) -> tuple[EncoderDecoder, Task]:
    """The architecture that a configuration plans, and the task: its patch, strides and kernels belong to that.

    Args:
        plans: the content of plans.json.
        configuration: as 3d_fullres.
        classes: that the network scores, background included; plans do not say.

    Raises:
        InputError: there is no such configuration, or its network is one that cannot be expressed, with the field.
    """
    plan = _Fields(configuration, _configuration(plans, configuration))
    kind, network = _network(plan)
    strides = network.axes_of("strides")
    kernels = network.axes_of("kernel_sizes")
    widths = network.numbers("features_per_stage", len(strides))
    if set(strides[0]) != {1}:
        raise network.error("strides", strides[0], "a first stage at full resolution")
    if any(max(stride) == 1 for stride in strides[1:]):
        raise network.error("strides", strides, "every stage but the first to be coarser")
    if len(kernels) != len(strides):
        raise network.error("kernel_sizes", len(kernels), f"one for each of {len(strides)} stages")
    if len(kernels[0]) != len(strides[0]):
        raise network.error("kernel_sizes", kernels, "as many axes as strides")
    architecture = _architecture(kind, network, widths)
    patch = plan.numbers("patch_size", len(strides[0]))
    channels = len(plan.listed("normalization_schemes"))
    return architecture, Task(len(strides[0]), channels, classes, patch, strides[1:], kernels=kernels)


class _Fields:
    """A part of the plans, and where it stands."""

    def __init__(self, where: str, content: Any):
        if not isinstance(content, Mapping):
            raise InputError(f"plans: {where}: found {content!r}, expected an object")
        self.where, self.content = where, content

    def error(self, name: str, value: Any, expected: str) -> InputError:
        """What cannot be expressed."""
        return InputError(
            f"plans: {self.where}: {name}: found {value!r}, expected {expected}; no network of nas is like it"
        )

    def get(self, name: str) -> Any:
        """A field that must be there."""
        if name not in self.content:
            raise InputError(f"plans: {self.where}: has no field {name!r}; give the plans.json of nnU-Net version 2")
        return self.content[name]

    def part(self, name: str) -> "_Fields":
        """A field that is an object, an empty one where it is not set."""
        return _Fields(f"{self.where}: {name}", self.content.get(name) or {})

    def listed(self, name: str) -> Sequence[Any]:
        """A field that is a list."""
        value = self.get(name)
        if not isinstance(value, list) or not value:
            raise self.error(name, value, "a list")
        return value

    def axes_of(self, name: str) -> tuple[Axes, ...]:
        """A list of whole numbers for each stage."""
        levels = self.listed(name)
        if not all(isinstance(level, list) and len(level) in (2, 3) and _are_whole(level) for level in levels):
            raise self.error(name, levels, "a list of 2 or 3 whole numbers for each stage")
        if len({len(level) for level in levels}) > 1:
            raise self.error(name, levels, "as many axes at each stage")
        return tuple(tuple(level) for level in levels)

    def numbers(self, name: str, count: int) -> tuple[int, ...]:
        """So many whole numbers, or one for all."""
        value = self.get(name)
        numbers = [value] * count if isinstance(value, int) else value
        if not isinstance(numbers, list) or len(numbers) != count or not _are_whole(numbers):
            raise self.error(name, value, f"{count} whole numbers")
        return tuple(numbers)

    def without(self, name: str, *allowed: Any) -> None:
        """Refuse a field that says something which cannot be expressed."""
        value = self.content.get(name)
        if value is not None and value not in allowed:
            raise self.error(name, value, "it not to be set")


def _configuration(plans: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """With what it inherits."""
    known = plans.get("configurations") if isinstance(plans, Mapping) else None
    if not isinstance(known, Mapping) or not known:
        raise InputError("plans: has no 'configurations'; give the plans.json of nnU-Net version 2")
    names: list[str] = []
    merged: dict[str, Any] = {}
    while True:
        if not isinstance(name, str) or not isinstance(known.get(name), Mapping):
            raise InputError(f"plans: has no configuration {name!r}; {did_you_mean(str(name), known)}")
        if name in names:
            raise InputError(f"plans: configuration {name!r} inherits from itself; mend the file")
        names.append(name)
        merged = {**known[name], **merged}
        if "inherits_from" not in known[name]:
            break
        name = known[name]["inherits_from"]
    if merged.get("previous_stage"):
        raise InputError(
            f"plans: {names[0]} sees what {merged['previous_stage']} predicted, which no network of nas does; give "
            "another --configuration"
        )
    return merged


def _network(plan: _Fields) -> tuple[str, _Fields]:
    """The network's kind and arguments, also from plans of nnU-Net before 2.4."""
    if "architecture" not in plan.content and "UNet_class_name" in plan.content:
        kind, arguments = plan.content["UNet_class_name"], _early(plan)
    else:
        described = _Fields(f"{plan.where}: architecture", plan.get("architecture"))
        kind, arguments = described.get("network_class_name"), described.get("arch_kwargs")
    name = str(kind).rpartition(".")[2]
    if name not in (PLAIN, RESIDUAL):
        raise plan.error("network_class_name", kind, f"{PLAIN} or {RESIDUAL}")
    return name, _Fields(f"{plan.where}: {name}", arguments)


def _early(plan: _Fields) -> dict[str, Any]:
    strides = plan.listed("pool_op_kernel_sizes")
    (base,), (most,) = plan.numbers("UNet_base_num_features", 1), plan.numbers("unet_max_num_features", 1)
    encoder = plan.get("n_conv_per_stage_encoder")
    return {
        "features_per_stage": [min(base * 2**stage, most) for stage in range(len(strides))],
        "kernel_sizes": plan.listed("conv_kernel_sizes"),
        "strides": strides,
        "n_conv_per_stage": encoder,
        "n_blocks_per_stage": encoder,
        "n_conv_per_stage_decoder": plan.get("n_conv_per_stage_decoder"),
        "conv_bias": True,
        "norm_op": "InstanceNorm",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "nonlin": "LeakyReLU",
    }


def _architecture(kind: str, network: _Fields, widths: Sequence[int]) -> EncoderDecoder:
    stages = len(widths)
    first, last = widths[0], widths[-1]
    most = last if last < first * 2 ** (stages - 1) else _MANY
    if tuple(widths) != tuple(min(first * 2**stage, most) for stage in range(stages)):
        raise network.error("features_per_stage", list(widths), "widths that double from stage to stage up to a most")
    ups = network.numbers("n_conv_per_stage_decoder", stages - 1)
    for name in ("dropout_op", "stem_channels", "bottleneck_channels"):
        network.without(name, *([first] if name == "stem_channels" else []))
    network.without("nonlin_first", False)
    blocks: list[Block]
    if kind == PLAIN:
        blocks = [Plain(convs) for convs in network.numbers("n_conv_per_stage", stages)]
    else:
        if "BottleneckD" in str(network.content.get("block")):
            raise network.error("block", network.content["block"], "BasicBlockD")
        units = network.numbers("n_blocks_per_stage", stages)
        blocks = [Basic(count, average_shortcut=True, lean_shortcut=True) for count in units]
    downs: list[Downsampling | None] = [None, *[Strided()] * (stages - 1)]
    return EncoderDecoder(
        stem=None if kind == PLAIN else ConvStem(first, norm_act=True),
        encoder=tuple(Stage(block, down) for block, down in zip(blocks, downs, strict=True)),
        decoder=Mirrored(tuple(UpStage(block=Plain(convs)) for convs in ups), width=first),
        head=Head(deep_supervision=True),
        style=_style(network),
        width=first,
        maximum_width=most,
    )


def _style(network: _Fields) -> Style:
    if network.content.get("conv_bias") is not True:
        raise network.error("conv_bias", network.content.get("conv_bias"), "true, as nnU-Net's planners have it")
    norm = str(network.content.get("norm_op")).rpartition(".")[2].removesuffix("2d").removesuffix("3d")
    activation = str(network.content.get("nonlin")).rpartition(".")[2]
    if norm not in _NORMS:
        raise network.error("norm_op", network.content.get("norm_op"), f"one of {', '.join(_NORMS)}")
    if activation not in _ACTIVATIONS:
        raise network.error("nonlin", network.content.get("nonlin"), f"one of {', '.join(_ACTIVATIONS)}")
    about = network.part("norm_op_kwargs").content
    affine = about.get("affine", norm == "BatchNorm")
    if affine is not True or about.get("eps", 1e-5) != 1e-5:
        raise network.error("norm_op_kwargs", about, "affine true and eps 1e-05")
    slope = network.part("nonlin_kwargs").content.get("negative_slope", 0.01)
    if slope != 0.01:
        raise network.error("nonlin_kwargs", network.content["nonlin_kwargs"], "a negative_slope of 0.01")
    return Style(_NORMS[norm], _ACTIVATIONS[activation], conv_bias=True)


def _are_whole(numbers: Sequence[Any]) -> bool:
    return all(isinstance(number, int) and not isinstance(number, bool) and number > 0 for number in numbers)
