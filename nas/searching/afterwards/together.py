"""The finalists of a search as one: what averaging their probabilities is worth."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from nas.errors import InputError, field_named
from nas.model import TrainedModel, ensemble
from nas.searching.model import trained_model
from nas.searching.opened import OpenedStudy
from nas.searching.setup.ground import Ground
from nas.study.history import History, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.sql.study import SqlStudy
from nas.training import Recipe, validate

TOGETHER = "together"
"""Under which name a study's plan keeps how good its finalists are together."""
FINALISTS = 2
"""Networks that are averaged: each costs as much again where the result is used."""


def finalists(history: History, goals: Sequence[Objective], number: int = FINALISTS) -> list[Trial]:
    """The best networks that were trained to full length, best first."""
    return [trial for trial in ranked(history, goals) if trial.state is State.COMPLETE][:number]


def model_of(opened: OpenedStudy, number: int) -> TrainedModel:
    """The mean of the best so many networks that were trained to full length.

    Raises:
        InputError: fewer were, or they look at images differently.
    """
    chosen = finalists(opened.history, opened.study.settings.goals, number)
    if len(chosen) < number:
        raise InputError(
            f"{field_named('top')}: found {number}, but study {opened.study.name!r} has {len(chosen)} networks that "
            "were trained to full length; give fewer, or let the search go on"
        )
    numbers = [trial.number for trial in chosen]
    model = ensemble([trained_model(opened.trial(trial)) for trial in numbers])
    known = opened.study.settings.plan.get(TOGETHER) or {}
    dice = {"dice": known["dice"]} if known.get("trials") == numbers else {}
    about = {name: value for name, value in model.provenance.items() if name != "dice"}
    return replace(model, provenance=about | dice)


def score_together(study: SqlStudy, ground: Ground, device: torch.device) -> None:
    """Segment the validation cases by the finalists' mean, and keep its Dice with the study.

    Nothing is done where fewer are trained, where they were scored before, or where they look at images differently.
    """
    chosen = finalists(study.history(), study.settings.goals)
    numbers = [trial.number for trial in chosen]
    known = study.settings.plan.get(TOGETHER) or {}
    recipes = [Recipe.from_json(OpenedStudy(study).trial(number).recipe) for number in numbers]
    axes = {recipe.averaged_axes(ground.task.axes) for recipe in recipes}
    if len(chosen) < FINALISTS or known.get("trials") == numbers or len(axes) > 1:
        return
    networks = [OpenedStudy(study).trial(number).module().to(device) for number in numbers]
    validation = validate(
        networks,
        ground.cases.validation,
        plan=ground.plan.way,
        window=ground.plan.window,
        targets=ground.cases.targets,
        mirrored=axes.pop(),
    )
    study.want(study.wanted(), {TOGETHER: {"trials": numbers, "dice": validation.dice}})
