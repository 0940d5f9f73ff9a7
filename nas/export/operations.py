"""Each primitive operation as a line of PyTorch would have it."""

from nas.errors import InputError
from nas.export.code import Call, Code, Number, Value
from nas.graph import Axes
from nas.graph import operations as op

_FUNCTIONS: dict[type[op.Operation], str] = {
    op.GlobalPool: "global_pool",
    op.SumSplits: "sum_splits",
    op.SoftmaxSplits: "softmax_splits",
    op.Attend: "attend",
    op.Expand: "expand",
}
_ACTIVATIONS = {"sigmoid": "torch.sigmoid"}
"""The others are called in torch as here."""

HELPERS = {
    "InstanceNorm": '''
class InstanceNorm(nn.GroupNorm):
    """Instance norm as group norm with a channel a group, which is faster on CPUs."""

    def __init__(self, channels: int, affine: bool = True) -> None:
        super().__init__(channels, channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; of a single voxel only the shift is left, at any batch size."""
        if x[0, 0].numel() == 1:
            x = x - x
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
''',
    "global_pool": '''
def global_pool(x: Tensor) -> Tensor:
    """The mean over all positions."""
    return x.mean(dim=list(range(2, x.ndim)), keepdim=True)
''',
    "sum_splits": '''
def sum_splits(x: Tensor, radix: int) -> Tensor:
    """The sum of `radix` equal groups of channels."""
    return x.unflatten(1, (radix, -1)).sum(1)
''',
    "softmax_splits": '''
def softmax_splits(x: Tensor, radix: int) -> Tensor:
    """Softmax across `radix` equal groups of channels."""
    return x.unflatten(1, (radix, -1)).softmax(1).flatten(1, 2)
''',
    "attend": '''
def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query^T key) value over all pairs of positions."""
    weights = torch.softmax(query.flatten(2).transpose(1, 2) @ key.flatten(2), dim=-1)
    return (value.flatten(2) @ weights.transpose(1, 2)).unflatten(2, query.shape[2:])
''',
    "expand": '''
def expand(x: Tensor, like: Tensor) -> Tensor:
    """A pooled tensor repeated over the positions of another."""
    return x.expand(x.shape[:2] + like.shape[2:])
''',
}
"""The functions and layers that an exported file defines where it needs them."""


def is_layer(operation: op.Operation) -> bool:
    """Whether it is written as a module of torch's, since it has learned tensors or differs in training."""
    kinds = op.Convolution | op.TransposedConvolution | op.Normalisation | op.Dropout | op.Foreign
    return isinstance(operation, kinds) or (isinstance(operation, op.Activation) and operation.kind == "prelu")


def layer(operation: op.Operation, inputs: int, axes: int) -> Call:
    """What makes the layer of an operation with so many input channels.

    Raises:
        InputError: it is a user's own module, which torch alone does not know.
    """
    match operation:
        case op.Convolution():
            return Call(f"nn.Conv{axes}d", (*_sizes(operation, inputs), *_more(operation), _bias(operation)))
        case op.TransposedConvolution():
            extra = _axes("output_padding", operation.output_padding, "output_padding", 0)
            groups = _number("groups", operation.groups, "groups", 1)
            return Call(f"nn.ConvTranspose{axes}d", (*_sizes(operation, inputs), extra, groups, _bias(operation)))
        case op.Normalisation(kind="batch"):
            return Call(f"nn.BatchNorm{axes}d", (_number("channels", inputs),))
        case op.Normalisation(kind="group"):
            return Call("nn.GroupNorm", (_number("group_count", operation.groups), _number("channels", inputs)))
        case op.Normalisation():
            affine: tuple[Code, ...] = () if operation.kind == "instance" else (("affine=False",),)
            return Call("InstanceNorm", (_number("channels", inputs), *affine))
        case op.Activation():
            return Call("nn.PReLU", (_number("channels", inputs),) if operation.per_channel else ())
        case op.Dropout():
            return Call("nn.Dropout", (_number("rate", operation.rate),))
        case op.Foreign():
            raise InputError(
                f"export: the network holds {operation.module}.{operation.name}, a module of your own that torch alone"
                " does not know; write it in primitive operations, or load the network with nas and build(graph)"
            )
    raise TypeError(f"{operation} has no layer")


