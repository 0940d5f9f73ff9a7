"""A user's own `torch.nn.Module` as one operation, its cost measured. The one place here with torch."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from nas.errors import InputError
from nas.graph.operations import Foreign

_MEASURED_SIZE = 32


def measure(
    factory: Callable[..., Any], arguments: Mapping[str, Any], inputs: int, channels: int, axes: int
) -> Foreign:
    """Build the module on torch's meta device, where nothing is computed, and note its tensors and its work.

    Raises:
        InputError: it cannot be found by name, fails on (1, inputs, 32, 32[, 32]), or returns another shape than
            (1, channels, 32, 32[, 32]).
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    module, name = factory.__module__, factory.__qualname__
    if getattr(importlib.import_module(module), name, None) is not factory:
        raise InputError(f"ops.module: {module}.{name} is not importable by name; define it at the top of a file")
    for key, value in arguments.items():
        if not isinstance(value, int | float | str | bool):
            raise InputError(f"ops.module: argument {key!r} of {name} is {value!r}; use a number, string or boolean")
    sizes = (_MEASURED_SIZE,) * axes
    try:
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            built = factory(**arguments).eval()
            made = tuple(built(torch.zeros(1, inputs, *sizes)).shape)
    except Exception as error:
        raise InputError(f"ops.module: {name} fails on {(1, inputs, *sizes)}: {error}") from error
    if made != (1, channels, *sizes):
        raise InputError(f"ops.module: {name} returns shape {made}, expected {(1, channels, *sizes)}")
    tensors = tuple((key, tuple(tensor.shape)) for key, tensor in built.named_parameters())
    work = counter.get_total_flops() // 2 // _MEASURED_SIZE**axes
    return Foreign(module, name, tuple(sorted(arguments.items())), tensors, work)
