"""What a validation looks through: Dice of the same network by whole images and windows, mirrored ones or not.

Run: python -m tests.benchmarks.looking STEPS FOLDER ... ; patches are varied as by default, then twice as often and one
and a half times as strongly.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import trace
from nas.network import StepPlan, build
from nas.training import Augmentation, Recipe, Window, train, validate
from tests.benchmarks.defaults import NARROWER, TWICE, load

PLAN = StepPlan(channels_last=True, precision="bfloat16")


def main(steps: int, folders: list[str]) -> None:
    """Train twice on each, on one thread."""
    torch.set_num_threads(1)
    for folder in folders:
        task, batch, cases = load(folder, seconds=700.0)
        graph = trace(slim(load_space("unet_family").references["U-Net BN"], NARROWER[task.axes]), task)
        usual = Augmentation(flips=task.classes <= 2)
        for varied, augmentation in {"": usual, ", varied more": replace(usual, strength=1.5, **TWICE)}.items():
            network = build(graph, seed=0)
            recipe = Recipe(steps=steps, batch=batch, augmentation=augmentation)
            train(network, cases.training, recipe, seed=0, plan=PLAN, targets=cases.targets)
            for window in (Window(), Window(task.patch)):
                for mirrored in ((), usual.mirrored_axes(task.axes)):
                    dice = validate(
                        network, cases.validation, plan=PLAN, window=window, mirrored=mirrored, targets=cases.targets
                    ).dice
                    seen = ("windows" if window.size else "whole images") + (", mirrored" if mirrored else "")
                    print(f"{Path(folder).name}{varied}, {seen}: {dice:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
