"""Operations and numbers in few words."""

from collections.abc import Iterable, Sequence

from nas.graph.operations import (
    AveragePool,
    Convolution,
    GlobalPool,
    MaxPool,
    Operation,
    Resize,
    TransposedConvolution,
)
from nas.graph.task import Axes, Task


def times(numbers: Axes) -> str:
    """One number, if all axes have the same, else one for each."""
    return "all" if not numbers else str(numbers[0]) if len(set(numbers)) == 1 else "×".join(map(str, numbers))


def sizes(task: Task, level: Axes) -> str:
    """Voxels along each axis at a level."""
    return " × ".join(str(size // step) for size, step in zip(task.patch, level, strict=False)) or "pooled"


def short(number: int) -> str:
    """Three figures and a unit."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:#.3g}".removesuffix(".") + f" {unit}"
    return str(number)


def joined(words: Iterable[str]) -> str:
    """Words in one line."""
    return ", ".join(words)


def step_words(operation: Operation) -> str:
    """How an operation comes to another resolution."""
    match operation:
        case MaxPool():
            return f"max pool {times(operation.kernel)}"
        case AveragePool():
            return f"average pool {times(operation.kernel)}"
        case Convolution():
            return f"stride {times(operation.stride)}"
        case TransposedConvolution():
            return f"up-conv {times(operation.kernel)}"
        case Resize():
            mode = "nearest" if operation.mode == "nearest" else "linear"
            return f"{mode} ×{times(operation.factor)}"
    return ""


def branch_words(operations: Sequence[Operation]) -> str:
    """What one of several paths does: "1×1", "rate 6", "pool"."""
    if any(isinstance(operation, GlobalPool) for operation in operations):
        return "pool"
    convolutions = [operation for operation in operations if isinstance(operation, Convolution)]
    rates = [max(operation.dilation) for operation in convolutions]
    if rates and max(rates) > 1:
        return f"rate {max(rates)}"
    return _window(convolutions[0].kernel) if convolutions else ""


def convolution_words(operations: Sequence[Operation]) -> str:
    """The last convolution among operations, by its kernel and what it makes: "1×1, 48 ch"."""
    convolutions = [operation for operation in operations if isinstance(operation, Convolution)]
    return f"{_window(convolutions[-1].kernel)}, {convolutions[-1].channels} ch" if convolutions else ""


def kernel_words(convolutions: Sequence[Convolution]) -> str:
    """The largest kernel, where it is not 3 along each axis as it is nearly everywhere, or 1."""
    largest = max((operation.kernel for operation in convolutions), default=())
    return "" if set(largest) in (set(), {3}, {1}) else f"kernel {times(largest)}"


def dilation_words(convolutions: Sequence[Convolution]) -> str:
    """The dilations, where there are any."""
    rates = sorted({max(operation.dilation) for operation in convolutions} - {1})
    if not rates:
        return ""
    return f"dilation {rates[0]}" if len(rates) == 1 else f"dilation {rates[0]} to {rates[-1]}"


def _window(kernel: Axes) -> str:
    return "×".join(map(str, kernel))
