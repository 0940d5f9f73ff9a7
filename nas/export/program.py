"""A network as a program for any batch and sizes, and what sizes that are."""

from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from nas.errors import InputError
from nas.graph import Graph


def program_of(module: nn.Module, graph: Graph) -> ExportedProgram:
    """The exported program of a module in evaluation mode.

    Traced with a batch of two and with sizes that differ and that are more than one at every level, so that none is
    taken for another or for one.

    Raises:
        InputError: the module does what cannot be exported, as a user's own may.
    """
    sizes = [stride * (3 + axis) for axis, stride in enumerate(graph.total_stride)]
    image = torch.randn(2, graph.task.channels, *sizes, generator=torch.Generator().manual_seed(0))
    free: Any = dict.fromkeys((0, *range(2, 2 + graph.task.axes)), Dim.AUTO)
    try:
        with torch.no_grad():
            return torch.export.export(module, (image,), dynamic_shapes=(free,))
    except Exception as error:  # torch raises errors of a dozen kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"the network cannot be exported by torch.export ({type(error).__name__}: {reason[:200]}); export it --as "
            "pytorch, or change the block that it names"
        ) from error


def sizes_of(program: ExportedProgram, graph: Graph) -> dict[str, list[int]]:
    """What sizes a program takes, per axis: at least `minimum`, and a multiple of `multiple`."""
    name = program.graph_signature.user_inputs[0]
    shape = next(node.meta["val"].shape for node in program.graph.nodes if node.name == name)
    multiples = list(graph.total_stride)
    least = [_least(size, program.range_constraints) for size in shape[2:]]
    return {
        "minimum": [-(-size // step) * step for size, step in zip(least, multiples, strict=True)],
        "multiple": multiples,
    }


def _least(size: Any, ranges: Any) -> int:
    """The smallest value of a size, which is a number or an expression of symbols with ranges."""
    if isinstance(size, int):
        return size
    expression = size.node.expr
    return int(
        expression.subs({symbol: ranges[symbol].lower for symbol in expression.free_symbols if symbol in ranges})
    )
