"""Fitting a search to its machine and budget: length of training, largest network, references of that size."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import torch

from nas.architecture import EncoderDecoder, slim
from nas.clock import SYSTEM
from nas.data import PreparedDataset
from nas.errors import InputError, field_named
from nas.graph import Graph, Task, trace
from nas.searching.candidates import Candidates, candidates_of, random_members
from nas.searching.events import Listener, Note
from nas.searching.references import MOST_RUNGS, Entry, entries
from nas.searching.schedule import Schedule
from nas.searching.settings import SearchSettings
from nas.searching.setup.loading import Fold, usable_memory
from nas.searching.setup.search_plan import Limits, SearchPlan, memory
from nas.searching.setup.slots import memory_each
from nas.searching.setup.timing import TIMING_SHARE, measure_speed
from nas.space import Space
from nas.training import Augmentation, Recipe, Sample, Window, largest_image, plan_batch, plan_task
from nas.training.patches import SMALLEST_BATCH

_TRIAL_SHARE = 0.97
"""Of a trial's share of the budget, what it takes from beginning to end; the rest is for what lies between trials."""
_FEWEST_IN_A_MINUTE = {2: 700, 3: 430}
"""Fewest steps of a training of a minute, by axes; patches of volumes show more each.

In 2D, in 50 s, U-Nets of base 16 made 722, 833 and 1,048 steps on heart, retina and membranes and had 0.863, 0.765 and
0.816, those of base 24 made 376, 449 and 521 and had 0.817, 0.754 and 0.796.
"""
_GROWTH = {2: 0.95, 3: 0.6}
"""With which power of its seconds they grow, by axes: more time makes a training longer, and its network wider.

On the heart, in 480 s of a core, a U-Net of base 16 made 4,729 steps of four slices and had 0.902, one of base 24 made
2,686 and had 0.896; on the retina, in 282 s of two cores, 4,882 steps and 0.791, and 2,801 and 0.780.
"""
_STARTING = 6.0
"""Seconds in which further processes start: they import torch, and load the cases."""
_TOGETHER = 0.02
"""Of a search's time, what scoring its finalists together takes at its end, as long as validation is nearly free."""
_NARROWEST = 0.5
"""Of the steps that the narrowest network makes, how many are enough: else a slow machine would train no other one."""
_FEWEST_OF_ALL = 20
"""Steps in which nothing can be learnt."""
_FEWEST_AT_A_RUNG = 100
"""Steps to the first rung: after half as many, networks of the hippocampus stood as chance had it."""
_NEARLY_FREE = 0.03
"""The share of a trial that validation may cost, for the sake of windows that overlap by half or of mirrored images."""
_SPARSE = 0.25
"""Their overlap where that costs more and whole images take too much memory."""
_BRIEF_SHARE = 0.1
"""Of the time at the first rung, what scoring a network there may cost."""
_FEWEST_CASES = 6
"""Cases that a network is scored on at least."""
_MOST_EPOCHS = 256
_WARM_UP = 0.3
"""Of the first rung, what the learning rate takes to rise: networks that are still warming up tell nothing."""
_IMAGES_AT_ONCE = 4
_ROOM = 1.05


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
    settings: SearchSettings,
    space: Space[EncoderDecoder],
    task: Task,
    batch: int,
    data: Fold,
    device: torch.device,
    *,
    began: float,
) -> SearchPlan:
    """Time the device for a few seconds, and fit the length of training and the largest network to the budget.

    Raises:
        InputError: the budget is too short for any network to learn anything.
    """
    template = with_wishes(_general(batch), settings)
    plan = _timed(settings, space, task, candidates_of(space, template).typical_recipe, data, device)
    spent = SYSTEM.steady() - began + _beside(settings)
    plan = _of_length(plan, settings, spent)
    smallest = _smallest(space, task)
    narrowest = plan.expected_steps(smallest)
    plan = replace(plan, fewest=fewest_steps(plan.seconds_each or 0.0, task.axes, narrowest, plan.rungs[0]))
    likely = _widest(space, task, plan) or smallest
    plan = with_window(plan, likely, task, data)
    template = with_mirroring(template, plan, likely, settings)
    if plan.schedule is not None:
        _expect_enough(plan, smallest, settings, spent)
        plan = replace(plan, brief_cases=_brief_cases(plan, likely, task, data.validation))
        template = _for_rungs(template, plan.rungs, settings)
        if settings.compare == "steps":
            # What the widest one makes in a training's time, all make: none takes longer than is planned.
            steps = max(plan.expected_steps(likely), plan.fewest)
            template = replace(template, steps=steps)
            plan = plan.decided(replace(plan.recipe, steps=steps))
    if settings.inherit and len(plan.rungs) == 1:
        raise InputError(
            f"{field_named('inherit')}: nothing is trained briefly, so that no weights are passed on; leave it out, or "
            f"give a longer {field_named('budget')} and no {field_named('steps')}"
        )
    limits = plan.limits if plan.limits.seconds is None else _reachable(plan, smallest)
    return replace(plan, recipe=template, limits=limits)


