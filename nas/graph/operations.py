"""The primitive operations that networks are made of, and what each one costs.

Every operation is a frozen value. Cost, digest, picture, module and source are all read off these values, so an
operation states here, once: its learned tensors, its multiply-accumulates, and what it keeps for the backward pass.
Kernels, strides and dilations have one number per spatial axis.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar, Literal

Axes = tuple[int, ...]
Keeps = Literal["nothing", "inputs", "output"]
NormKind = Literal["batch", "instance", "instance_plain", "group"]
ActivationKind = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "hardswish", "prelu", "sigmoid"]
ResizeMode = Literal["linear", "aligned", "nearest"]

ADDED = "added"
"""In a field's metadata: it came after digests were first stored, so that its default must not change them."""


@dataclass(frozen=True)
class Operation:
    """One step of a network.

    `shapes` are its learned tensors by name, given the channels of its inputs. `macs` are multiply-accumulates
    given those channels, its output channels and the number of positions of its first input and of its output:
    convolutions and matrix products alone, as `torch.utils.flop_counter` counts them (two operations each).
    `keeps` says which tensors autograd holds for the backward pass, `extra_bytes` what it holds besides.
    """

    keeps: ClassVar[Keeps] = "nothing"

    def shapes(self, inputs: Axes) -> dict[str, Axes]:
        """Learned tensors by name."""
        return {}

    def macs(self, inputs: Axes, positions_in: int, positions_out: int) -> int:
        """Multiply-accumulates over one patch."""
        return 0

    def extra_bytes(self, channels: int, positions_in: int, positions_out: int) -> int:
        """Bytes held for the backward pass that are neither an input nor the output, over one patch."""
        return 0


@dataclass(frozen=True)
class Input(Operation):
    """The image: (batch, channels, *patch)."""


