"""What any student writes in 60 lines: a U-Net with batch norm in 2D, random crops, AdamW, a cosine; Dice for the time.

Run: python -m tests.benchmarks.plain_loop FOLDER [SECONDS ...]
"""

import math
import sys
import tempfile
import time

import torch
import torch.nn.functional as F  # noqa: N812

import nas
from nas.architecture import slim
from nas.catalog import load_space
from nas.data import check, open_dataset, plan_preprocessing, prepare_dataset
from nas.graph import Task, trace
from nas.network import build
from nas.training import Sample, metrics, sample_of

CROP, BATCH, RATE = 128, 8, 0.01
Slice = tuple[torch.Tensor, torch.Tensor]


def load(folder: str) -> tuple[list[Sample], list[Sample], int]:
    """Training and validation cases of fold 0, and the number of classes."""
    dataset = open_dataset(folder)
    data = prepare_dataset(dataset, plan_preprocessing(check(dataset)))
    split, device = data.split(0), torch.device("cpu")
    cases = {case.name: sample_of(case, device) for case in data.cases}
    return [cases[name] for name in split.training], [cases[name] for name in split.validation], len(data.classes)


def slices(sample: Sample) -> list[Slice]:
    """A case as 2D images (channels, height, width) and labels; a volume is cut across its thickest axis."""
    if sample.label.ndim == 2:
        return [(sample.image, sample.label)]
    axis = max(range(3), key=lambda axis: (sample.spacing[axis], axis))
    return list(zip(sample.image.unbind(1 + axis), sample.label.unbind(axis), strict=True))


def crop(image: torch.Tensor, label: torch.Tensor) -> Slice:
    """A random square of a slice, padded where the slice is smaller."""
    height, width = label.shape
    high, wide = max(CROP - height, 0), max(CROP - width, 0)
    image, label = F.pad(image, (0, wide, 0, high)), F.pad(label, (0, wide, 0, high))
    top, left = (int(torch.randint(size - CROP + 1, ())) for size in label.shape)
    return image[:, top : top + CROP, left : left + CROP], label[top : top + CROP, left : left + CROP]


def dice_loss(probabilities: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """One minus soft Dice over the batch, the mean over foreground classes."""
    both = (probabilities * masks).sum((0, 2, 3))[1:]
    return 1 - ((2 * both + 1e-5) / ((probabilities + masks).sum((0, 2, 3))[1:] + 1e-5)).mean()


def train(training: list[Sample], classes: int, seconds: float, seed: int) -> tuple[torch.nn.Module, int]:
    """A network trained for so long, and after how many steps."""
    torch.manual_seed(seed)
    pool = [piece for sample in training for piece in slices(sample)]
    task = Task(2, pool[0][0].shape[0], classes, (CROP, CROP))
    network = build(trace(slim(load_space("unet_family").references["U-Net BN"], 4), task), seed=seed)
    optimiser = torch.optim.AdamW(network.parameters(), RATE)
    start, steps = time.perf_counter(), 0
    while (share := (time.perf_counter() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * share))
        crops = [crop(*pool[int(torch.randint(len(pool), ()))]) for _ in range(BATCH)]
        images, labels = torch.stack([image for image, _ in crops]), torch.stack([label for _, label in crops]).long()
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(images).float()
        masks = F.one_hot(labels, classes).movedim(-1, 1)
        loss = F.cross_entropy(scores, labels) + dice_loss(scores.softmax(1), masks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
    return network, steps


def validate(network: torch.nn.Module, cases: list[Sample], classes: int) -> float:
    """Mean Dice over foreground classes, each the mean over whole cases; every slice is segmented in one pass."""
    rows = []
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for case in cases:
            predicted = []
            for image, label in slices(case):
                height, width = label.shape
                padded = F.pad(image[None], (0, -width % 16, 0, -height % 16), mode="replicate")
                predicted.append(network(padded)[0, :, :height, :width].argmax(0))
            labels = torch.stack([label for _, label in slices(case)])
            rows.append(metrics.dice(metrics.counts(torch.stack(predicted), labels, classes)))
    return metrics.mean_dice(metrics.mean_per_target(rows))


def first_network(folder: str, seconds: float) -> str:
    """What `nas search` makes of the same seconds, all in all: its first published network and Dice."""
    with tempfile.TemporaryDirectory() as place:
        opened = nas.search(data=folder, trials=1, budget=f"{seconds:g}s", holdout=0, storage=f"{place}/nas.db")
        trial = opened.best.trial
        return f"{trial.reference}, Dice {trial.values['dice']:.3f}"


def main(folder: str, lengths: list[float]) -> None:
    """Print Dice and steps for each length of training, and beside it what nas reaches in the same seconds."""
    training, validation, classes = load(folder)
    for seconds in lengths:
        network, steps = train(training, classes, seconds, seed=0)
        start = time.perf_counter()
        dice = validate(network, validation, classes)
        took = time.perf_counter() - start
        print(f"{folder}: {seconds:g} s, {steps} steps, Dice {dice:.3f}, validated in {took:.1f} s")
        print(f"  nas search --trials 1 --budget {seconds:g}s --holdout 0: {first_network(folder, seconds)}")


if __name__ == "__main__":
    main(sys.argv[1], [float(text) for text in sys.argv[2:]] or [15, 60, 300])
