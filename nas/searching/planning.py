"""Fitting a search to its machine and budget: length of training, largest network, references of that size."""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import prod

import torch

from nas.architecture import EncoderDecoder, slim
from nas.data import PreparedDataset
from nas.graph import Graph, Task, trace
from nas.searching.candidates import Candidates, candidates_of, random_members
from nas.searching.events import Listener, Note
from nas.searching.loading import Fold, usable_memory
from nas.searching.plan import Limits, Plan, memory
from nas.searching.references import Entry, base
from nas.searching.settings import SearchSettings
from nas.searching.slots import memory_each
from nas.searching.timing import measure_speed
from nas.space import Space
from nas.training import Augmentation, Recipe, plan_batch, plan_task, windows_of
from nas.training.plan import SMALLEST_BATCH

_TRIAL_SHARE = 0.75
"""Of a trial's share of the budget, what training and validation may take; the rest is for proposals and start-up."""
_ANCHOR_SHARE = 0.6
"""Of that, what the first member takes when it is this small, so that most networks of its kind and size fit."""
_ANCHOR_BASE = {2: 16, 3: 4}
_STEPS = (40, 20_000)
_ROOM = 1.2


def fitted_patches(
    settings: SearchSettings, space: Space[EncoderDecoder], data: PreparedDataset, cases: Fold, device: torch.device
) -> tuple[Task, int]:
    """Patch, strides and batch from the data and the memory of the device, not what networks may take of it.

    They are such that the first published network of the space can be trained at full width.
    """
    room = memory_each(settings.slots)
    voxels = sum(sample.label.numel() for sample in cases.training)

    def fits(task: Task, batch: int) -> bool:
        return memory(_first_member(space, task)[1], batch) <= room

    task = plan_task(data, device.type, settings.patch, fits=lambda task: fits(task, SMALLEST_BATCH))
    return task, plan_batch(task, device.type, voxels, fits=lambda batch: fits(task, batch))


def make_plan(
    settings: SearchSettings, space: Space[EncoderDecoder], task: Task, batch: int, data: Fold, device: torch.device
) -> Plan:
    """Time the device for a few seconds, and fit the length of training and the largest network to the budget."""
    # Mirroring takes away the side, by which several structures are often told apart (anterior and posterior
    # hippocampus): in short training that costs far more than the variety gives.
    fitted = Recipe(batch=batch, augmentation=Augmentation(flips=task.classes <= 2))
    template = with_wishes(fitted, settings)
    typical = candidates_of(space, template).typical_recipe
    speed = measure_speed(space, task, typical, data.training, device, settings.seed)
    share = settings.seconds / settings.trials * _TRIAL_SHARE
    as_told = settings.full_size or settings.slim is not None
    limits = Limits(
        settings.max_parameters,
        settings.max_macs,
        settings.max_memory or usable_memory(device),
        None if as_told else share,
    )
    positions = windows_of(data.validation, task.patch) * prod(task.patch)
    plan = Plan(typical, limits, speed, positions)
    anchor = _anchor(space, task)
    if "steps" not in settings.wishes:
        steps = _fitted(plan, anchor, share * _ANCHOR_SHARE)
        template, plan = replace(template, steps=steps), plan.decided(replace(typical, steps=steps))
    limits = limits if as_told else _reachable(plan, anchor)
    return replace(plan, recipe=template, limits=limits)


def with_wishes(recipe: Recipe, settings: SearchSettings) -> Recipe:
    """A recipe with what the user chose, in a recipe file or by an option."""
    return replace(recipe, **settings.wishes)


def describe_plan(plan: Plan, recipe: Recipe, task: Task, settings: SearchSettings) -> list[Note]:
    """The plan in a few lines, for networks that are trained by this recipe."""
    patch, limits = "x".join(str(size) for size in task.patch), plan.limits
    lines = [f"plan: {recipe.steps} steps of {recipe.batch} patches of {patch} for each network"]
    if limits.seconds is not None:
        lines.append(
            f"plan: networks whose trial is predicted to take more than {limits.seconds:.1f} s, their share of the "
            "budget, are not trained (more with --budget)"
        )
        if limits.seconds * settings.trials > settings.seconds * settings.workers:
            lines.append(
                f"warning: {settings.budget} is short for {settings.trials} trials on this machine; "
                "expect longer, or give a longer --budget or fewer --trials"
            )
    return [Note(line) for line in lines]


def describe_recipe(candidates: Candidates) -> list[Note]:
    """What a recipe leaves open, and where its search begins; nothing where it is decided."""
    fields = candidates.recipes.choices()
    if not fields:
        return []
    beside = "for this one network" if candidates.architectures.size() == 1 else "beside the network"
    typical = "the first of its options and the middle of its ranges"
    return [Note(f"recipe: {', '.join(fields)} searched {beside}; published networks have {typical}")]


def announce(entered: Sequence[Entry], left_out: Sequence[str], listener: Listener) -> None:
    """Say which published networks a search begins with."""
    if entered:
        listener(Note(f"published networks first: {'; '.join(entry.name for entry in entered)}"))
    if left_out:
        listener(Note(f"too large for the budget at any width, left out: {'; '.join(left_out)}"))


def _fitted(plan: Plan, anchor: Graph, seconds: float) -> int:
    """As many steps as the anchor can take in a time."""
    step = plan.speed.step_seconds(anchor, plan.recipe.batch)
    validation = plan.seconds(anchor) - step * plan.recipe.steps
    return int(min(max((seconds - validation) / step, _STEPS[0]), _STEPS[1]))


def _reachable(plan: Plan, anchor: Graph) -> Limits:
    """The plan's limits, its seconds raised to what the anchor needs where the budget is too short for it."""
    return replace(plan.limits, seconds=max(plan.limits.seconds or 0, plan.seconds(anchor) * _ROOM))


def _first_member(space: Space[EncoderDecoder], task: Task) -> tuple[EncoderDecoder, Graph]:
    """The first published network of a space, a random one where it has none."""
    if not space.members:
        return next(random_members(space, task, random.Random(0)))
    architecture = space.members[0].architecture
    return architecture, trace(architecture, task)


def _anchor(space: Space[EncoderDecoder], task: Task) -> Graph:
    """The first member, slimmed to a size that a CPU trains in seconds; a random network where there is no member."""
    architecture, graph = _first_member(space, task)
    if not space.members:
        return graph
    while base(architecture) > _ANCHOR_BASE[task.axes] and slim(architecture, 1) != architecture:
        architecture = slim(architecture, 1)
    return trace(architecture, task)
