"""Steps a second with everything on, over the same network stepping on one constant batch, both by the chosen plan.

Run: python -m tests.benchmarks.feed FOLDER_OF_TASK04_HIPPOCAMPUS
"""

import sys
from collections.abc import Iterator
from functools import partial
from itertools import count

import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import build, choose_plan
from nas.training import Augmentation, Recipe
from nas.training.feed import Feed
from nas.training.losses import supervised
from nas.training.memory import keep_freed
from nas.training.step import Stepper
from tests.benchmarks.measuring import rates, samples, show

EVERYTHING = Augmentation(elastic=0.2, cutout=0.1)
STEPS = 1600
"""Of the training whose plan is timed."""
CASES = [
    ("U-Net BN", 6, (32, 48, 32), 2),
    ("U-Net BN", 6, (40, 56, 40), 2),
    ("nnU-Net", 4, (40, 56, 40), 2),
    ("U-Net BN", 6, (40, 56, 40), 9),
]


def main(folder: str) -> None:
    """Time all cases and print a table."""
    keep_freed()
    cases, rows = samples(folder), []
    for name, rungs, patch, batch in CASES:
        task = Task(3, 1, 3, patch, ((2, 2, 2),) * 3)
        graph = trace(slim(load_space("unet_family").references[name], rungs), task)
        recipe = Recipe(batch=batch, augmentation=EVERYTHING)
        with Feed(cases, patch, recipe, torch.device("cpu"), seed=0) as feed:
            images, labels = feed.batch(0)
            plan = choose_plan(build(graph), supervised(recipe.loss, 0.5), images[:2], labels[:2], steps=STEPS)
        stepper = Stepper(build(graph), recipe, plan)
        for ahead in (False, True):
            with Feed(cases, patch, recipe, torch.device("cpu"), seed=0, ahead=ahead) as feed:
                constant, steps = feed.batch(0), count()
                found = rates(
                    {
                        "constant": partial(_step, stepper, constant=constant),
                        "fed": partial(_step, stepper, feed=feed, steps=steps),
                    },
                    rounds=3,
                    each=4 if batch < 9 else 2,
                )
            rows.append(
                (
                    f"{name}, {graph.parameters:,} parameters",
                    f"{batch} of {'x'.join(map(str, patch))}, {plan.precision}",
                    "on a thread" if ahead else "in turn",
                    f"{found['constant']:.2f}",
                    f"{found['fed']:.2f}",
                    f"{found['fed'] / found['constant']:.2f}",
                )
            )
    show("Steps a second", ("network", "batch", "feed", "constant batch", "everything on", "ratio"), rows)


def _step(
    stepper: Stepper,
    constant: tuple[torch.Tensor, torch.Tensor] | None = None,
    feed: Feed | None = None,
    steps: Iterator[int] | None = None,
) -> None:
    if feed is not None and steps is not None:
        constant = feed.batch(next(steps))
    assert constant is not None
    stepper.step(*constant, 1e-3)


if __name__ == "__main__":
    main(sys.argv[1])