def _general(batch: int) -> Recipe:
    """The recipe where the user says nothing.

    Nothing is mirrored. Sides tell structures apart (anterior and posterior hippocampus); where they do not, trainings
    of minutes gain little by it: it took 0.004 from the membranes, and gave retina and nuclei 0.001 at most.
    """
    return Recipe(steps=None, batch=batch, augmentation=Augmentation(flips=False))


def _timed(
    settings: SearchSettings,
    space: Space[EncoderDecoder],
    task: Task,
    typical: Recipe,
    data: Fold,
    device: torch.device,
) -> SearchPlan:
    """What is known once the device was timed: speed, the way of running, and the user's limits."""
    room = settings.max_memory or usable_memory(device)
    speed, way = measure_speed(
        space,
        task,
        typical,
        data.training,
        device,
        settings.seed,
        most=settings.seconds * TIMING_SHARE,
        fits=lambda graph: memory(graph, typical.batch) <= room,
    )
    limits = Limits(settings.max_parameters, settings.max_macs, room, latency=settings.max_latency)
    return SearchPlan(typical, limits, speed, positions=0, way=way.of_any_size)


def _of_length(plan: SearchPlan, settings: SearchSettings, spent: float) -> SearchPlan:
    """The plan with the length of runs, of what `spent` leaves of the budget: a limit but for networks as told."""
    left = max(settings.seconds - spent, settings.seconds * _TRIAL_SHARE / 2)
    if plan.recipe.steps is None:
        schedule = replace(settings.schedule(left), set_up=spent)
        plan = replace(plan, schedule=schedule, seconds_each=schedule.length)
    else:
        plan = replace(plan, seconds_each=left * settings.at_once / settings.wanted * _TRIAL_SHARE)
    if settings.full_size or settings.slim is not None:
        return plan
    return replace(plan, limits=replace(plan.limits, seconds=plan.seconds_each))


def _beside(settings: SearchSettings) -> float:
    """Seconds of a search that none of its runs takes."""
    starting = _STARTING if settings.at_once > 1 else 0.0
    return starting + (_TOGETHER * settings.seconds if settings.trials != 1 else 0.0)


def fewest_steps(seconds: float, axes: int, narrowest: int, first: float) -> int:
    """Steps that a training has to make: a wider network would make fewer, and have learnt less.

    Args:
        seconds: how long it is.
        axes: of the patches.
        narrowest: what the narrowest network makes in that time.
        first: the share of the training after which networks are compared.
    """
    power = 0.5 if seconds < 60 else _GROWTH[axes]
    enough = _FEWEST_IN_A_MINUTE[axes] * math.pow(seconds / 60, power)
    compared = _FEWEST_AT_A_RUNG / first if first < 1 else _FEWEST_OF_ALL
    return round(max(min(enough, _NARROWEST * narrowest), compared))


