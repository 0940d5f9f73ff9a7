"""Why nnU-Net and nas segment differently with one network: what each of nnU-Net's ways changes, one after the other.

A network that saw no image has many voxels between two classes, which is the worst case; with a trained one give the
folder of a model, and an image for it. Run: python -m tests.benchmarks.nnunet_windows [MODEL IMAGE]
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from nas.data import read_image
from nas.model import Segmenter, TrainedModel, load_model
from nas.training import inference
from tests.benchmarks.measuring import show
from tests.model.factories import model, voxels


@dataclass(frozen=True)
class Ways:
    """What is done as nnU-Net does it; else as nas does."""

    spread: bool = False
    scores: bool = False
    centre: bool = False
    half: bool = False


STEPS = {
    "windows spread evenly": Ways(spread=True),
    "scores averaged, not probabilities": Ways(scores=True),
    "the bell's middle half a voxel further": Ways(centre=True),
    "added up in half precision": Ways(half=True),
    "all but the spreading": Ways(scores=True, centre=True, half=True),
    "all, which is nnU-Net": Ways(True, True, True, True),
}


def even(size: tuple[int, ...], patch: tuple[int, ...], overlap: float) -> list[list[int]]:
    """Starts of as many windows as nas has, at even distances."""
    found = []
    for along, wide in zip(size, patch, strict=True):
        number = int(np.ceil((along - wide) / (wide * (1 - overlap)))) + 1
        found.append([round((along - wide) / max(number - 1, 1) * index) for index in range(number)])
    return found


def bell(patch: tuple[int, ...], ways: Ways) -> Tensor:
    """The weights of a window's voxels."""
    if not ways.centre:
        return inference._bell(patch)
    weights = torch.ones(())
    for wide in patch:
        weights = weights[..., None] * torch.exp(-0.5 * ((torch.arange(wide) - wide // 2) / (0.125 * wide)) ** 2)
    return weights.clamp(min=float(weights.half()[weights.half() > 0].min()) if ways.half else 1e-3)


def seen(forward: Callable[[Tensor], Tensor], image: Tensor, patch: tuple[int, ...], ways: Ways) -> Tensor:
    """Classes of an image that is no smaller than a window."""
    size = tuple(image.shape[1:])
    starts = even(size, patch, 0.5) if ways.spread else inference._starts(size, patch, 0.5)
    weights, kind = bell(patch, ways), torch.half if ways.half else torch.float32
    weights = 10 * weights if ways.half else weights
    sums, total = torch.zeros(1, dtype=kind), torch.zeros(size, dtype=kind)
    for start in product(*starts):
        place = tuple(slice(at, at + wide) for at, wide in zip(start, patch, strict=True))
        with torch.inference_mode():
            found = forward(image[(slice(None), *place)][None])[0]
        found = found if ways.scores else found.softmax(0)
        if sums.numel() == 1:
            sums = torch.zeros(len(found), *size, dtype=kind)
        sums[(slice(None), *place)] += found.to(kind) * weights.to(kind)
        total[place] += weights.to(kind)
    return (sums / total).argmax(0)


def main(made: TrainedModel, image: Tensor) -> None:
    """A row for each way, with the share of voxels that keep the class that nas gives them."""
    forward, patch = Segmenter(made).scores, made.task.patch
    expected = seen(forward, image, patch, Ways())
    rows = [(name, f"{share(seen(forward, image, patch, ways), expected):.2%}") for name, ways in STEPS.items()]
    size = "x".join(map(str, image.shape[1:]))
    show(f"Voxels of the same class, {size} through windows of {patch}", ("as nnU-Net does it", "as nas"), rows)
    with mock.patch.object(inference, "_starts", even):
        own = inference.predict(forward, image, patch)
    print(
        f"nas's own code with windows spread evenly, against all of nnU-Net's ways: "
        f"{share(own, seen(forward, image, patch, STEPS['all, which is nnU-Net'])):.2%}"
    )


def share(one: Tensor, other: Tensor) -> float:
    return float((one == other).float().mean())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen = load_model(sys.argv[1])
        chosen = replace(chosen, plan=replace(chosen.plan, precision="float32"))
        prepared = Segmenter(chosen).prepared(read_image((Path(sys.argv[2]),), chosen.axes, chosen.channels)).image
        main(chosen, torch.from_numpy(np.array(prepared)))
    else:
        main(model(), torch.from_numpy(voxels(shape=(41, 37, 35))[None]).sub(100).div(10))
