"""Training one network and measuring it on whole validation cases."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nas.network import Network
from nas.training.inference import predict
from nas.training.losses import dice_cross_entropy
from nas.training.metrics import agreement, dice_per_class, mean_dice, mean_per_class
from nas.training.patches import Sample, draw_batch
from nas.training.recipe import Recipe

_WARM_UP = 0.1


class DivergedError(Exception):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch showed: its mean loss, and the Dice of each foreground class on its training patches."""

    number: int
    loss: float
    training_dice: tuple[float, ...]


@dataclass(frozen=True)
class Validation:
    """Dice on whole validation cases: per case and foreground class, and the means (see `nas.training.metrics`)."""

    cases: tuple[tuple[str, tuple[float, ...]], ...]
    per_class: tuple[float, ...]
    dice: float


def train(
    network: Network,
    samples: Sequence[Sample],
    recipe: Recipe,
    *,
    seed: int,
    report: Callable[[Epoch], None] = lambda _: None,
    step_done: Callable[[int], None] = lambda _: None,
) -> None:
    """Train in place, as the recipe says, on random patches of the samples.

    The same seed, samples and CPU give the same network. `report` hears each epoch, `step_done` each step.

    Raises:
        DivergedError: the loss became NaN or infinite.
        torch.OutOfMemoryError: the device's memory is too small.
    """
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, recipe.steps))
    loss = dice_cross_entropy()
    network.train()
    bounds = [round(recipe.steps * part / recipe.epochs) for part in range(recipe.epochs + 1)]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)  # for dropout, which takes no generator
        for number in range(1, recipe.epochs + 1):
            tally = _Tally(network.graph.task.classes)
            for step in range(bounds[number - 1], bounds[number]):
                images, labels = draw_batch(samples, network.graph.task.patch, recipe, generator)
                with _mixed_precision(device):
                    scores = network(images)
                value = loss(scores, labels)
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimiser.step()
                schedule.step()
                tally.add(float(value.detach()), scores, labels)
                step_done(step + 1)
            report(tally.epoch(number))


def validate(
    network: Network, samples: Sequence[Sample], *, case_done: Callable[[int], None] = lambda _: None
) -> Validation:
    """Segment whole cases and compare them with their labels; `case_done` hears how many are done."""
    task, stride = network.graph.task, network.graph.total_stride
    network.eval()
    cases = []
    for sample in samples:
        with _mixed_precision(sample.image.device):
            predicted = predict(network, sample.image, task.patch, stride)
        cases.append((sample.name, tuple(dice_per_class(predicted, sample.label, task.classes))))
        case_done(len(cases))
    per_class = mean_per_class([scores for _, scores in cases])
    return Validation(tuple(cases), tuple(per_class), mean_dice(per_class))


class _Tally:
    """Sums over the steps of one epoch."""

    def __init__(self, classes: int):
        self._classes = classes
        self._losses: list[float] = []
        self._counts = torch.zeros(classes - 1, 2, dtype=torch.int64)

    def add(self, loss: float, scores: Tensor | tuple[Tensor, ...], labels: Tensor) -> None:
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss}")
        self._losses.append(loss)
        predicted = (scores[0] if isinstance(scores, tuple) else scores).detach().argmax(1, keepdim=True)
        self._counts += torch.tensor(agreement(predicted, labels, self._classes))

    def epoch(self, number: int) -> Epoch:
        dice = (self._counts[:, 0] / self._counts[:, 1]).tolist()
        return Epoch(number, sum(self._losses) / max(len(self._losses), 1), tuple(dice))


def _rate(step: int, steps: int) -> float:
    """The share of the peak learning rate at a step."""
    warm = max(round(steps * _WARM_UP), 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def _mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 on GPUs that have it. On a CPU it pays only with hardware for it, and not for small networks."""
    wanted = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)
