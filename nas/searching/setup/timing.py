"""How fast this device trains, from a few timed steps, so that the search can be fitted to it."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any

import torch

from nas.architecture import EncoderDecoder, slim
from nas.errors import InputError, field_named
from nas.graph import Graph, Task
from nas.network import StepPlan, build, choose_plan
from nas.searching.candidates import graph_of, random_members
from nas.space import Space
from nas.training import EACH_CLASS, Recipe, Sample, Targets, train
from nas.training.feed import Feed
from nas.training.losses import supervised

_MOST_SECONDS = 6.0
TIMING_SHARE = 0.03
"""Of a budget, what is spent on timing at most, if that is less."""
_STEPS = 2
_RUNGS = (4, 6, 2)
"""How many rungs narrower than published the timed networks are: first those of usual width, of each kind."""
_KINDS = 4
_TRUST = 0.5
"""How much the usual relation of the rates counts, against one timed network."""


@dataclass(frozen=True)
class Speed:
    """Seconds of a training step as a sum: per multiply-accumulate in blocks of channels, byte held, and operation."""

    per_mac: float
    per_byte: float
    per_node: float

    def step_seconds(self, graph: Graph, batch: int) -> float:
        """The predicted seconds of one optimiser step."""
        return sum(rate * amount for rate, amount in zip(self.rates, _amounts(graph, batch), strict=True))

    @property
    def rates(self) -> tuple[float, float, float]:
        """In the order in which `fit` finds them."""
        return self.per_mac, self.per_byte, self.per_node

    def learnt(self, steps: "Sequence[tuple[Graph, int, float]]") -> "Speed":
        """The speed that trained networks show, by the seconds of their steps of so many patches.

        The relation of the rates is drawn towards what it was, so that a few networks of one kind do not distort it.
        """
        return fit(steps, usual=self)

    def to_json(self) -> dict[str, Any]:
        """The speed as plain JSON."""
        return asdict(self)


USUAL = Speed(per_mac=3.0e-11, per_byte=7.2e-10, per_node=2.6e-4)
"""The relation of the rates, as fitted to 149 networks of all kinds and widths on one core of a Zen 4 with bfloat16."""


def measure_speed(
    space: Space[EncoderDecoder],
    task: Task,
    recipe: Recipe,
    samples: Sequence[Sample],
    device: torch.device,
    seed: int,
    *,
    most: float = _MOST_SECONDS,
    fits: Callable[[Graph], bool] = lambda _: True,
) -> tuple[Speed, StepPlan]:
    """Time steps of a few networks of the space, narrow and wide, for some seconds, and fit the three rates to them.

    Returns:
        The speed, and how the first of the networks runs fastest: a narrower one would hide what the device's short
        floats give, as they are fast for 16 channels and more.

    Raises:
        InputError: none of them `fits` into memory with so many patches a step.
    """
    graphs = [graph for graph in _timed_networks(space, task, seed) if fits(graph)]
    if not graphs:
        raise InputError(
            f"{field_named('batch')}: found {recipe.batch}, but no small network is predicted to have room for so many "
            f"patches of {'x'.join(map(str, task.patch))} a step; give fewer, or a smaller {field_named('patch')}"
        )
    rows: list[tuple[Graph, int, float]] = []
    start = time.process_time()
    # The precision most of all, which networks of all sizes share.
    plan = timed_plan(graphs[0], recipe, samples, device, steps=1, seed=0)
    for graph in graphs:
        left = min(most, _MOST_SECONDS) - (time.process_time() - start)
        if rows and fit(rows).step_seconds(graph, recipe.batch) * (_STEPS + 1) > left:
            break
        rows.append((graph, recipe.batch, measured_step(graph, recipe, samples, device, plan)))
    return fit(rows), plan


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


def fit(rows: Sequence[tuple[Graph, int, float]], usual: Speed = USUAL, trust: float = _TRUST) -> Speed:
    """The non-negative rates that explain the seconds of steps best, in relative terms.

    Few timed networks would leave the rates of what they have little of to chance, and so those of wide networks: what
    the rows do not tell follows the usual relation of the rates, at the speed of this device.

    Args:
        rows: networks, patches a step, seconds of one.
        usual: the relation.
        trust: how much it counts, against one row.
    """
    import numpy as np
    from scipy.optimize import nnls

    amounts = np.array([_amounts(graph, batch) for graph, batch, _ in rows], dtype=float)
    seconds = np.array([seconds for *_, seconds in rows])
    rates = np.array(usual.rates)
    rates *= np.median(seconds / (amounts @ rates))
    weight = trust**0.5
    shares = np.vstack([amounts * rates / seconds[:, None], weight * np.eye(3)])
    found, _ = nnls(shares, np.concatenate([np.ones(len(rows)), np.full(3, weight)]))
    per_mac, per_byte, per_node = (found * rates).tolist()
    return Speed(per_mac, per_byte, per_node)


def _amounts(graph: Graph, batch: int) -> tuple[int, int, int]:
    """What a step has of that which takes time: multiply-accumulates, bytes, operations."""
    return graph.blocked_macs * batch, graph.training_bytes * batch, len(graph.nodes)


def _timed_networks(space: Space[EncoderDecoder], task: Task, seed: int) -> list[Graph]:
    """Networks of different kinds: published ones, or random ones where the space has none, narrow before wide."""
    kinds = [member.architecture for member in space.members[:_KINDS]]
    if not kinds:
        kinds = [architecture for architecture, _ in islice(random_members(space, task, random.Random(seed)), _KINDS)]
    graphs = [graph_of(slim(architecture, rungs), task)[0] for rungs in _RUNGS for architecture in kinds]
    return [graph for graph in graphs if graph is not None]


def measured_step(
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