def _for_rungs(recipe: Recipe, rungs: Sequence[float], settings: SearchSettings) -> Recipe:
    """A recipe whose epochs end where the rungs do, and whose learning rate has risen long before the first of them."""
    first = rungs[0]
    fitted: dict[str, Any] = {
        "epochs": min(max(round(1 / first), recipe.epochs), _MOST_EPOCHS),
        "warm_up": min(_WARM_UP * first, recipe.warm_up) if len(rungs) > 1 else recipe.warm_up,
    }
    return replace(recipe, **{name: value for name, value in fitted.items() if name not in settings.wishes})


def _brief_cases(plan: SearchPlan, graph: Graph, task: Task, cases: Sequence[Sample]) -> int:
    """On how many cases networks are scored at the first rung, so that it costs a small share of it."""
    assert plan.schedule is not None
    assert plan.brief_window is not None
    brief = replace(plan, positions=plan.brief_window.positions(cases, task)).decided(
        replace(plan.recipe, mirrored=False)
    )
    validation = plan.speed.step_seconds(graph, plan.recipe.batch) * brief.validation_steps(graph)
    affordable = _BRIEF_SHARE * plan.schedule.first / max(validation / len(cases), 1e-9)
    return min(max(int(affordable), _FEWEST_CASES), len(cases))


def with_window(plan: SearchPlan, graph: Graph, task: Task, data: Fold) -> SearchPlan:
    """The plan with what a validation looks through: whole images, where there is memory for them.

    In volumes it is windows as in training where they cost next to nothing, but before the last rung.
    """
    patches, whole, sparse = Window(task.patch), Window(), Window(task.patch, _SPARSE)
    largest = _IMAGES_AT_ONCE * largest_image(data.validation) / prod(task.patch) * graph.training_bytes
    quick = whole if plan.limits.memory is None or largest <= plan.limits.memory else sparse
    careful = replace(plan, positions=patches.positions(data.validation, task), window=patches, brief_window=quick)
    if task.axes == 3 and _is_nearly_free(careful, graph):
        return careful
    return replace(careful, positions=quick.positions(data.validation, task), window=quick)


def with_mirroring(recipe: Recipe, plan: SearchPlan, graph: Graph, settings: SearchSettings) -> Recipe:
    """A recipe whose validation averages over mirrored images, where patches are mirrored and it costs next to nothing.

    `plan` has the recipe with all choices made.
    """
    mirrored = plan.decided(replace(plan.recipe, mirrored=True))
    if "mirrored" in settings.wishes or not mirrored.recipe.averaged_axes(graph.task.axes):
        return recipe
    return replace(recipe, mirrored=True) if _is_nearly_free(mirrored, graph) else recipe


def _is_nearly_free(plan: SearchPlan, graph: Graph) -> bool:
    """Whether validation by this plan costs next to nothing of a trial."""
    step = plan.speed.step_seconds(graph, plan.recipe.batch)
    return step * plan.validation_steps(graph) <= _NEARLY_FREE * (plan.seconds_each or 0.0)


def _expect_enough(plan: SearchPlan, graph: Graph, settings: SearchSettings, spent: float) -> None:
    """Refuse a budget in which even the smallest network makes too few steps to learn anything."""
    steps = plan.expected_steps(graph)
    if steps >= _FEWEST_OF_ALL or (plan.seconds_each or 0.0) <= 0:
        return
    step = plan.speed.step_seconds(graph, plan.recipe.batch)
    needed = step * (2 * _FEWEST_OF_ALL + plan.validation_steps(graph))
    needed *= settings.seconds / (plan.seconds_each or 1.0) / _TRIAL_SHARE
    raise InputError(
        f"{field_named('budget')}: in {settings.time} the smallest network makes {steps} steps a trial, of which "
        f"nothing can be learnt; give at least {_rounded(needed + spent)}, or fewer {field_named('trials')}"
    )


def _rounded(seconds: float) -> str:
    """A time as a budget is written, rounded up."""
    return f"{math.ceil(seconds / 10) * 10}s" if seconds < 600 else f"{math.ceil(seconds / 60)}m"