def function(operation: op.Operation, inputs: tuple[Code, ...]) -> Code:
    """The expression of an operation without a layer.

    Several inputs must be names; those of a concatenation are one list.
    """
    match operation:
        case op.Activation():
            return (Call(_ACTIVATIONS.get(operation.kind, f"F.{operation.kind}"), inputs),)
        case op.MaxPool():
            return (Call(f"F.max_pool{len(operation.kernel)}d", (*inputs, *_window(operation))),)
        case op.AveragePool():
            return (_average_pool(operation, inputs),)
        case op.Resize():
            return (Call("F.interpolate", (*inputs, *_interpolation(operation))),)
        case op.Pad():
            return (Call("F.pad", (*inputs, _number("padding", tuple(op.padding(operation))))),)
        case op.Add():
            return _between(" + ", inputs)
        case op.Multiply():
            return _between(" * ", inputs)
        case op.Concatenate():
            return (Call("torch.cat", (*inputs, ("1",))),)
        case op.SoftmaxSplits(radix=1):
            return (Call("torch.sigmoid", inputs),)
        case op.SumSplits() | op.SoftmaxSplits():
            return (Call(_FUNCTIONS[type(operation)], (*inputs, _number("radix", operation.radix))),)
    return (Call(_FUNCTIONS[type(operation)], inputs),)


def _sizes(operation: op.Convolution | op.TransposedConvolution, inputs: int) -> tuple[Code, ...]:
    return (
        _number("inputs", inputs),
        _number("channels", operation.channels),
        _axes("kernel", operation.kernel),
        _axes("stride", operation.stride, "stride", 1),
        _axes("padding", operation.padding, "padding", 0),
    )


def _more(operation: op.Convolution) -> tuple[Code, ...]:
    return _axes("dilation", operation.dilation, "dilation", 1), _number("groups", operation.groups, "groups", 1)


def _bias(operation: op.Convolution | op.TransposedConvolution) -> Code:
    return _number("bias", operation.bias, "bias", True)


def _window(operation: op.MaxPool | op.AveragePool) -> tuple[Code, ...]:
    kernel = _plain(operation.kernel)
    return (
        _axes("kernel", operation.kernel),
        _axes("stride", operation.stride, "stride", kernel),
        _axes("padding", operation.padding, "padding", 0),
    )


def _interpolation(operation: op.Resize) -> tuple[Code, ...]:
    factor = _number("factor", _plain(tuple(float(step) for step in operation.factor)), "scale_factor")  # for torch.jit
    if operation.mode == "nearest":
        return factor, ('mode="nearest"',)
    linear: Code = (f'mode="{"bilinear" if len(operation.factor) == 2 else "trilinear"}"',)
    return (factor, linear, ("align_corners=True",)) if operation.mode == "aligned" else (factor, linear)


def _average_pool(operation: op.AveragePool, inputs: tuple[Code, ...]) -> Call:
    kernel, stride, padding = _window(operation)
    axes = len(operation.kernel)
    if axes == 3 and any(operation.padding):
        # torch's 3D average pool refuses an axis shorter than its kernel even where padding would make it long enough.
        sizes = [size for size in reversed(operation.padding) for _ in range(2)]
        padded: Code = (Call("F.pad", (*inputs, (repr(tuple(sizes)),))),)
        return Call("F.avg_pool3d", (padded, kernel, stride))
    return Call(f"F.avg_pool{axes}d", (*inputs, kernel, stride, padding))


def _number(name: str, value: Value, keyword: str = "", default: Value = None) -> Code:
    return (Number(name, value, keyword, default),)


def _axes(name: str, values: Axes, keyword: str = "", default: Value = None) -> Code:
    return _number(name, _plain(values), keyword, default)


def _plain(values: tuple[int, ...] | tuple[float, ...]) -> Value:
    return values[0] if len(set(values)) == 1 else values


def _between(separator: str, parts: tuple[Code, ...]) -> Code:
    return (*parts[0], *(piece for part in parts[1:] for piece in (separator, *part)))
