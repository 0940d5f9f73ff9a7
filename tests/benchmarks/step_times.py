"""Predicted over measured seconds of a training step, over networks of all kinds and widths, on one core.

    python -m tests.benchmarks.step_times [--axes 2] [--random 8] [--to steps.jsonl]

The relation of the rates that a search begins with (`nas.searching.setup.timing.USUAL`) is the one that is printed
last, fitted to all. With `--to` each measurement is written as it is made, and not made again.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from nas.architecture import EncoderDecoder, slim
from nas.catalog import load_space
from nas.graph import Graph, Task
from nas.searching.candidates import graph_of, random_members
from nas.searching.setup.timing import USUAL, Speed, fit, measured_step, timed_plan
from nas.training import Recipe, Sample
from tests.benchmarks.measuring import show
from tests.training.factories import sample

TASKS = {
    2: (Task(2, 1, 3, (128, 128), ((2, 2),) * 5), 4, (192, 192)),
    3: (Task(3, 1, 3, (32, 48, 32), ((2, 2, 2),) * 3), 2, (48, 64, 48)),
}
"""Task, patches a step and size of the images, by axes."""
WIDTHS = (8, 6, 5, 4, 3, 2)
"""How many rungs narrower than published, narrow before wide."""
WIDEST = 1.5
"""Predicted seconds of a step over which a network is not timed."""
Row = tuple[Graph, int, float]


def networks(axes: int, randomly: int) -> Iterator[tuple[str, Graph]]:
    """Published networks at several widths, and random ones, by their names."""
    space, task = load_space("unet_family"), TASKS[axes][0]
    members: list[tuple[str, EncoderDecoder]] = [
        (f"{member.name} -{rungs}", slim(member.architecture, rungs)) for member in space.members for rungs in WIDTHS
    ]
    chance = islice(random_members(space, task, random.Random(0)), randomly)
    members += [
        (f"random {number} -{rungs}", slim(network, rungs))
        for number, (network, _) in enumerate(chance)
        for rungs in (6, 4)
    ]
    seen: set[str] = set()
    for name, architecture in members:
        graph, _ = graph_of(architecture, task)
        if graph is not None and graph.digest not in seen and USUAL.step_seconds(graph, TASKS[axes][1]) < WIDEST:
            seen.add(graph.digest)
            yield name, graph


def measured(axes: int, randomly: int, file: Path | None) -> list[Row]:
    """Each network with the seconds of its step, those of the file first."""
    known = {} if file is None or not file.exists() else dict(map(json.loads, file.read_text().splitlines()))
    _, batch, size = TASKS[axes]
    samples = [sample(size, seed=seed) for seed in range(3)]
    rows = []
    for name, graph in networks(axes, randomly):
        key = f"{axes}D {name}"
        if key not in known:
            known[key] = _seconds(graph, batch, samples)
            if file is not None:
                with file.open("a") as stream:
                    stream.write(json.dumps([key, known[key]]) + "\n")
        rows.append((graph, batch, known[key]))
    return rows


def _seconds(graph: Graph, batch: int, samples: Sequence[Sample]) -> float:
    recipe, device = Recipe(steps=None, batch=batch), torch.device("cpu")
    plan = timed_plan(graph, recipe, samples, device, steps=1, seed=0)
    return measured_step(graph, recipe, samples, device, plan)


def ratios(speed: Speed, rows: Sequence[Row]) -> tuple[str, ...]:
    """Percentiles 5, 50 and 95 of predicted over measured, and the share that is within 1.5 either way."""
    values = np.array([speed.step_seconds(graph, batch) / seconds for graph, batch, seconds in rows])
    within = np.mean((values < 1.5) & (values > 1 / 1.5))
    return (*(f"{value:.2f}" for value in np.percentile(values, [5, 50, 95])), f"{within:.0%}")


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axes", type=int, choices=(2, 3), default=2)
    parser.add_argument("--random", type=int, default=8)
    parser.add_argument("--to", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = measured(given.axes, given.random, given.to)
    least = sorted(rows, key=lambda row: row[2])
    speeds = {
        "three, from narrow to wide": fit([least[len(least) * place // 8] for place in (0, 4, 6)]),
        "the ten that took least": fit(least[:10]),
        "all": fit(rows, trust=0.0),
    }
    show(
        f"{len(rows)} networks in {given.axes}D, predicted over measured seconds of a step",
        ("fitted to", "5%", "50%", "95%", "within 1.5"),
        [(name, *ratios(speed, rows)) for name, speed in speeds.items()],
    )
    print(speeds["all"])


if __name__ == "__main__":
    main()