def with_wishes(recipe: Recipe, settings: SearchSettings) -> Recipe:
    """A recipe with what the user chose, in a recipe file or by an option."""
    return replace(recipe, **settings.wishes)


def describe_plan(plan: SearchPlan, recipe: Recipe, task: Task, settings: SearchSettings) -> list[Note]:
    """The plan in a few lines, for networks that are trained by this recipe."""
    patch = "x".join(str(size) for size in task.patch)
    spacing = "x".join(f"{step:.3g}" for step in task.spacing or ())
    lines = [f"plan: networks in {task.axes}D see {recipe.batch} patches of {patch} a step, voxels of {spacing} mm"]
    if recipe.steps is not None:
        lines.append(f"plan: {recipe.steps} steps for each network")
    if plan.schedule is not None:
        most = "" if recipe.steps is None else "at most, by these times: "
        lines.append(f"plan: {most}{_in_words(plan.schedule, settings)}")
    elif recipe.steps is None and plan.seconds_each is not None:
        lines.append(
            f"plan: {plan.seconds_each:.0f} s for each network, validation included; {plan.fewest} steps or more"
        )
    if plan.window is not None:
        seen = "whole images at once"
        if plan.window.size is not None:
            seen = f"windows of the patch's size that overlap by {plan.window.overlap:.0%}"
        mirrored = ", averaged over mirrored ones" if recipe.averaged_axes(task.axes) else ""
        lines.append(f"plan: validated on whole cases, through {seen}{mirrored}")
    if plan.limits.seconds is not None and recipe.steps is not None:
        lines.append(
            f"plan: networks whose trial would take more than {plan.limits.seconds:.1f} s, their share of the "
            "budget, are not trained (more with --budget)"
        )
        if plan.schedule is None and plan.limits.seconds * settings.wanted > settings.seconds * settings.at_once:
            lines.append(
                f"warning: {settings.time} is short for {settings.wanted} trials on this machine; "
                "expect longer, or give a longer --budget or fewer --trials"
            )
    return [Note(line) for line in lines]


def _in_words(schedule: Schedule, settings: SearchSettings) -> str:
    """Who is trained how long."""
    first, *others = schedule.survivors
    seconds = [f"{rung * schedule.length:.0f} s" for rung in schedule.rungs]
    if not others:
        return f"{_networks(first)} for {seconds[0]}, validation included"
    lengths = dict(zip(others, seconds[1:], strict=True))  # where as many go on twice, how long they are trained in all
    further = ", ".join(f"the best {number} to {length}" for number, length in lengths.items())
    return f"about {_networks(first)} for {seconds[0]} each, then {further}, validation included"


def _networks(number: int) -> str:
    return "one network" if number == 1 else f"{number} networks"


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


def _reachable(plan: SearchPlan, smallest: Graph) -> Limits:
    """The plan's limits, its seconds raised to what the smallest network needs where the budget is too short for it."""
    return replace(plan.limits, seconds=max(plan.limits.seconds or 0, plan.seconds(smallest) * _ROOM))


def _first_member(space: Space[EncoderDecoder], task: Task) -> tuple[EncoderDecoder, Graph]:
    """The first published network of a space, a random one where it has none."""
    if not space.members:
        return next(random_members(space, task, random.Random(0)))
    architecture = space.members[0].architecture
    return architecture, trace(architecture, task)


def _widest(space: Space[EncoderDecoder], task: Task, plan: SearchPlan) -> Graph | None:
    """The first published network as it will enter, at the width that the plan bears; None where it enters at none."""
    entered, _ = entries(replace(space, members=space.members[:1]), task, plan.fits, full_size=False, most=1)
    return trace(entered[0].architecture, task) if entered else None


def _smallest(space: Space[EncoderDecoder], task: Task) -> Graph:
    """The first published network at its narrowest; a random network where the space has none."""
    if not space.members:
        return _first_member(space, task)[1]
    return trace(slim(space.members[0].architecture, MOST_RUNGS), task)
