"""How fast this device trains, from a few timed steps, so that the search can be fitted to it."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any

import torch

from nas.architecture import EncoderDecoder, slim
from nas.graph import Graph, Task
from nas.network import StepPlan, build, choose_plan
from nas.searching.candidates import graph_of, random_members
from nas.space import Space
from nas.training import EACH_CLASS, Recipe, Sample, Targets, train
from nas.training.feed import Feed
from nas.training.losses import supervised

_MOST_SECONDS = 6.0
TIMING_SHARE = 0.04
"""Of a budget, what is spent on timing at most, if that is less."""
_MOST_NETWORKS = 12
_STEPS = 2


@dataclass(frozen=True)
class Speed:
    """Seconds of a training step as a sum: per multiply-accumulate, per byte held, and per operation."""

    per_mac: float
    per_byte: float
    per_node: float

    def step_seconds(self, graph: Graph, batch: int) -> float:
        """The predicted seconds of one optimiser step."""
        work = self.per_mac * graph.macs + self.per_byte * graph.training_bytes
        return work * batch + self.per_node * len(graph.nodes)

    def to_json(self) -> dict[str, Any]:
        """The speed as plain JSON."""
        return asdict(self)


def measure_speed(
    space: Space[EncoderDecoder],
    task: Task,
    recipe: Recipe,
    samples: Sequence[Sample],
    device: torch.device,
    seed: int,
    *,
    most: float = _MOST_SECONDS,
) -> Speed:
    """Time steps of a few small networks of the space, for a few seconds, and fit the three rates to them."""
    graphs = sorted(_candidates(space, task, seed), key=lambda graph: graph.macs)
    rows: list[tuple[Graph, float]] = []
    start = time.perf_counter()
    # The precision most of all, which networks of all sizes share.
    plan = timed_plan(graphs[len(graphs) // 2], recipe, samples, device, steps=1, seed=0)
    for graph in graphs:
        left = min(most, _MOST_SECONDS) - (time.perf_counter() - start)
        if len(rows) >= 3 and left < 3 * rows[-1][1] * (_STEPS + 1):
            break
        rows.append((graph, _step_seconds(graph, recipe, samples, device, plan)))
    return fit(rows, recipe.batch)


def timed_plan(
    graph: Graph,
    recipe: Recipe,
    samples: Sequence[Sample],
    device: torch.device,
    *,
    steps: int,
    seed: int,
    targets: Targets = EACH_CLASS,
) -> StepPlan:
    """How a network runs fastest on a device, for a training of so many steps.

    Raises:
        torch.OutOfMemoryError, RuntimeError, MemoryError: there is no memory for a batch, or for a part of one.
    """
    with Feed(samples, graph.task.patch, recipe, device, seed=seed) as feed:
        images, labels = feed.batch(0)
    loss = supervised(recipe.loss, recipe.supervision, targets)
    # A part of two patches is enough to tell, and takes the least time.
    return choose_plan(build(graph, seed=seed).to(device), loss, images[:2], labels[:2], steps=steps)


def fit(rows: Sequence[tuple[Graph, float]], batch: int) -> Speed:
    """The non-negative rates that explain timed steps best, in relative terms."""
    import numpy as np
    from scipy.optimize import nnls

    features = np.array([[g.macs * batch, g.training_bytes * batch, len(g.nodes)] for g, _ in rows], dtype=float)
    seconds = np.array([seconds for _, seconds in rows])
    scale = features.max(axis=0)
    rates, _ = nnls(features / scale / seconds[:, None], np.ones(len(rows)))
    per_mac, per_byte, per_node = (rates / scale).tolist()
    return Speed(per_mac, per_byte, per_node)


def _candidates(space: Space[EncoderDecoder], task: Task, seed: int) -> list[Graph]:
    """Small networks of different kinds: slimmed members, and random members of the space."""
    members = [slim(member.architecture, rungs) for member in space.members[:4] for rungs in (7, 4)]
    drawn = islice(random_members(space, task, random.Random(seed)), _MOST_NETWORKS - len(members))
    sampled = [slim(architecture, 4) for architecture, _ in drawn]
    found = [graph_of(architecture, task)[0] for architecture in members + sampled]
    return [graph for graph in found if graph is not None]


def _step_seconds(
    graph: Graph, recipe: Recipe, samples: Sequence[Sample], device: torch.device, plan: StepPlan
) -> float:
    """Seconds of one step, the first step, which sets things up, not counted.

    On a CPU they are at most the processor time of all its threads: what is beyond that was waited for others, who may
    be gone in a moment.
    """
    network = build(graph).to(device)
    moments: list[tuple[float, float]] = []

    def note(_: int) -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        moments.append((time.perf_counter(), time.process_time()))

    train(network, samples, replace(recipe, steps=_STEPS + 1, epochs=1), seed=0, step_done=note, plan=plan)
    clock = min(later[0] - earlier[0] for earlier, later in pairwise(moments))
    computed = min(later[1] - earlier[1] for earlier, later in pairwise(moments))
    return min(clock, computed) if device.type == "cpu" else clock
