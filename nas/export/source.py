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

_NOT_SCRIPTED = "if not torch.jit.is_scripting():"
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
    below = "\n\n\n".join([*helpers, body])
    return f"{_header(graph, title)}\n\n{_imports(below)}\n\n\n{below}\n"


def _imports(body: str) -> str:
    lines = ["import torch"] if re.search(r"\btorch\.", body) else []
    lines += ["import torch.nn.functional as F"] if re.search(r"\bF\.", body) else []
    return "\n".join([*lines, "from torch import Tensor, nn"])


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


def _promise(graph: Graph) -> str:
    """What the network takes and returns."""
    images, scores = _shape(graph, graph.task.channels), _shape(graph, graph.task.classes)
    promise = f"Images {images} to scores {scores} of each class, before softmax or sigmoid."
    if max(graph.total_stride) > 1:
        promise += f" Sizes must be {_multiples(graph)}."
    if len(graph.outputs) == 1:
        return promise
    return f"{promise}\n\nIn training mode it returns a tuple: these scores, then the coarser ones of deep supervision."


def _multiples(graph: Graph) -> str:
    strides = graph.total_stride
    return f"multiples of {strides[0] if len(set(strides)) == 1 else strides}"


def _check(graph: Graph) -> Sequence[str]:
    """The first lines of the network's `forward`, which refuse images that do not fit."""
    strides = graph.total_stride
    wrong = f"x.ndim != {graph.task.axes + 2} or x.shape[1] != {graph.task.channels}"
    refuse = '    raise ValueError(f"image of shape {tuple(x.shape)}, expected {expected}")'
    shape = _shape(graph, graph.task.channels)
    if max(strides) == 1:
        return _NOT_SCRIPTED, f"    if {wrong}:", f'        expected = "{shape}"', f"    {refuse}"
    remainders = f"size % {strides[0]} for size in x.shape[2:]"
    if len(set(strides)) > 1:
        remainders = f"size % step for size, step in zip(x.shape[2:], {strides})"
    lines = [
        f"remainders = [{remainders}]",
        f"if {wrong} or any(remainders):",
        f'    expected = "{shape}, {_multiples(graph)}"',
        refuse,
    ]
    return _NOT_SCRIPTED, *("    " + line for line in lines)


def _header(graph: Graph, title: str) -> str:
    patch = "x".join(map(str, graph.task.patch))
    cost = f"{graph.parameters:,} trainable parameters, {graph.macs / 1e9:,.2f} billion multiply-accumulates"
    facts = f"{cost} for an image of {patch}. Written by nas, where its digest is {graph.digest}."
    return f'''"""{title}, as plain PyTorch.

{textwrap.fill(facts, WIDTH)}

    from safetensors.torch import load_file

    model = Network()
    model.load_state_dict(load_file("weights.safetensors"))
    model.eval()
"""'''
