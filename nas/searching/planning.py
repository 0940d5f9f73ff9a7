"""Fitting a search to its machine and budget: length of training, largest network, references of that size."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from nas.architecture import EncoderDecoder, slim
from nas.graph import Graph, Task, trace
from nas.searching.events import Listener, Note
from nas.searching.limits import Gate, Limits
from nas.searching.references import Entry, base, entries
from nas.searching.settings import SearchSettings
from nas.searching.timing import Speed, measure_speed
from nas.space import Space
from nas.training import Recipe, Sample

_TRIAL_SHARE = 0.75
"""Of a trial's share of the budget, what training and validation may take; the rest is for proposals and start-up."""
_ANCHOR_SHARE = 0.6
"""Of that, what the first member takes when it is this small, so that most networks of its kind and size fit."""
_ANCHOR_BASE = {2: 16, 3: 4}
_STEPS = (40, 20_000)
_ROOM = 1.2
_BATCH = {2: 4, 3: 2}
_MOST_OF_MEMORY = 0.7


@dataclass(frozen=True)
class Plan:
    """What was fitted to the machine when a study began; fixed from then on, so that its trials compare."""

    recipe: Recipe
    limits: Limits
    speed: Speed
    positions: int

    @property
    def gate(self) -> Gate:
        """What decides which networks are trained."""
        return Gate(self.limits, self.recipe, self.speed, self.positions)

    def references(
        self, space: Space[EncoderDecoder], task: Task, *, full_size: bool, most: int
    ) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
        """The published networks that enter, at most so many, and the names of those too large at any width."""
        return entries(space, task, self.fits, full_size=full_size, most=most)

    def fits(self, graph: Graph) -> bool:
        """Whether a network is within all limits."""
        return self.gate.reason(graph) is None

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON, the recipe aside, which a study keeps by itself."""
        return {"limits": self.limits.to_json(), "speed": self.speed.to_json(), "positions": self.positions}

    @staticmethod
    def from_json(recipe: Mapping[str, Any], document: Mapping[str, Any]) -> "Plan":
        """The plan that `to_json` wrote."""
        limits, speed = Limits(**document["limits"]), Speed(**document["speed"])
        return Plan(Recipe.from_json(dict(recipe)), limits, speed, document["positions"])


def make_plan(
    settings: SearchSettings,
    space: Space[EncoderDecoder],
    task: Task,
    training: Sequence[Sample],
    validation: Sequence[Sample],
    device: torch.device,
) -> Plan:
    """Time the device for a few seconds, and fit the length of training and the largest network to the budget."""
    # Mirroring takes away the side, by which several structures are often told apart (anterior and posterior
    # hippocampus): in short training that costs far more than the variety gives.
    recipe = with_wishes(Recipe(batch=_BATCH[task.axes], flips=task.classes <= 2), settings)
    speed = measure_speed(space, task, recipe, training, device, settings.seed)
    share = settings.seconds / settings.trials * _TRIAL_SHARE
    limits = Limits(
        settings.max_parameters,
        settings.max_macs,
        settings.max_memory or _free_memory(device),
        None if settings.full_size else share,
    )
    plan = Plan(recipe, limits, speed, sum(sample.label.numel() for sample in validation))
    if settings.steps is None:
        plan = replace(plan, recipe=_fitted(plan, space, task, share * _ANCHOR_SHARE))
    return plan if settings.full_size else replace(plan, limits=_reachable(plan, space, task))


def with_wishes(recipe: Recipe, settings: SearchSettings) -> Recipe:
    """A recipe with what the user chose."""
    chosen = {name: getattr(settings, name) for name in ("steps", "batch", "learning_rate")}
    return replace(recipe, **{name: value for name, value in chosen.items() if value is not None})


def describe_plan(plan: Plan, task: Task, settings: SearchSettings) -> list[Note]:
    """The plan in a few lines."""
    patch = "x".join(str(size) for size in task.patch)
    recipe, limits = plan.recipe, plan.limits
    lines = [f"plan: {recipe.steps} steps of {recipe.batch} patches of {patch} for each network"]
    if limits.seconds is not None:
        lines.append(
            f"plan: networks whose trial is predicted to take more than {limits.seconds:.1f} s, their share of the "
            "budget, are not trained (more with --budget)"
        )
        if limits.seconds * settings.trials > settings.seconds:
            lines.append(
                f"warning: {settings.budget} is short for {settings.trials} trials on this machine; "
                "expect longer, or give a longer --budget or fewer --trials"
            )
    return [Note(line) for line in lines]


def announce(entered: Sequence[Entry], left_out: Sequence[str], listener: Listener) -> None:
    """Say which published networks a search begins with."""
    if entered:
        listener(Note(f"published networks first: {'; '.join(entry.name for entry in entered)}"))
    if left_out:
        listener(Note(f"too large for the budget at any width, left out: {'; '.join(left_out)}"))


def _fitted(plan: Plan, space: Space[EncoderDecoder], task: Task, seconds: float) -> Recipe:
    """The plan's recipe with as many steps as the anchor can take in a time."""
    graph = trace(_anchor(space, task.axes), task)
    step = plan.speed.step_seconds(graph, plan.recipe.batch)
    validation = plan.gate.seconds(graph) - step * plan.recipe.steps
    steps = int(min(max((seconds - validation) / step, _STEPS[0]), _STEPS[1]))
    return replace(plan.recipe, steps=steps)


def _reachable(plan: Plan, space: Space[EncoderDecoder], task: Task) -> Limits:
    """The plan's limits, its seconds raised to what a small network needs where the budget is too short for any."""
    small = plan.gate.seconds(trace(_anchor(space, task.axes), task))
    return replace(plan.limits, seconds=max(plan.limits.seconds or 0, small * _ROOM))


def _anchor(space: Space[EncoderDecoder], axes: int) -> EncoderDecoder:
    """The first member, slimmed to a size that a CPU trains in seconds; a random network where there is no member."""
    if not space.members:
        return space.decide(random.Random(0))
    architecture = space.members[0].architecture
    while base(architecture) > _ANCHOR_BASE[axes] and slim(architecture, 1) != architecture:
        architecture = slim(architecture, 1)
    return architecture


def _free_memory(device: torch.device) -> int:
    """Bytes that training may use: most of what the device, or the machine, has free."""
    if device.type == "cuda":
        return round(torch.cuda.mem_get_info(device)[0] * _MOST_OF_MEMORY)
    import psutil

    return round(psutil.virtual_memory().available * _MOST_OF_MEMORY)
