"""Training one network."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from nas.errors import InputError
from nas.network import Network, StepPlan, default_plan
from nas.training import metrics
from nas.training.checkpoints import Progress, read_checkpoint, restore, write_checkpoint
from nas.training.feed import Feed, mixed
from nas.training.memory import keep_freed, release
from nas.training.pace import Counted, Moment, Pace, Timed
from nas.training.recipe import Recipe
from nas.training.samples import Sample
from nas.training.schedules import rate_share
from nas.training.step import Stepper
from nas.training.targets import EACH_CLASS, Targets

Write = Callable[[Path], None]
"""Writes a checkpoint to a file, whole or not at all."""


class DivergedError(Exception):
    """The loss is no longer a number."""


class NotLearningError(DivergedError):
    """After most of a training nothing is told from the background: the rest of its time would be wasted."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch showed: its mean loss, and the Dice of each target on its training patches."""

    number: int
    loss: float
    training_dice: tuple[float, ...]


@dataclass(frozen=True)
class Trained:
    """How a training ended: after how many steps and seconds, and how its steps were run in the end."""

    steps: int
    seconds: float
    plan: StepPlan


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
    save: Callable[[int, float, Write], None] = lambda step, done, write: None,
    targets: Targets = EACH_CLASS,
    seconds: float | None = None,
    reserve: float = 0.0,
    until: float = 1.0,
) -> Trained:
    """Train in place, as the recipe says, on random patches of the samples.

    A recipe with a number of steps is trained for these: the same seed, samples, plan and CPU give the same network,
    whether training was interrupted or not. One without is trained for some seconds, and its learning rate follows the
    clock.

    Args:
        network: on the device that trains it.
        samples: the cases.
        recipe: decided, without open choices.
        seed: of patches and dropout.
        report: hears each epoch at its end.
        step_done: hears after each step how many are done.
        plan: how steps are run (`nas.network.choose_plan`); a checkpoint brings its own.
        resume: a checkpoint to go on from. Epochs that ended before it are not reported again.
        save: called after each step with the number of steps, the share of the training that is done, and a function
            that writes a checkpoint: it decides when and where.
        targets: what overlap is asked of; the network's classes, or regions of them.
        seconds: of training, where the recipe says no number of steps; those before an interruption count.
        reserve: how many of these seconds are left for what follows, such as validation.
        until: the share of the training after which it stops; `save` has seen the step that it goes on from.

    Returns:
        How it ended; where memory ran out, steps were run in smaller parts than planned.

    Raises:
        DivergedError: the loss became NaN or infinite.
        NotLearningError: after most of the training nothing but background is predicted.
        OutOfMemoryError: there is no memory for the smallest part of a batch.
        CheckpointError: the checkpoint is damaged or another training's.
    """
    device, task = next(network.parameters()).device, network.graph.task
    keep_freed()
    saved = read_checkpoint(resume) if resume is not None else None
    stepper = Stepper(network.train(), recipe, saved.plan if saved else _initial(plan, recipe, device), targets)
    progress = restore(saved, stepper, seed) if saved else Progress(0)
    pace = _pace(recipe, seconds, progress.seconds, reserve)
    tally, step, moment = Tally(task.classes, targets, progress), progress.step, pace.after(progress.step)
    with (
        Feed(samples, task.patch, recipe, device, seed=seed) as feed,
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
    ):
        while moment.done < until:
            images, labels = feed.batch(step)
            torch.manual_seed(mixed(seed, "dropout", step))  # dropout takes no generator
            rate = recipe.learning_rate * rate_share(recipe.schedule, moment.middle, recipe.warm_up)
            loss, scores = stepper.step(images, labels, rate, still=_is_still(recipe, moment))
            tally.add(loss, scores, labels)
            step, before = step + 1, moment
            step_done(step)
            moment = pace.after(step)
            number = _epoch(moment, recipe)
            if number > _epoch(before, recipe):
                epoch = tally.epoch(number)
                report(epoch)
                _expect_learning(epoch, moment, step)
                tally = Tally(task.classes, targets)
            save(step, moment.done, _writer(stepper, tally, step, pace.seconds, seed))
    stepper.finish()
    release(device)
    return Trained(step, pace.seconds, stepper.plan)


def _pace(recipe: Recipe, seconds: float | None, spent: float, reserve: float) -> Pace:
    """By steps where the recipe counts them, else by the clock."""
    if recipe.steps is not None:
        return Counted(recipe.steps, spent)
    if seconds is None:
        raise InputError("recipe steps: found none, expected a number; or say for how many seconds to train")
    return Timed(seconds, spent, reserve)


def _is_still(recipe: Recipe, moment: Moment) -> bool:
    """Whether the weights that the network began with are kept as they were for now."""
    return recipe.pretrained is not None and moment.done < recipe.frozen


def _epoch(moment: Moment, recipe: Recipe) -> int:
    """How many epochs are over; a little early, since shares are rounded."""
    return int(moment.done * recipe.parts + 1e-6)


def _expect_learning(epoch: Epoch, moment: Moment, step: int) -> None:
    if step >= _FEWEST_STEPS and moment.done >= _LATE and all(not value > _NOTHING for value in epoch.training_dice):
        raise NotLearningError(
            f"after {moment.done:.0%} of its training nothing but background is predicted (loss {epoch.loss:.3f})"
        )


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

    def progress(self, step: int, seconds: float) -> Progress:
        """What a checkpoint needs to know."""
        self._look()
        return Progress(step, seconds, tuple(self._losses), tuple(tuple(row) for row in self._counts.tolist()))

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
_FEWEST_STEPS = 5
"""After fewer, that nothing is told from the background yet says nothing of a network."""
_LATE = 0.6
"""From this share of a training on, a network that has found nothing is not expected to."""
_NOTHING = 0.005
"""Dice on training patches that is no more than chance."""


def _initial(plan: StepPlan | None, recipe: Recipe, device: torch.device) -> StepPlan:
    plan = plan or default_plan(device)
    # A part has at least two patches, which batch norm after global pooling needs.
    parts = max(min(max(plan.accumulation, recipe.accumulation), recipe.batch // 2), 1)
    return replace(plan, accumulation=parts)


def _writer(stepper: Stepper, tally: Tally, step: int, seconds: float, seed: int) -> Write:
    return lambda path: write_checkpoint(path, stepper, tally.progress(step, seconds), seed)
