"""What each default of training is worth: one changed at a time, the same network and steps, Dice of whole cases.

Run: python -m tests.benchmarks.defaults TABLE.jsonl FOLDER ... ; a table that is there is gone on with. Without a
folder it says what the table holds: each level beside the default, and what the other data sets would have chosen.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean
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
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy
from nas.training.losses.dice_focal import DiceFocal
from nas.training.losses.tversky import Tversky

STEPS = {2: 500, 3: 240}
NARROWER = {2: 4, 3: 6}
"""Rungs from published width: base 16 in 2D, 8 in 3D."""
SEEDS = (0, 1)
DEFAULT = "as by default"
TWICE = {
    "affine": 0.6,
    "noise": 0.2,
    "blur": 0.2,
    "brightness": 0.3,
    "contrast": 0.3,
    "gamma": 0.3,
    "low_resolution": 0.2,
}
FACTORS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "learning rate": {
        "learning rate 0.001": {"learning_rate": 1e-3},
        "learning rate 0.01": {"learning_rate": 1e-2},
    },
    "averaging": {
        "weights not averaged": {"averaging": 0.0},
        "weights averaged over 20 steps": {"averaging": 0.95},
        "weights averaged over 100 steps": {"averaging": 0.99},
    },
    "augmentation": {
        "patches not varied": {"augmentation": dict.fromkeys(TWICE, 0.0)},
        "changes 1.5 times as strong": {"augmentation": {"strength": 1.5}},
        "changes twice as often": {"augmentation": TWICE},
        "patches mirrored": {"augmentation": {"flips": True}},
    },
    "sampling": {
        "a third of patches on structures": {"foreground": 0.33},
        "four fifths of patches on structures": {"foreground": 0.8},
    },
    "loss": {
        "cross-entropy twice as heavy": {"loss": DiceCrossEntropy(cross_entropy=2.0)},
        "Dice and focal loss": {"loss": DiceFocal()},
        "Tversky and cross-entropy": {"loss": Tversky()},
    },
}
"""Of each factor the levels that are not the default."""
LEVELS: dict[str, Mapping[str, Any]] = {
    DEFAULT: {},
    **{name: changes for levels in FACTORS.values() for name, changes in levels.items()},
}
CPU = torch.device("cpu")

Rows = dict[tuple[str, str, int], dict[str, Any]]


def load(folder: str, seconds: float = 60.0) -> tuple[Task, int, Fold]:
    """Task, batch and fold 0, as trainings of so many seconds are planned."""
    dataset = open_dataset(folder)
    fingerprint = check(dataset)
    preprocessing, _ = bearable(plan_preprocessing(fingerprint), dataset, fingerprint, "cpu", seconds)
    data = prepare_dataset(dataset, preprocessing)
    volumes = data.axes == 3
    seen, slicing = sliced(data, 0 if volumes and plan_dimensions(data) == "2" else None)
    cases = load_fold(data, seen, slicing, 0, CPU)
    task = plan_task(seen, "cpu")
    voxels = sum(sample.label.numel() for sample in cases.training)
    return task, plan_batch(task, "cpu", voxels), cases


def row(folder: str, name: str, task: Task, batch: int, cases: Fold, seed: int) -> dict[str, Any]:
    """What one way of training gives."""
    axes, changes = task.axes, dict(LEVELS[name])
    augmentation = replace(Augmentation(flips=False), **changes.pop("augmentation", {}))
    recipe = Recipe(steps=STEPS[axes], batch=batch, augmentation=augmentation, **changes)
    graph = trace(slim(load_space("unet_family").references["U-Net BN"], NARROWER[axes]), task)
    network, plan = build(graph, seed=seed), StepPlan(channels_last=True, precision="bfloat16")
    began = time.process_time()
    train(network, cases.training, recipe, seed=seed, plan=plan, targets=cases.targets)
    seconds = time.process_time() - began
    window = Window() if axes == 2 else Window(task.patch)
    dice = validate(network, cases.validation, plan=plan, window=window, targets=cases.targets).dice
    return {"data": Path(folder).name, "variant": name, "seed": seed, "dice": round(dice, 4), "seconds": seconds}


def read(table: Path) -> Rows:
    """What is known."""
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    return {(known["data"], known["variant"], known["seed"]): known for known in rows}


def fill(table: Path, folders: list[str]) -> None:
    """Fill the table, one training after the other, on one thread."""
    torch.set_num_threads(1)
    known = read(table)
    for folder in folders:
        task, batch, cases = load(folder)
        for seed in SEEDS:
            for name in LEVELS:
                if (Path(folder).name, name, seed) not in known:
                    with table.open("a") as file:
                        file.write(json.dumps(line := row(folder, name, task, batch, cases, seed)) + "\n")
                    print(line, flush=True)


def show(table: Path) -> None:
    """Print each level less the default, over the seeds that both have, and the choice that the other sets make."""
    rows = read(table)
    sets = list(dict.fromkeys(data for data, _, _ in rows))
    differences = {(data, name): _difference(rows, data, name) for data in sets for name in LEVELS}
    print("| |", " | ".join(sets), "|\n|---|", "---|" * len(sets), sep="")
    defaults = [mean(row["dice"] for key, row in rows.items() if key[:2] == (data, DEFAULT)) for data in sets]
    print("|", DEFAULT, "|", " | ".join(f"{dice:.4f}" for dice in defaults), "|")
    for name in LEVELS:
        if name != DEFAULT:
            print("|", name, "|", " | ".join(f"{differences[data, name]:+.4f}" for data in sets), "|")
    print("\nChosen on the four other sets, and what is lost on the fifth against its own best level:\n")
    for factor, levels in FACTORS.items():
        for data in sets:
            others = [other for other in sets if other != data]
            names = [DEFAULT, *levels]
            chosen = max(names, key=lambda name: mean(differences[other, name] for other in others))
            lost = max(differences[data, name] for name in names) - differences[data, chosen]
            print(f"{factor}, {data}: {chosen}; {lost:.4f}")


def _difference(rows: Rows, data: str, name: str) -> float:
    """Of a level and the default, in the mean over the seeds that both have; not a number where there is none."""
    seeds = [seed for seed in SEEDS if {(data, name, seed), (data, DEFAULT, seed)} <= rows.keys()]
    apart = [rows[data, name, seed]["dice"] - rows[data, DEFAULT, seed]["dice"] for seed in seeds]
    return mean(apart) if apart else float("nan")


if __name__ == "__main__":
    if sys.argv[2:]:
        fill(Path(sys.argv[1]), sys.argv[2:])
    else:
        show(Path(sys.argv[1]))
