"""A user's own `torch.nn.Module` as one operation, its cost measured. The one place here with torch."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from nas.errors import InputError
from nas.graph.operations import Axes, Foreign

_MEASURED_SIZE = 32


def measure(
    factory: Callable[..., Any], arguments: Mapping[str, Any], inputs: Sequence[tuple[int, Axes]], channels: int
) -> Foreign:
    """Build the module on torch's meta device, where nothing is computed, and note its tensors and its work.

    Args:
        factory: what makes it.
        arguments: what the factory is given.
        inputs: the channels and the strides of each of its inputs. The coarsest is given 32 positions an axis, the
            others in proportion, one that is pooled a single one.
        channels: of its output.

    Raises:
        InputError: it cannot be found by name, fails on such inputs, or returns another shape than `channels` at the
            size of its first input.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    module, name = factory.__module__, factory.__qualname__
    if getattr(importlib.import_module(module), name, None) is not factory:
        raise InputError(f"ops.module: {module}.{name} is not importable by name; define it at the top of a file")
    for key, value in arguments.items():
        if not isinstance(value, int | float | str | bool):
            raise InputError(f"ops.module: argument {key!r} of {name} is {value!r}; use a number, string or boolean")
    shapes = _shapes(inputs)
    sizes = " and ".join(map(str, shapes))
    try:
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            built = factory(**arguments).eval()
            result = built(*(torch.zeros(shape) for shape in shapes))
    except Exception as error:
        raise InputError(f"ops.module: {name} fails on {sizes}: {error}") from error
    expected = (1, channels, *shapes[0][2:])
    if not isinstance(result, torch.Tensor):
        raise InputError(f"ops.module: {name} returns a {type(result).__name__}, expected a tensor of shape {expected}")
    if tuple(result.shape) != expected:
        raise InputError(f"ops.module: {name} returns shape {tuple(result.shape)}, expected {expected}")
    tensors = tuple((key, tuple(tensor.shape)) for key, tensor in built.named_parameters())
    work = counter.get_total_flops() // 2 // prod(shapes[0][2:])
    return Foreign(module, name, tuple(sorted(arguments.items())), tensors, work)


def _shapes(inputs: Sequence[tuple[int, Axes]]) -> list[Axes]:
    """A small shape for each input, in proportion to their strides."""
    strided = [strides for _, strides in inputs if strides]
    coarsest = tuple(max(steps) for steps in zip(*strided, strict=True))
    return [
        (1, channels, *(_MEASURED_SIZE * most // step for most, step in zip(coarsest, strides or (), strict=True)))
        if strides
        else (1, channels, *(1,) * len(coarsest))
        for channels, strides in inputs
    ]
