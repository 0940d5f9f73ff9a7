"""A traced graph as one readable PyTorch file."""

import re
import textwrap
from collections.abc import Sequence

from nas.export.classes import Class, find_classes
from nas.export.layout import WIDTH
from nas.export.naming import titles
from nas.export.operations import HELPERS
from nas.export.tree import module_tree
from nas.export.writing import class_lines
from nas.graph import Graph

_SIZES = {2: ("height", "width"), 3: ("depth", "height", "width")}


def source(graph: Graph, *, title: str = "A network for medical image segmentation") -> str:
    """The text of a file that needs torch alone and defines the network as the class `Network`.

    `Network()` has a state dict of the same keys and shapes as `nas.build(graph)` and computes the same from it.

    Args:
        graph: the network.
        title: the first words of the file.

    Raises:
        InputError: the network holds a user's own `torch.nn.Module`.
    """
    classes = find_classes(module_tree(graph), graph)
    entitled = titles(classes)
    names = [entry.name for entry in entitled]
    written = []
    for index in _in_order(classes):
        is_network = index == len(classes) - 1
        doc = _promise(graph) if is_network else entitled[index].description
        lines = class_lines(classes[index], names[index], doc, names, _check(graph) if is_network else ())
        written.append("\n".join(lines))
    body = "\n\n\n".join(written)
    helpers = [helper.strip() for name, helper in HELPERS.items() if re.search(rf"\b{name}\(", body)]
    return "\n\n\n".join([_header(graph, title), *helpers, body]) + "\n"


def _in_order(classes: Sequence[Class]) -> list[int]:
    """The classes by number, each right after those it is the first to use."""
    order: dict[int, None] = {}

    def visit(index: int) -> None:
        for used in classes[index].uses:
            visit(used)
        order.setdefault(index)

    visit(len(classes) - 1)
    return list(order)


def _shape(graph: Graph, channels: int) -> str:
    return f"(batch, {channels}, {', '.join(_SIZES[graph.task.axes])})"


def _multiples(graph: Graph) -> str:
    strides = graph.total_stride
    if len(set(strides)) == 1:
        return f"multiples of {strides[0]}"
    return f"multiples of {', '.join(map(str, strides[:-1]))} and {strides[-1]}"


def _promise(graph: Graph) -> str:
    """What the network takes and returns."""
    task = graph.task
    lines = (
        f"Images {_shape(graph, task.channels)} to scores {_shape(graph, task.classes)} of each class, before softmax or"  # noqa: E501
        f" sigmoid. Sizes must be {_multiples(graph)}."
    )
    if len(graph.outputs) == 1:
        return lines
    return f"{lines}\n\nIn training mode it returns a tuple: these scores, then the coarser ones of deep supervision."


def _check(graph: Graph) -> list[str]:
    """The first lines of the network's `forward`, which refuse images that do not fit."""
    axes, channels, strides = graph.task.axes, graph.task.channels, graph.total_stride
    rests = f"size % {strides[0]} for size in x.shape[2:]"
    if len(set(strides)) > 1:
        rests = f"size % step for size, step in zip(x.shape[2:], {strides})"
    return [
        f"rests = [{rests}]",
        f"if x.ndim != {axes + 2} or x.shape[1] != {channels} or any(rests):",
        f'    expected = "{_shape(graph, channels)}, sizes {_multiples(graph)}"',
        '    raise ValueError(f"image of shape {tuple(x.shape)}, expected {expected}")',
    ]


def _header(graph: Graph, title: str) -> str:
    patch = " x ".join(map(str, graph.task.patch))
    facts = (
        f"{graph.parameters:,} trainable parameters, {graph.macs / 1e9:,.2f} billion multiply-accumulates for an image of"  # noqa: E501
        f" {patch}. Written by nas, where its digest is {graph.digest}."
    )
    return f'''"""{title}, as plain PyTorch.

{textwrap.fill(facts, WIDTH)}

    from safetensors.torch import load_file

    model = Network()
    model.load_state_dict(load_file("weights.safetensors"))
    model.eval()
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn'''
