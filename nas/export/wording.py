"""What a module does, in the words of the field: for the docstrings of classes that no part has described."""

from collections.abc import Sequence

from nas.export.tree import Module, Step
from nas.graph import operations as op

_ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "hardswish": "Hardswish",
    "prelu": "PReLU",
    "sigmoid": "sigmoid",
}
_NORMS = {
    "batch": "batch norm",
    "instance": "instance norm",
    "instance_plain": "plain instance norm",
    "group": "group norm",
}
_OTHERS: dict[type[op.Operation], str] = {
    op.Dropout: "dropout",
    op.MaxPool: "max-pool",
    op.AveragePool: "average pool",
    op.GlobalPool: "the mean over all positions",
    op.Resize: "interpolation",
    op.Expand: "repetition over all positions",
    op.Add: "a sum",
    op.Multiply: "a product",
    op.Concatenate: "a concatenation",
    op.SumSplits: "the sum of the splits",
    op.SoftmaxSplits: "a softmax across the splits",
    op.Attend: "attention between all positions",
}
_MOST = 6
"""More steps than these are not told one by one."""


def sequence(module: Module) -> str:
    """What a module does step by step, such as "batch norm, ReLU and 3x3 convolution"."""
    words: list[str] = []
    for step in module.steps:
        word = _word(step)
        if word and word not in words[-1:]:
            words.append(word)
    kept = words if len(words) <= _MOST else [*words[: _MOST - 1], "more"]
    return listed(kept)


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them."""
    *others, last = words or ("nothing",)
    return f"{', '.join(others)} and {last}" if others else last


def _word(step: Step) -> str:
    does = step.does
    if isinstance(does, Module):
        return f"`{does.kind}`" if does.is_described else f"the {step.name.replace('_', ' ')}"
    if isinstance(does, op.Convolution):
        kind = (
            "depthwise " if does.groups > 1 and does.groups == does.channels else "grouped " if does.groups > 1 else ""
        )
        strided = "strided " if max(does.stride) > 1 else ""
        dilated = "dilated " if max(does.dilation) > 1 else ""
        return f"{strided}{dilated}{kind}{'x'.join(map(str, does.kernel))} convolution"
    if isinstance(does, op.TransposedConvolution):
        return f"{'x'.join(map(str, does.kernel))} up-convolution"
    if isinstance(does, op.Normalisation):
        return _NORMS[does.kind]
    if isinstance(does, op.Activation):
        return _ACTIVATIONS[does.kind]
    return _OTHERS.get(type(does), "")
