"""Writing a network: `Ops` turns the calls of blocks into nodes of a graph.

A `Tensor` is symbolic: it knows its channels and its strides, nothing of sizes or values. So one block serves 2D
and 3D, isotropic and anisotropic data.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from math import gcd
from typing import Any, Protocol

from nas.errors import InputError, own_code
from nas.graph import operations
from nas.graph.graph import Graph
from nas.graph.names import RESERVED
from nas.graph.nodes import Node, Scope
from nas.graph.operations import Operation, ResizeMode, surplus_of
from nas.graph.task import Axes, Task
from nas.space.knobs import check_knobs, knob

NORMS = ("none", "batch", "instance", "group", "layer")
"""What a style may be normalised by: layer norm is one group of all channels and positions (arXiv:1803.08494)."""

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "hardswish", "prelu", "sigmoid")
"""What a style may be activated by; a PReLU has a weight for each channel (arXiv:1502.01852)."""

_GROUPS = 8
"""Of a group norm, as in SegResNet (Myronenko 2018, arXiv:1810.11654); fewer where they do not divide the channels."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value in a network: its `channels` and its `strides` (input voxels per position and axis).

    `surplus` says by how many positions each axis is longer than the image at these strides (shorter, if negative),
    as after an up-convolution that does not multiply the size exactly; none for what is as long as it should be.
    """

    index: int
    channels: int
    strides: Axes
    surplus: Axes = ()


@dataclass(frozen=True)
class Style:
    """What all blocks of an architecture share.

    `norm` follows each convolution (one of `NORMS`), `activation` each norm (one of `ACTIVATIONS`); `conv_bias` keeps a
    bias beside a norm, where it is redundant; `dropout` is the rate wherever a block drops values.
    """

    norm: str = knob("batch", words=NORMS)
    activation: str = knob("relu", words=ACTIVATIONS)
    conv_bias: bool = False
    dropout: float = knob(0.0, low=0, below=1)


class Traceable(Protocol):
    """An architecture: writes a whole network, from the image to its outputs, full resolution first."""

    @property
    def style(self) -> Style: ...  # noqa: D102

    def __call__(self, x: Tensor, ops: "Ops") -> tuple[Tensor, ...]: ...  # noqa: D102


class Ops:
    """The primitive operations, as a block writes them.

    Kernels, strides and dilations are one number for all axes or one per axis; a convolution without a kernel has
    that of the task's level, 3 along each axis but where slices are thick. Every method returns the tensor it made;
    `name` is its step in the state dict. What does not fit raises an `InputError` that says where.
    """

    def __init__(self, task: Task, style: Style):
        self.task = task
        self.style = style
        self._nodes: list[Node] = []
        self._scopes: dict[str, Scope] = {}
        self._path = ""
        self._names: set[str] = set()
        self._homes: set[str] = set()

    def graph(self, outputs: tuple[Tensor, ...]) -> Graph:
        """The graph of all that was written.

        Raises:
            InputError: something was written that leads to no output.
        """
        places = tuple(output.index for output in outputs)
        used = set(places)
        for index in range(len(self._nodes) - 1, 0, -1):
            node = self._nodes[index]
            if index not in used:
                raise InputError(
                    f"{self.where(node.name)}: what {node.name} makes leads to no output; use it or leave it out"
                )
            used.update(node.inputs)
        return Graph(self.task, tuple(self._nodes), places, self._scopes)

    @contextmanager
    def scope(self, name: str | int, part: object = None) -> Iterator[None]:
        """Everything written inside stands below `name`; `part` is the block that writes it, if one does."""
        outer = self._path
        self._path = self._below(str(name))
        for path in _ancestors(self._path):
            if path in self._names:
                raise InputError(f"{self.where(path)}: {path} names a layer already; take another name for the scope")
            self._homes.add(path)
        if part is not None:
            doc = (type(part).__doc__ or "").strip()
            self._scopes[self._path] = Scope(type(part).__name__, doc)
        yield
        self._path = outer  # not where something was raised: `here` tells then where that was

    def here(self) -> str:
        """Where is being written just now, in words: the part that does it, and its path."""
        return self.where(self._path)

    def where(self, name: str) -> str:
        """The part that writes what has this path, and the part's own path."""
        parts = [path for path in self._scopes if f"{name}.".startswith(f"{path}.")]
        path = max(parts, key=len, default=None)
        return "the architecture" if path is None else f"{self._scopes[path].kind} at {path}"

    def input(self) -> Tensor:
        """The image."""
        return self._write(operations.Input(), (), "input", self.task.channels, (1,) * self.task.axes)

    def conv(
        self,
        x: Tensor,
        channels: int,
        kernel: int | Axes | None = None,
        *,
        stride: int | Axes = 1,
        dilation: int | Axes = 1,
        groups: int = 1,
        bias: bool | None = None,
        name: str = "conv",
    ) -> Tensor:
        """A convolution; without `bias` given it has one if no norm can follow or the style keeps it."""
        self._expect_groups(x.channels, channels, groups)
        bias = self.style.conv_bias or self.style.norm == "none" if bias is None else bias
        step = self._axes("stride", stride)
        self._expect_size(x, step)
        strides = _times(x.strides, step)
        window = self.task.kernel(strides) if kernel is None else self._axes("kernel", kernel)
        operation = operations.Convolution(channels, window, step, self._axes("dilation", dilation), groups, bias)
        self._expect_whole(operation.dilation, operation.kernel, step)
        return self._write(operation, (x,), name, channels, strides)

    def transposed_conv(
        self,
        x: Tensor,
        channels: int,
        kernel: int | Axes,
        *,
        stride: Axes,
        bias: bool = True,
        groups: int = 1,
        cut: int | Axes | None = None,
        name: str = "up",
    ) -> Tensor:
        """An up-convolution by `stride`; along an axis that does not grow its kernel is at most the stride's.

        The size grows by the stride exactly. With `cut`, so many positions are cut from both ends instead, and `pad`
        must bring what comes out to its size.
        """
        self._expect_groups(x.channels, channels, groups)
        sizes = self._axes("kernel", kernel)
        stride = self._axes("stride", stride)
        cuts = None if cut is None else self._axes("cut", cut, low=0)
        if cuts is None:
            self._expect_whole((1,) * len(stride), sizes, stride)
        operation = operations.TransposedConvolution(channels, sizes, stride, bias, groups, cuts)
        return self._write(operation, (x,), name, channels, _over(x.strides, stride))

    def pad(self, x: Tensor, before: int | Axes = 0, after: int | Axes = 0) -> Tensor:
        """Zeros before and after each axis; negative numbers cut positions off."""
        operation = operations.Pad(self._axes("before", before, low=None), self._axes("after", after, low=None))
        return self._write(operation, (x,), "pad", x.channels, x.strides)

    def norm(self, x: Tensor, *, kind: str | None = None, zero: bool = False, name: str = "norm") -> Tensor:
        """The style's norm, or `kind`: one of `NORMS`, or "instance_plain", which has no learned scale and shift.

        `zero` lets a residual branch start as nothing.
        """
        chosen = self._word("norm", kind or self.style.norm, (*NORMS, "instance_plain"))
        if chosen == "none":
            return x
        groups = {"group": gcd(x.channels, _GROUPS), "layer": 1}.get(chosen, 0)
        if groups == x.channels:
            chosen, groups = "instance", 0
        # Over the one position of a pooled tensor an instance norm would leave nothing but zeros.
        if not x.strides and chosen.startswith("instance"):
            return x
        operation = operations.Normalisation("group" if groups else chosen, zero, groups)  # type: ignore[arg-type]
        return self._write(operation, (x,), name, x.channels, x.strides)

    def act(self, x: Tensor, kind: str | None = None, name: str = "act") -> Tensor:
        """The style's activation, or `kind`: one of `ACTIVATIONS`, or "shared_prelu", one weight for all channels."""
        chosen = self._word("activation", kind or self.style.activation, (*ACTIVATIONS, "shared_prelu"))
        operation = operations.Activation(chosen.removeprefix("shared_"), chosen == "prelu")  # type: ignore[arg-type]
        return self._write(operation, (x,), name, x.channels, x.strides)

    def dropout(self, x: Tensor, rate: float | None = None) -> Tensor:
        """Dropout at the style's rate, or `rate`; none at 0."""
        rate = self.style.dropout if rate is None else rate
        if not 0 <= rate < 1:
            raise InputError(f"{self.here()}: dropout {rate!r}, expected a rate from 0 to below 1")
        return x if rate == 0 else self._write(operations.Dropout(rate), (x,), "dropout", x.channels, x.strides)

    def conv_norm_act(
        self,
        x: Tensor,
        channels: int,
        kernel: int | Axes | None = None,
        *,
        stride: int | Axes = 1,
        dilation: int | Axes = 1,
        groups: int = 1,
    ) -> Tensor:
        """Convolution, norm, activation."""
        x = self.conv(x, channels, kernel, stride=stride, dilation=dilation, groups=groups)
        return self.act(self.norm(x))

    def separable_conv(self, x: Tensor, channels: int, *, stride: int | Axes = 1, dilation: int | Axes = 1) -> Tensor:
        """A 3x3 convolution of each channel alone, then a 1x1 across them (Chollet 2017, arXiv:1610.02357)."""
        x = self.conv(x, x.channels, stride=stride, dilation=dilation, groups=x.channels, bias=False, name="depthwise")
        return self.conv(x, channels, 1, name="pointwise")

    def max_pool(self, x: Tensor, kernel: int | Axes, stride: Axes) -> Tensor:
        """The maximum over windows."""
        stride = self._axes("stride", stride)
        operation = operations.MaxPool(self._axes("kernel", kernel), stride)
        self._expect_size(x, stride)
        self._expect_whole((1,) * len(stride), operation.kernel, stride)
        return self._write(operation, (x,), "pool", x.channels, _times(x.strides, stride))

    def average_pool(self, x: Tensor, kernel: int | Axes, stride: Axes) -> Tensor:
        """The mean over windows."""
        stride = self._axes("stride", stride)
        operation = operations.AveragePool(self._axes("kernel", kernel), stride)
        self._expect_size(x, stride)
        self._expect_whole((1,) * len(stride), operation.kernel, stride)
        return self._write(operation, (x,), "pool", x.channels, _times(x.strides, stride))

    def global_pool(self, x: Tensor) -> Tensor:
        """The mean over all positions."""
        return self._write(operations.GlobalPool(), (x,), "pool", x.channels, ())

    def resize(self, x: Tensor, strides: Axes, mode: ResizeMode = "linear") -> Tensor:
        """Interpolation up to the resolution that has these strides."""
        factor = self.factor(x, strides)
        if all(step == 1 for step in factor):
            return x
        return self._write(operations.Resize(factor, mode), (x,), "resize", x.channels, strides)

    def factor(self, x: Tensor, strides: Axes) -> Axes:
        """How many times `x` grows along each axis until it has the resolution of these strides.

        Raises:
            InputError: it is finer than that, or no multiple of it.
        """
        self._expect_positions(x)
        if any(stride % step for stride, step in zip(x.strides, strides, strict=True)):
            raise InputError(f"{self.here()}: cannot grow a tensor of strides {x.strides} to strides {strides}")
        return _over(x.strides, strides)

    def expand(self, x: Tensor, like: Tensor) -> Tensor:
        """A pooled tensor repeated over all positions of `like`."""
        return self._write(operations.Expand(), (x, like), "expand", x.channels, like.strides)

    def add(self, *tensors: Tensor) -> Tensor:
        """The sum of tensors of one shape."""
        first = tensors[0]
        for other in tensors[1:]:
            self._same(first, other, "add")
            if first.channels != other.channels:
                raise InputError(f"{self.here()}: cannot add {first.channels} and {other.channels} channels")
        return self._write(operations.Add(), tensors, "add", first.channels, first.strides)

    def multiply(self, x: Tensor, weights: Tensor) -> Tensor:
        """`x` times `weights`, which may have one channel or, after global pooling, one position."""
        if weights.strides:
            self._same(x, weights, "multiply")
        if weights.channels not in (1, x.channels):
            raise InputError(f"{self.here()}: cannot multiply {x.channels} by {weights.channels} channels")
        return self._write(operations.Multiply(), (x, weights), "multiply", x.channels, x.strides)

    def concat(self, *tensors: Tensor) -> Tensor:
        """All channels of tensors of one resolution."""
        if len(tensors) == 1:
            return tensors[0]
        for other in tensors[1:]:
            self._same(tensors[0], other, "concatenate")
        channels = sum(tensor.channels for tensor in tensors)
        return self._write(operations.Concatenate(), tensors, "concat", channels, tensors[0].strides)

    def sum_splits(self, x: Tensor, radix: int) -> Tensor:
        """The sum of `radix` groups of channels."""
        self._expect_groups(x.channels, x.channels, radix)
        return self._write(operations.SumSplits(radix), (x,), "sum", x.channels // radix, x.strides)

    def softmax_splits(self, x: Tensor, radix: int) -> Tensor:
        """Softmax across `radix` groups of channels; a sigmoid for one."""
        self._expect_groups(x.channels, x.channels, radix)
        return self._write(operations.SoftmaxSplits(radix), (x,), "softmax", x.channels, x.strides)

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """softmax(query^T key) value over all pairs of positions."""
        if query.channels != key.channels or key.strides != value.strides:
            raise InputError(f"{self.here()}: cannot attend with {query}, {key} and {value}")
        return self._write(operations.Attend(), (query, key, value), "attend", value.channels, query.strides)

    def module(
        self, x: Tensor | Sequence[Tensor], factory: Callable[..., Any], channels: int, /, **arguments: Any
    ) -> Tensor:
        """A user's own `torch.nn.Module` that keeps the resolution: `factory(**arguments)`, measured with torch.

        Args:
            x: its input, (batch, x.channels, *positions), or several, of any resolutions, that it takes in this order;
                what it returns has the resolution of the first.
            factory: the module's class, importable by its name.
            channels: the channels of its output.
            arguments: numbers, strings and booleans for the factory.

        Raises:
            InputError: the factory cannot be imported by name, or its module does not do what is declared.
        """
        from nas.graph.foreign import measure

        inputs = (x,) if isinstance(x, Tensor) else tuple(x)
        operation = measure(factory, arguments, [(one.channels, one.strides) for one in inputs], channels)
        return self._write(operation, inputs, "module", channels, inputs[0].strides)

    def _word(self, what: str, word: str, known: tuple[str, ...]) -> str:
        if word not in known:
            raise InputError(f"{self.here()}: {what} {word!r}, expected one of {', '.join(known)}")
        return word

    def _axes(self, what: str, number: int | Axes, low: int | None = 1) -> Axes:
        """One number per axis, all of them whole and at least `low`."""
        numbers = (number,) * self.task.axes if isinstance(number, int) else number
        expected = "a whole number" if low is None else f"a whole number of at least {low}"
        if not isinstance(numbers, tuple):
            raise TypeError(f"{what} {number!r}, expected {expected}, or one for each of the axes")
        if len(numbers) != self.task.axes:
            raise InputError(f"{self.here()}: {what} {number!r}, expected {expected}, or one for each of the axes")
        if not all(map(_is_whole, numbers)):
            raise TypeError(f"{what} {number!r}, expected {expected}")
        if low is not None and min(numbers) < low:
            raise InputError(f"{self.here()}: {what} {number!r}, expected {expected}")
        return numbers

    def _below(self, name: str) -> str:
        """The path of a name in the scope that is being written."""
        steps = name.split(".") if isinstance(name, str) else [""]
        if not all(steps) or any(step.startswith("_") for step in steps):
            raise InputError(f"{self.here()}: the name {name!r}, expected words that begin with no underscore")
        if RESERVED.intersection(steps):
            raise InputError(f"{self.here()}: the name {name!r} is one that torch's modules have; take another")
        return f"{self._path}.{name}" if self._path else name

    def _expect_groups(self, inputs: int, channels: int, groups: int) -> None:
        for what, number in (("channels", channels), ("groups", groups)):
            if not _is_whole(number):
                raise TypeError(f"{what} {number!r}, expected a whole number")
            if number < 1:
                raise InputError(f"{self.here()}: {what} {number!r}, expected a whole number of at least 1")
        if inputs % groups or channels % groups:
            raise InputError(f"{self.here()}: {inputs} to {channels} channels do not divide into {groups} groups")

    def _expect_positions(self, x: Tensor) -> None:
        if not x.strides:
            raise InputError(f"{self.here()}: a pooled tensor has no positions; bring it back to them with expand")

    def _expect_whole(self, dilation: Axes, kernel: Axes, stride: Axes) -> None:
        """Refuse windows for which no padding, the same at both ends, leaves the size to the stride alone."""
        for spread, size, step in zip(dilation, kernel, stride, strict=True):
            if step == 1 and spread * (size - 1) % 2:
                raise InputError(
                    f"{self.here()}: with a kernel of {size} and a stride of 1 the size of the image would change by a "
                    "voxel; take an odd kernel"
                )

    def _expect_size(self, x: Tensor, stride: Axes) -> None:
        if x.surplus and any(step > 1 for step in stride):
            raise InputError(
                f"{self.here()}: a stride needs a tensor that is as long as the image; bring it to size with pad"
            )

    def _same(self, x: Tensor, other: Tensor, what: str) -> None:
        if x.strides != other.strides:
            raise InputError(f"{self.here()}: cannot {what} tensors of strides {x.strides} and {other.strides}")
        if x.surplus != other.surplus:
            raise InputError(f"{self.here()}: cannot {what} tensors of different sizes; bring both to size with pad")

    def _write(
        self, operation: Operation, inputs: tuple[Tensor, ...], name: str, channels: int, strides: Axes
    ) -> Tensor:
        base = path = self._below(name)
        number = 2
        while path in self._names or path in self._homes:
            path, number = f"{base}_{number}", number + 1
        self._names.add(path)
        self._nodes.append(Node(operation, tuple(tensor.index for tensor in inputs), path, channels, strides))
        return Tensor(len(self._nodes) - 1, channels, strides, surplus_of(operation, [x.surplus for x in inputs]))


def trace(architecture: Traceable, task: Task) -> Graph:
    """Write the network that an architecture describes for a task.

    Returns:
        The graph, with `.parameters`, `.macs`, `.training_bytes`, `.receptive_field` and `.digest`.

    Raises:
        InputError: the parts do not fit each other, or the patch is no multiple of the network's stride;
            `OwnCodeError` where a part of the user's own raised something else.
    """
    check_knobs(architecture if is_dataclass(architecture) else architecture.style)
    ops = Ops(task, architecture.style)
    with own_code(ops.here):
        graph = ops.graph(_outputs(architecture(ops.input(), ops)))
    for axis, (size, stride) in enumerate(zip(task.patch, graph.total_stride, strict=True)):
        if size % stride:
            low = size // stride * stride
            near = f"{low} or {low + stride}" if low else str(stride)
            raise InputError(
                f"patch: axis {axis} has {size} voxels, expected a multiple of the network's stride {stride}; "
                f"use {near}"
            )
    return graph


def _outputs(returned: object) -> tuple[Tensor, ...]:
    """What an architecture has returned, if these are tensors."""
    if not isinstance(returned, tuple) or not returned or not all(isinstance(item, Tensor) for item in returned):
        raise InputError(f"the architecture returned {returned!r}, expected a tuple of tensors, full resolution first")
    return returned


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _ancestors(path: str) -> list[str]:
    """The paths that hold a path, outermost first, and itself."""
    steps = path.split(".")
    return [".".join(steps[: index + 1]) for index in range(len(steps))]


def _times(strides: Axes, steps: Axes) -> Axes:
    # A pooled tensor has no strides and keeps none.
    return tuple(a * b for a, b in zip(strides, steps, strict=False))


def _over(strides: Axes, steps: Axes) -> Axes:
    return tuple(a // b for a, b in zip(strides, steps, strict=True))
