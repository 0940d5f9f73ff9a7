"""Samples a second against nnU-Net v2 on its own plan for the hippocampus: patch 40x56x40, batch 9, its network.

nnU-Net lives in an environment of its own (`pip install nnunetv2` there). A few cases are prepared by nnU-Net itself;
its plan is then set to what it makes of all 260. Both loops run on their own data loading and augmentation, in turn.

Run: python -m tests.benchmarks.nnunet FOLDER_OF_TASK04_HIPPOCAMPUS PYTHON_WITH_NNUNET [BATCH]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path

import torch

from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import build, choose_plan
from nas.training import Augmentation, Recipe
from nas.training.feed import Feed
from nas.training.losses import supervised
from nas.training.memory import keep_freed
from nas.training.optimisers import SGD
from nas.training.schedules import Poly
from nas.training.step import Stepper
from tests.benchmarks.measuring import rates, samples, show

CASES = 12
STEPS = 2
ROUNDS = 3
PATCH = (40, 56, 40)

THEIRS = """
import json, os, sys, time, warnings
warnings.filterwarnings("ignore")
import torch
from pathlib import Path
from nnunetv2.run.run_training import get_trainer_from_args
trainer = get_trainer_from_args("4", "3d_fullres", 0, device=torch.device("cpu"))
trainer.initialize()
trainer.dataloader_train, trainer.dataloader_val = trainer.get_dataloaders()
trainer.network.train()
print("parameters", sum(p.numel() for p in trainer.network.parameters()), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        trainer.train_step(next(trainer.dataloader_train))
    print("took", time.perf_counter() - start, flush=True)
os._exit(0)
"""


def main(folder: str, python: str, batch: int = 9) -> None:
    """Time both loops in turn and print a table."""
    keep_freed()
    cases = samples(folder, CASES)
    graph = trace(load_space("unet_family").references["nnU-Net"], Task(3, 1, 3, PATCH, ((2, 2, 2),) * 3))
    moves = Augmentation(affine=0.36, rotation=30.0, scaling=0.3)
    recipe = Recipe(
        batch=batch,
        loss=Recipe().loss,
        optimiser=SGD(),
        schedule=Poly(),
        clip=12.0,
        foreground=0.33,
        augmentation=moves,
    )
    with tempfile.TemporaryDirectory() as work, Feed(cases, PATCH, recipe, torch.device("cpu"), seed=0) as feed:
        images, labels = feed.batch(0)
        plan = choose_plan(build(graph), supervised(recipe.loss, 0.5), images[:2], labels[:2], steps=1)
        stepper, steps = Stepper(build(graph), recipe, plan), count()
        theirs = _start(Path(folder), python, Path(work), batch)
        ours, other = float("inf"), float("inf")
        for number in range(ROUNDS + 1):
            start = time.perf_counter()
            for _ in range(STEPS):
                stepper.step(*feed.batch(next(steps)), 1e-3)
            took = time.perf_counter() - start
            answer = _ask(theirs)
            if number:
                ours, other = min(ours, took), min(other, answer)
        theirs.kill()
    done = STEPS * batch
    rows = [("nas", f"{done / ours:.2f}", f"{other / ours:.2f}"), ("nnU-Net", f"{done / other:.2f}", "1.00")]
    show(f"nnU-Net's plan, batch {batch}", ("loop", "samples a second", "ratio"), rows)
    for note in plan.notes:
        print(note)
    peak, needed = _peak(), 3 * 2 * graph.macs
    print(f"{needed / 1e9:.0f} GFLOP a sample; a large float32 matrix product runs at {peak / 1e9:.0f} GFLOP/s.")
    print(f"At that rate: {peak / needed:.2f} samples a second, {peak / needed * other / done:.2f} times nnU-Net's")


def _peak() -> float:
    """Floating point operations a second of a large float32 matrix product."""
    size = 4096
    matrix = torch.rand(size, size)
    return 2 * size**3 * rates({"product": partial(torch.mm, matrix, matrix)}, rounds=3)["product"]


def _ask(theirs: "subprocess.Popen[str]") -> float:
    assert theirs.stdin is not None
    assert theirs.stdout is not None
    theirs.stdin.write(f"{STEPS}\n")
    theirs.stdin.flush()
    for line in theirs.stdout:
        if line.startswith("took"):
            return float(line.split()[1])
        print("nnU-Net:", line, end="")
    raise RuntimeError("nnU-Net ended; see its messages above")


def _start(folder: Path, python: str, work: Path, batch: int) -> "subprocess.Popen[str]":
    """Prepare a few cases with nnU-Net's own commands, and start its trainer, waiting for orders."""
    places = {name: str(work / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    environment = {**os.environ, **places, "nnUNet_n_proc_DA": "1", "PYTHONPATH": ""}
    raw = work / "nnUNet_raw" / "Dataset004_Hippocampus"
    for part in ("imagesTr", "labelsTr"):
        (raw / part).mkdir(parents=True)
    files = sorted(file for file in (folder / "imagesTr").glob("*.nii*") if not file.name.startswith("."))[:CASES]
    for file in files:
        stem = file.name.partition(".nii")[0]
        shutil.copy(file, raw / "imagesTr" / f"{stem}_0000.nii.gz")
        shutil.copy(folder / "labelsTr" / file.name, raw / "labelsTr" / f"{stem}.nii.gz")
    labels = {"background": 0, "anterior": 1, "posterior": 2}
    description = {"channel_names": {"0": "MRI"}, "labels": labels, "numTraining": len(files), "file_ending": ".nii.gz"}
    (raw / "dataset.json").write_text(json.dumps(description))
    command = Path(python).parent / "nnUNetv2_plan_and_preprocess"
    options = ["-d", "4", "-c", "3d_fullres", "-np", "1", "-npfp", "1"]
    subprocess.run([command, *options], env=environment, check=True, stdout=subprocess.DEVNULL)
    plans = work / "nnUNet_preprocessed" / raw.name / "nnUNetPlans.json"
    document = json.loads(plans.read_text())
    document["configurations"]["3d_fullres"] |= {"patch_size": list(PATCH), "batch_size": batch}
    plans.write_text(json.dumps(document))
    return subprocess.Popen(
        [python, "-c", THEIRS], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
