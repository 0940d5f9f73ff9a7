"""Predicted training memory against what autograd holds, for published networks and random members of the same space.

Run: python -m tests.benchmarks.memory
"""

import random
import sys

import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.network import build
from tests.benchmarks.measuring import show

TASKS = {
    "2D": Task(2, 1, 3, (64, 64), ((2, 2),) * 5),
    "3D": Task(3, 1, 3, (32, 32, 16), ((2, 2, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2))),
}
BATCH = 2


def held_bytes(graph: Graph) -> float:
    """Bytes that are held for the backward pass of one patch, by saved-tensor hooks."""
    network = build(graph)
    own = {tensor.untyped_storage().data_ptr() for tensor in [*network.parameters(), *network.buffers()]}
    held: dict[int, tuple[int, torch.Tensor]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        # Kept, so that no other tensor takes its address; detached, since an output that its own function keeps would
        # never be given up.
        held[storage.data_ptr()] = (storage.nbytes(), tensor.detach())
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = network(torch.zeros(BATCH, graph.task.channels, *graph.task.patch))
    assert kept is not None
    return sum(size for address, (size, _) in held.items() if address not in own) / BATCH


def main(members: int = 100) -> None:
    """Measure published networks at full size and random members, and print how far predictions are off."""
    space, generator, rows = load_space("unet_family"), random.Random(0), []
    for name, task in TASKS.items():
        show(
            f"{name}, MiB held for the backward pass of a patch of {'x'.join(map(str, task.patch))}",
            ("network", "predicted", "measured", "ratio"),
            [_row(member.name, trace(member.architecture, task)) for member in space.members],
        )
    for name, task in TASKS.items():
        errors: list[float] = []
        while len(errors) < members:
            try:
                graph = trace(slim(space.decide(generator), 4), task)
            except InputError:
                continue
            errors.append(graph.training_bytes / held_bytes(graph) - 1)
        sizes = sorted(abs(error) for error in errors)
        within = sum(size <= 0.1 for size in sizes)
        rows.append((name, f"{members}", f"{within}", f"{sizes[len(sizes) // 2]:.1%}", f"{sizes[-1]:.1%}"))
    show("Predicted training memory", ("task", "members", "within 10%", "median error", "largest error"), rows)


def _row(name: str, graph: Graph) -> tuple[str, ...]:
    measured = held_bytes(graph)
    mebibytes = (f"{graph.training_bytes / 2**20:.1f}", f"{measured / 2**20:.1f}")
    return (name, *mebibytes, f"{graph.training_bytes / measured:.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
