"""What each default of training is worth: one changed at a time, the same network and steps, Dice of whole cases.

Run: python -m tests.benchmarks.defaults TABLE.jsonl FOLDER ... ; a table that is there is gone on with.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.data import check, open_dataset, plan_preprocessing, prepare_dataset
from nas.graph import Task, trace
from nas.network import StepPlan, build
from nas.searching.setup.loading import Fold, load_fold, sliced
from nas.searching.setup.resolution import bearable
from nas.training import Augmentation, Recipe, Window, plan_batch, plan_dimensions, plan_task, train, validate

SECONDS = 60.0
"""Of the training that the resolution is chosen for."""
STEPS = {2: 500, 3: 240}
NARROWER = {2: 4, 3: 6}
"""Rungs from published width: base 16 in 2D, 8 in 3D."""
NONE = Augmentation(flips=False, affine=0, noise=0, blur=0, brightness=0, contrast=0, gamma=0, low_resolution=0)
MORE = Augmentation(
    flips=False, affine=0.7, noise=0.2, blur=0.2, brightness=0.3, contrast=0.3, gamma=0.3, low_resolution=0.2
)
USUAL = Augmentation(flips=False)
VARIANTS: dict[str, dict[str, Any]] = {
    "as by default": {},
    "learning rate 0.001": {"learning_rate": 1e-3},
    "learning rate 0.01": {"learning_rate": 1e-2},
    "patches not varied": {"augmentation": NONE},
    "changes 1.5 times as strong": {"augmentation": replace(USUAL, strength=1.5)},
    "changes twice as often": {"augmentation": MORE},
    "a third of patches on structures": {"foreground": 0.33},
    "weights averaged over 20 steps": {"averaging": 0.95},
    "weights averaged over 100 steps": {"averaging": 0.99},
    "weights not averaged": {"averaging": 0.0},
}
CPU = torch.device("cpu")


def load(folder: str) -> tuple[Task, int, Fold]:
    """Task, batch and fold 0, as a search of a minute plans them."""
    dataset = open_dataset(folder)
    fingerprint = check(dataset)
    preprocessing, _ = bearable(plan_preprocessing(fingerprint), dataset, fingerprint, "cpu", SECONDS)
    data = prepare_dataset(dataset, preprocessing)
    volumes = data.axes == 3
    seen, slicing = sliced(data, 0 if volumes and plan_dimensions(data) == "2" else None)
    cases = load_fold(data, seen, slicing, 0, CPU)
    task = plan_task(seen, "cpu")
    voxels = sum(sample.label.numel() for sample in cases.training)
    return task, plan_batch(task, "cpu", voxels), cases


def row(folder: str, name: str, task: Task, batch: int, cases: Fold, seed: int) -> dict[str, Any]:
    """What one way of training gives."""
    axes = task.axes
    recipe = Recipe(steps=STEPS[axes], batch=batch, **{"augmentation": USUAL, **VARIANTS[name]})
    graph = trace(slim(load_space("unet_family").references["U-Net BN"], NARROWER[axes]), task)
    network, plan = build(graph, seed=seed), StepPlan(channels_last=True, precision="bfloat16")
    began = time.process_time()
    train(network, cases.training, recipe, seed=seed, plan=plan, targets=cases.targets)
    seconds = time.process_time() - began
    window = Window() if axes == 2 else Window(task.patch)
    dice = validate(network, cases.validation, plan=plan, window=window, targets=cases.targets).dice
    return {"data": Path(folder).name, "variant": name, "seed": seed, "dice": round(dice, 4), "seconds": seconds}


def main(table: Path, folders: list[str]) -> None:
    """Fill the table, one training after the other, on one thread."""
    torch.set_num_threads(1)
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    known = {(known["data"], known["variant"], known["seed"]) for known in rows}
    for folder in folders:
        task, batch, cases = load(folder)
        for name in VARIANTS:
            if (Path(folder).name, name, 0) not in known:
                with table.open("a") as file:
                    file.write(json.dumps(line := row(folder, name, task, batch, cases, seed=0)) + "\n")
                print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
