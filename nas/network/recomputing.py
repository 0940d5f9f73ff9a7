"""Memory for time: inner values computed again in the backward pass (Chen et al. 2016, arXiv:1604.06174)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Run = Callable[[dict[int, Tensor], int, int], None]
"""Runs nodes from one position up to another on the values before them, in place."""


def recomputed(run: Run, values: dict[int, Tensor], bounds: Sequence[int], network: nn.Module) -> None:
    """Run all nodes segment by segment, keeping only what crosses from one to the next.

    Gradients and running statistics are those of an ordinary pass.

    Args:
        run: see `Run`.
        values: the image at position 0; afterwards, the outputs.
        bounds: where segments begin, and where the last one ends.
        network: whose running statistics must not be updated twice.
    """
    for start, stop in pairwise(bounds):
        left: list[int] = []
        segment = _segment(run, tuple(values), start, stop, left)
        kept = checkpoint(segment, *values.values(), use_reentrant=False, context_fn=lambda: _contexts(network))
        values.clear()
        values.update(zip(left, kept, strict=True))


def _segment(
    run: Run, before: tuple[int, ...], start: int, stop: int, left: list[int]
) -> Callable[..., tuple[Tensor, ...]]:
    """From the values at the positions `before` to those that cross to the next segment, noted in `left`."""

    def segment(*tensors: Tensor) -> tuple[Tensor, ...]:
        values = dict(zip(before, tensors, strict=True))
        run(values, start, stop)
        left[:] = values
        return tuple(values.values())

    return segment


def _contexts(network: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _statistics_at_rest(network)


@contextmanager
def _statistics_at_rest(network: nn.Module) -> Iterator[None]:
    """Let batch norms see a batch again without counting it again."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    counts = [norm.num_batches_tracked.clone() for norm in norms if norm.num_batches_tracked is not None]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum, count in zip(norms, momenta, counts, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked.copy_(count)  # type: ignore[union-attr]
