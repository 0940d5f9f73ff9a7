"""Samples a second against a loop as MONAI's fast-training guide advises, with the same network, patch and batch.

CacheDataset and ThreadDataLoader, the same kinds of augmentation with the same probabilities, one optimiser step a
batch. Run: python -m tests.benchmarks.monai_loop FOLDER_OF_TASK04_HIPPOCAMPUS
"""

import sys
from collections.abc import Iterator
from itertools import count
from math import radians

import torch
from monai.data import CacheDataset, DataLoader, ThreadDataLoader
from monai.losses import DiceCELoss
from monai.transforms import (
    Compose,
    RandAdjustContrastd,
    RandAffined,
    RandCropByLabelClassesd,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandSimulateLowResolutiond,
    SpatialPadd,
)

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import build, choose_plan
from nas.training import Augmentation, Recipe, Sample
from nas.training.feed import Feed
from nas.training.losses import supervised
from nas.training.step import Stepper
from tests.benchmarks.measuring import rates, samples, show

BATCH = 2
PATCH = (32, 48, 32)
MOVES = Augmentation(flips=False)
KEYS = ("image", "label")


def transforms() -> Compose:
    """What `MOVES` says, in MONAI's transforms; the cached part first."""
    turn = (radians(MOVES.rotation),) * 3
    scale = (MOVES.scaling,) * 3
    return Compose(
        [
            SpatialPadd(KEYS, PATCH),
            RandCropByLabelClassesd(KEYS, "label", PATCH, ratios=[1, 0.5, 0.5], num_classes=3, num_samples=1),
            RandAffined(
                KEYS,
                prob=MOVES.affine,
                rotate_range=turn,
                scale_range=scale,
                mode=("bilinear", "nearest"),
                padding_mode="border",
            ),
            RandGaussianNoised("image", prob=MOVES.noise, std=0.1),
            RandGaussianSmoothd("image", prob=MOVES.blur),
            RandScaleIntensityd("image", factors=0.3, prob=MOVES.brightness),
            RandAdjustContrastd("image", prob=MOVES.contrast + MOVES.gamma, gamma=(1 / 1.5, 1.5)),
            RandSimulateLowResolutiond("image", prob=MOVES.low_resolution),
        ]
    )


def monai_batches(cases: tuple[Sample, ...], loader: type[DataLoader]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches."""
    data = [{"image": case.image, "label": case.label[None]} for case in cases]
    dataset = CacheDataset(data, transforms(), num_workers=None, progress=False)
    options = {"num_workers": 0, "batch_size": BATCH, "shuffle": True}
    while True:
        for batch in loader(dataset, **options):
            yield batch["image"].as_tensor(), batch["label"].as_tensor()


def main(folder: str) -> None:
    """Time both loops in turn and print a table."""
    cases = samples(folder)
    graph = trace(slim(load_space("unet_family").references["U-Net BN"], 6), Task(3, 1, 3, PATCH, ((2, 2, 2),) * 3))
    recipe = Recipe(batch=BATCH, augmentation=MOVES)
    with Feed(cases, PATCH, recipe, torch.device("cpu"), seed=0) as feed:
        plan = choose_plan(build(graph), supervised(recipe.loss, 0.5), *feed.batch(0), steps=1)
        stepper, steps = Stepper(build(graph), recipe, plan), count()
        theirs, loss = build(graph), DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)
        optimiser = torch.optim.AdamW(theirs.parameters(), 1e-3)
        batches = monai_batches(cases, ThreadDataLoader)

        def their_step() -> None:
            images, labels = next(batches)
            optimiser.zero_grad()
            loss(theirs(images), labels).backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
            optimiser.step()

        def our_step() -> None:
            stepper.step(*feed.batch(next(steps)), 1e-3)

        found = rates({"nas": our_step, "MONAI": their_step}, rounds=4, each=4)
    rows = [(name, f"{rate * BATCH:.1f}", f"{rate / found['MONAI']:.2f}") for name, rate in found.items()]
    show(f"{graph.parameters:,} parameters, batch {BATCH} of {PATCH}", ("loop", "samples a second", "ratio"), rows)
    for note in plan.notes:
        print(note)


if __name__ == "__main__":
    main(sys.argv[1])