@dataclass(frozen=True)
class Convolution(Operation):
    """A convolution padded so that only its stride changes the size."""

    channels: int
    kernel: Axes
    stride: Axes
    dilation: Axes
    groups: int = 1
    bias: bool = True
    keeps: ClassVar[Keeps] = "inputs"

    @property
    def padding(self) -> Axes:
        """Voxels added at both ends of each axis."""
        return tuple(d * (k - 1) // 2 for k, d in zip(self.kernel, self.dilation, strict=True))

    def shapes(self, inputs: Axes) -> dict[str, Axes]:  # noqa: D102
        weight = (self.channels, inputs[0] // self.groups, *self.kernel)
        return {"weight": weight, "bias": (self.channels,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Axes, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return positions_out * self.channels * (inputs[0] // self.groups) * prod(self.kernel)


@dataclass(frozen=True)
class TransposedConvolution(Operation):
    """An up-convolution that multiplies the size by its stride exactly, unless `cut` says what is cut at each end."""

    channels: int
    kernel: Axes
    stride: Axes
    bias: bool = True
    groups: int = field(default=1, metadata={ADDED: True})
    cut: Axes | None = field(default=None, metadata={ADDED: True})
    keeps: ClassVar[Keeps] = "inputs"

    @property
    def padding(self) -> Axes:
        """Voxels cut from both ends of each axis."""
        if self.cut is not None:
            return self.cut
        return tuple(max((k - s + 1) // 2, 0) for k, s in zip(self.kernel, self.stride, strict=True))

    @property
    def output_padding(self) -> Axes:
        """Voxels added at the far end of each axis."""
        if self.cut is not None:
            return (0,) * len(self.stride)
        return tuple(s + 2 * p - k for k, s, p in zip(self.kernel, self.stride, self.padding, strict=True))

    @property
    def surplus(self) -> Axes:
        """By how many positions each axis comes out longer than its stride times the input (shorter, if negative)."""
        sizes = zip(self.kernel, self.stride, self.padding, self.output_padding, strict=True)
        return tuple(k - s - 2 * p + added for k, s, p, added in sizes)

    def shapes(self, inputs: Axes) -> dict[str, Axes]:  # noqa: D102
        weight = (inputs[0], self.channels // self.groups, *self.kernel)
        return {"weight": weight, "bias": (self.channels,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Axes, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return positions_in * (self.channels // self.groups) * inputs[0] * prod(self.kernel)


@dataclass(frozen=True)
class Pad(Operation):
    """Zeros put before and after each axis; where a number is negative, so many positions are cut off."""

    before: Axes
    after: Axes


@dataclass(frozen=True)
class Normalisation(Operation):
    """A norm: of the batch, of each image's channels, without learned scale and shift if plain, or of `groups` of them.

    `zero` starts at scale 0.
    """

    kind: NormKind
    zero: bool = False
    groups: int = field(default=0, metadata={ADDED: True})
    keeps: ClassVar[Keeps] = "inputs"

    @property
    def centres_channels(self) -> bool:
        """Whether it takes each channel's own mean away, so that a constant added to a channel before makes nothing."""
        return self.kind in ("batch", "instance", "instance_plain")

    def shapes(self, inputs: Axes) -> dict[str, Axes]:  # noqa: D102
        return {} if self.kind == "instance_plain" else {"weight": (inputs[0],), "bias": (inputs[0],)}

    def extra_bytes(self, channels: int, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return 8 * (self.groups or channels)


@dataclass(frozen=True)
class Activation(Operation):
    """A pointwise non-linearity; a PReLU has one weight, or one for each channel."""

    kind: ActivationKind
    per_channel: bool = field(default=False, metadata={ADDED: True})

    @property
    def keeps(self) -> Keeps:  # type: ignore[override]
        """ReLU and sigmoid are undone from their output, the others from their input."""
        return "output" if self.kind in ("relu", "sigmoid") else "inputs"

    def shapes(self, inputs: Axes) -> dict[str, Axes]:  # noqa: D102
        return {"weight": (inputs[0] if self.per_channel else 1,)} if self.kind == "prelu" else {}


@dataclass(frozen=True)
class Dropout(Operation):
    """Sets single values to zero in training."""

    rate: float

    def extra_bytes(self, channels: int, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return 4 * channels * positions_out


@dataclass(frozen=True)
class MaxPool(Operation):
    """The maximum over a window, padded for odd kernels."""

    kernel: Axes
    stride: Axes
    keeps: ClassVar[Keeps] = "inputs"

    @property
    def padding(self) -> Axes:
        """Voxels added at both ends of each axis."""
        return tuple((k - 1) // 2 for k in self.kernel)

    def extra_bytes(self, channels: int, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return 8 * channels * positions_out


@dataclass(frozen=True)
class AveragePool(Operation):
    """The mean over a window, padded for odd kernels."""

    kernel: Axes
    stride: Axes
    keeps: ClassVar[Keeps] = "inputs"

    @property
    def padding(self) -> Axes:
        """Voxels added at both ends of each axis."""
        return tuple((k - 1) // 2 for k in self.kernel)


@dataclass(frozen=True)
class GlobalPool(Operation):
    """The mean over all positions: one value per channel."""


@dataclass(frozen=True)
class Resize(Operation):
    """Interpolation to `factor` times the size: linear, linear with the corners aligned, or the nearest value."""

    factor: Axes
    mode: ResizeMode = field(default="linear", metadata={ADDED: True})


@dataclass(frozen=True)
class Expand(Operation):
    """A pooled first input repeated over the positions of the second."""


@dataclass(frozen=True)
class Add(Operation):
    """The sum of its inputs."""


@dataclass(frozen=True)
class Multiply(Operation):
    """The product of its two inputs; the second may have one channel or one position."""

    keeps: ClassVar[Keeps] = "inputs"


@dataclass(frozen=True)
class Concatenate(Operation):
    """Its inputs' channels, one after the other."""


@dataclass(frozen=True)
class SumSplits(Operation):
    """The sum of `radix` equal groups of channels."""

    radix: int


@dataclass(frozen=True)
class SoftmaxSplits(Operation):
    """Softmax across `radix` groups of channels, or a sigmoid for one group (ResNeSt, arXiv:2004.08955)."""

    radix: int
    keeps: ClassVar[Keeps] = "output"


@dataclass(frozen=True)
class Attend(Operation):
    """softmax(query^T key) value over all pairs of positions: quadratic in the number of positions."""

    keeps: ClassVar[Keeps] = "inputs"

    def macs(self, inputs: Axes, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return positions_in * positions_in * (inputs[0] + inputs[2])

    def extra_bytes(self, channels: int, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return 4 * positions_in * positions_in


@dataclass(frozen=True)
class Foreign(Operation):
    """A user's own `torch.nn.Module`, made by calling `module:name` with `arguments`; its cost is measured."""

    module: str
    name: str
    arguments: tuple[tuple[str, int | float | str | bool], ...]
    tensors: tuple[tuple[str, Axes], ...]
    macs_per_position: int
    keeps: ClassVar[Keeps] = "inputs"

    def shapes(self, inputs: Axes) -> dict[str, Axes]:  # noqa: D102
        return dict(self.tensors)

    def macs(self, inputs: Axes, positions_in: int, positions_out: int) -> int:  # noqa: D102
        return self.macs_per_position * positions_out


def padding(operation: Pad) -> list[int]:
    """Its numbers as torch takes them: the last axis first, before and after each."""
    axes = zip(reversed(operation.before), reversed(operation.after), strict=True)
    return [number for both in axes for number in both]


def surplus_of(operation: Operation, inputs: Sequence[Axes]) -> Axes:
    """By how many positions each axis of what an operation makes is longer than it should be; none if by none.

    Args:
        operation: what is done.
        inputs: the same of each of its inputs.
    """
    if isinstance(operation, Input | GlobalPool):
        return ()
    before = inputs[-1] if isinstance(operation, Expand) else inputs[0]
    if isinstance(operation, TransposedConvolution):
        grown = _each(before, operation.stride, lambda a, b: a * b)
        return _each(grown, operation.surplus, lambda a, b: a + b)
    if isinstance(operation, Pad):
        added = _each(operation.before, operation.after, lambda a, b: a + b)
        return _each(before, added, lambda a, b: a + b)
    return before


def _each(first: Axes, second: Axes, combine: Callable[[int, int], int]) -> Axes:
    """Two numbers of each axis combined; none where all become 0."""
    values = tuple(map(combine, first or (0,) * len(second), second))
    return values if any(values) else ()


OPERATIONS: dict[str, type[Operation]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Operation) and kind is not Operation
}
"""The closed set of operations, those of this file, by name, for reading graphs back from JSON."""
