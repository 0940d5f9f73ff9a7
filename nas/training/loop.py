"""Training one network."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nas.network import Network, StepPlan, default_plan
from nas.training import metrics
from nas.training.checkpoints import Progress, read_checkpoint, restore, write_checkpoint
from nas.training.feed import Feed, mixed
from nas.training.memory import keep_freed, release
from nas.training.recipe import Recipe
from nas.training.samples import Sample
from nas.training.schedules import rate_share
from nas.training.step import Stepper
from nas.training.targets import EACH_CLASS, Targets

Write = Callable[[Path], None]
"""Writes a checkpoint to a file, whole or not at all."""


class DivergedError(Exception):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch showed: its mean loss, and the Dice of each target on its training patches."""

    number: int
    loss: float
    training_dice: tuple[float, ...]


def train(
    network: Network,
    samples: Sequence[Sample],
    recipe: Recipe,
    *,
    seed: int,
    report: Callable[[Epoch], None] = lambda _: None,
    step_done: Callable[[int], None] = lambda _: None,
    plan: StepPlan | None = None,
    resume: Path | None = None,
    save: Callable[[int, Write], None] = lambda step, write: None,
    targets: Targets = EACH_CLASS,
) -> StepPlan:
    """Train in place, as the recipe says, on random patches of the samples.

    The same seed, samples, plan and CPU give the same network, whether training was interrupted or not.

    Args:
        network: on the device that trains it.
        samples: the cases.
        recipe: decided, without open choices.
        seed: of patches and dropout.
        report: hears each epoch at its end.
        step_done: hears after each step how many are done.
        plan: how steps are run (`nas.network.choose_plan`); a checkpoint brings its own.
        resume: a checkpoint to go on from. Epochs that ended before it are not reported again.
        save: called after each step with the number of steps done and a function that writes a checkpoint: it decides
            when and where.
        targets: what overlap is asked of; the network's classes, or regions of them.

    Returns:
        How steps were run in the end: where memory ran out, in smaller parts than planned.

    Raises:
        DivergedError: the loss became NaN or infinite.
        OutOfMemoryError: there is no memory for the smallest part of a batch.
        CheckpointError: the checkpoint is damaged or another training's.
    """
    device, task = next(network.parameters()).device, network.graph.task
    keep_freed()
    saved = read_checkpoint(resume) if resume is not None else None
    stepper = Stepper(network.train(), recipe, saved.plan if saved else _initial(plan, recipe, device), targets)
    progress = restore(saved, stepper, seed) if saved else Progress(0)
    tally = Tally(task.classes, targets, progress)
    ends = recipe.epoch_ends
    with (
        Feed(samples, task.patch, recipe, device, seed=seed) as feed,
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
    ):
        for step in range(progress.step, recipe.steps):
            images, labels = feed.batch(step)
            torch.manual_seed(mixed(seed, "dropout", step))  # dropout takes no generator
            rate = recipe.learning_rate * rate_share(recipe.schedule, step, recipe.steps, recipe.warm_up)
            loss, scores = stepper.step(images, labels, rate)
            tally.add(loss, scores, labels)
            step_done(step + 1)
            if step + 1 in ends:
                report(tally.epoch(ends.index(step + 1) + 1))
                tally = Tally(task.classes, targets)
            save(step + 1, _writer(stepper, tally, step + 1, seed))
    stepper.finish()
    release(device)
    return stepper.plan


class Tally:
    """Sums over the steps of one epoch; they stay on the device until they are asked for."""

    def __init__(self, classes: int, targets: Targets, progress: Progress | None = None):
        self._classes, self._targets = classes, targets
        self._losses: list[float] = list(progress.losses) if progress else []
        self._waiting: list[Tensor] = []
        self._counts = torch.zeros(len(targets.sets(classes)), 3, dtype=torch.int64)
        if progress and progress.counts:
            self._counts = torch.tensor(progress.counts, dtype=torch.int64)

    def add(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Note a step. Raises DivergedError, on a GPU some steps later, where asking at once would make it wait."""
        self._waiting.append(loss)
        found = metrics.counts(scores.argmax(1, keepdim=True), labels, self._classes, self._targets)
        self._counts = self._counts.to(found.device) + found
        if loss.device.type == "cpu" or len(self._waiting) >= _STEPS_BETWEEN_LOOKS:
            self._look()

    def progress(self, step: int) -> Progress:
        """What a checkpoint needs to know."""
        self._look()
        return Progress(step, tuple(self._losses), tuple(tuple(row) for row in self._counts.tolist()))

    def epoch(self, number: int) -> Epoch:
        """What the epoch showed."""
        self._look()
        return Epoch(number, sum(self._losses) / max(len(self._losses), 1), tuple(metrics.dice(self._counts)))

    def _look(self) -> None:
        losses = torch.stack(self._waiting).tolist() if self._waiting else []
        self._waiting = []
        for loss in losses:
            if not math.isfinite(loss):
                raise DivergedError(f"the loss became {loss}")
        self._losses += losses


_STEPS_BETWEEN_LOOKS = 20


def _initial(plan: StepPlan | None, recipe: Recipe, device: torch.device) -> StepPlan:
    from dataclasses import replace

    plan = plan or default_plan(device)
    # A part has at least two patches, which batch norm after global pooling needs.
    parts = max(min(max(plan.accumulation, recipe.accumulation), recipe.batch // 2), 1)
    return replace(plan, accumulation=parts)


def _writer(stepper: Stepper, tally: Tally, step: int, seed: int) -> Write:
    return lambda path: write_checkpoint(path, stepper, tally.progress(step), seed)
