"""Samples a second against a loop as MONAI's fast-training guide advises, with the same network, patch and batch.

CacheDataset and ThreadDataLoader, the same kinds of augmentation with the same probabilities, one optimiser step a
batch, in mixed precision where the processor has bfloat16.

Run: python -m tests.benchmarks.monai_loop FOLDER_OF_TASK04_HIPPOCAMPUS
"""

import multiprocessing
import sys
from collections.abc import Iterator
from itertools import count
from math import radians
from multiprocessing.connection import Connection

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
from nas.graph import Graph, Task, trace
from nas.network import build, choose_plan
from nas.training import Augmentation, Recipe, Sample
from nas.training.feed import Feed
from nas.training.losses import supervised
from nas.training.memory import keep_freed
from nas.training.step import Stepper
from tests.benchmarks.measuring import rates, samples, show

BATCH = 2
PATCH = (32, 48, 32)
STEPS = 6500
"""Of the training whose plan is timed, as long as the hippocampus recipe's longer one: it may pay to compile."""
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


class Rival:
    """MONAI's loop in a process of its own, as its users run it: without what `nas` sets in its process."""

    def __init__(self, folder: str):
        context = multiprocessing.get_context("spawn")
        self._orders, end = context.Pipe()
        self._process = context.Process(target=_train_with_monai, args=(folder, end), daemon=True)
        self._process.start()
        self._orders.recv()

    def step(self) -> None:
        """One step of training."""
        self._orders.send(None)
        self._orders.recv()

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()


def _train_with_monai(folder: str, orders: Connection) -> None:
    network, loss = build(_graph()), DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    batches = monai_batches(samples(folder), ThreadDataLoader)
    next(batches)
    orders.send(None)
    while True:
        orders.recv()
        images, labels = next(batches)
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported()):
            scores = network(images)
        loss(scores.float(), labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        orders.send(None)


def _graph() -> Graph:
    reference = load_space("unet_family").references["U-Net BN"]
    return trace(slim(reference, 6), Task(3, 1, 3, PATCH, ((2, 2, 2),) * 3))


def main(folder: str) -> None:
    """Time both loops in turn and print a table."""
    keep_freed()
    graph, recipe = _graph(), Recipe(batch=BATCH, augmentation=MOVES)
    rival = Rival(folder)
    with Feed(samples(folder), PATCH, recipe, torch.device("cpu"), seed=0) as feed:
        plan = choose_plan(build(graph), supervised(recipe.loss, 0.5), *feed.batch(0), steps=STEPS)
        stepper, steps = Stepper(build(graph), recipe, plan), count()
        found = rates({"nas": lambda: _step(stepper, feed, next(steps)), "MONAI": rival.step}, rounds=4, each=8)
    rival.end()
    rows = [(name, f"{rate * BATCH:.1f}", f"{rate / found['MONAI']:.2f}") for name, rate in found.items()]
    show(f"{graph.parameters:,} parameters, batch {BATCH} of {PATCH}", ("loop", "samples a second", "ratio"), rows)
    for note in plan.notes:
        print(note)


def _step(stepper: Stepper, feed: Feed, number: int) -> None:
    stepper.step(*feed.batch(number), 1e-3)


if __name__ == "__main__":
    main(sys.argv[1])
