"""The finalists of a search as one: what averaging their probabilities is worth."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from nas.errors import InputError, field_named
from nas.model import TrainedModel, ensemble
from nas.searching.model import trained_model
from nas.searching.opened import OpenedStudy, TrainedNetwork
from nas.searching.schedule import FINALISTS
from nas.searching.setup.ground import Ground
from nas.study.history import History, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.settings import TOGETHER, StudySettings
from nas.study.sql.study import SqlStudy
from nas.training import Recipe, Validation


def finalists(history: History, goals: Sequence[Objective], number: int = FINALISTS) -> list[Trial]:
    """The best networks that were trained to full length, best first."""
    return [trial for trial in ranked(history, goals) if trial.state is State.COMPLETE][:number]


def better_together(history: History, settings: StudySettings) -> tuple[int, ...]:
    """The finalists whose mean did better than each of them, best first; empty where none did."""
    chosen = finalists(history, settings.goals)
    numbers = tuple(trial.number for trial in chosen)
    dice = settings.dice_together(numbers)
    if dice is None or len(settings.goals) > 1:
        return ()
    return numbers if dice > chosen[0].values.get("dice", 1.0) else ()


def best_of(opened: OpenedStudy, number: int) -> list[Trial]:
    """The best so many networks that were trained to full length.

    Raises:
        InputError: fewer were.
    """
    chosen = finalists(opened.history, opened.study.settings.goals, number)
    if len(chosen) < number:
        raise InputError(
            f"{field_named('top')}: found {number}, but study {opened.study.name!r} has {len(chosen)} networks that "
            "were trained to full length; give fewer, or let the search go on"
        )
    return chosen


def model_of(opened: OpenedStudy, number: int) -> TrainedModel:
    """The mean of the best so many networks that were trained to full length.

    Raises:
        InputError: fewer were, or they look at images differently.
    """
    chosen = best_of(opened, number)
    model = ensemble([trained_model(TrainedNetwork(opened.study, trial)) for trial in chosen])
    dice = opened.study.settings.dice_together([trial.number for trial in chosen])
    about = {name: value for name, value in model.provenance.items() if name != "dice"}
    return replace(model, provenance=about | ({} if dice is None else {"dice": dice}))


def validated_together(networks: Sequence[TrainedNetwork], ground: Ground, device: torch.device) -> Validation:
    """The validation cases of a ground, segmented by the mean of networks that look at images alike."""
    modules = [network.module().to(device) for network in networks]
    recipe = Recipe.from_json(networks[0].recipe)
    return ground.segmented(modules, recipe, ground.cases.validation, plan=ground.plan.way)


def score_together(study: SqlStudy, ground: Ground, device: torch.device) -> None:
    """Segment the validation cases by the finalists' mean, and keep its Dice with the study.

    Nothing is done where fewer are trained, where they were scored before, or where they look at images differently.
    """
    chosen = finalists(study.history(), study.settings.goals)
    numbers = [trial.number for trial in chosen]
    if len(numbers) < FINALISTS or study.settings.dice_together(numbers) is not None:
        return
    networks = [TrainedNetwork(study, trial) for trial in chosen]
    if len({Recipe.from_json(network.recipe).averaged_axes(ground.task.axes) for network in networks}) > 1:
        return
    dice = validated_together(networks, ground, device).dice
    study.want(study.wanted(), {TOGETHER: {"trials": numbers, "dice": dice}})
