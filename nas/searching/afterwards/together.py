"""The finalists of a search as one: what averaging their probabilities is worth."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from nas.errors import InputError, field_named
from nas.model import TrainedModel, ensemble
from nas.searching.model import trained_model
from nas.searching.opened import OpenedStudy
from nas.searching.schedule import FINALISTS
from nas.searching.setup.ground import Ground
from nas.study.history import History, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.settings import TOGETHER, StudySettings
from nas.study.sql.study import SqlStudy
from nas.training import Recipe


def finalists(history: History, goals: Sequence[Objective], number: int = FINALISTS) -> list[Trial]:
    """The best networks that were trained to full length, best first."""
    return [trial for trial in ranked(history, goals) if trial.state is State.COMPLETE][:number]


def better_together(history: History, settings: StudySettings) -> tuple[int, ...]:
    """The finalists whose mean did better than each of them, best first; empty where none did."""
    known = settings.together
    if known is None or len(settings.goals) > 1:
        return ()
    chosen = finalists(history, settings.goals, len(known["trials"]))
    if [trial.number for trial in chosen] != known["trials"]:
        return ()
    return tuple(known["trials"]) if known["dice"] > chosen[0].values.get("dice", 1.0) else ()


def best_of(opened: OpenedStudy, number: int) -> list[int]:
    """The trials of the best so many networks that were trained to full length.

    Raises:
        InputError: fewer were.
    """
    chosen = finalists(opened.history, opened.study.settings.goals, number)
    if len(chosen) < number:
        raise InputError(
            f"{field_named('top')}: found {number}, but study {opened.study.name!r} has {len(chosen)} networks that "
            "were trained to full length; give fewer, or let the search go on"
        )
    return [trial.number for trial in chosen]


def model_of(opened: OpenedStudy, number: int) -> TrainedModel:
    """The mean of the best so many networks that were trained to full length.

    Raises:
        InputError: fewer were, or they look at images differently.
    """
    numbers = best_of(opened, number)
    model = ensemble([trained_model(opened.trial(trial)) for trial in numbers])
    known = opened.study.settings.together or {}
    dice = {"dice": known["dice"]} if known.get("trials") == numbers else {}
    about = {name: value for name, value in model.provenance.items() if name != "dice"}
    return replace(model, provenance=about | dice)


def score_together(study: SqlStudy, ground: Ground, device: torch.device) -> None:
    """Segment the validation cases by the finalists' mean, and keep its Dice with the study.

    Nothing is done where fewer are trained, where they were scored before, or where they look at images differently.
    """
    opened = OpenedStudy(study)
    numbers = [trial.number for trial in finalists(opened.history, study.settings.goals)]
    if len(numbers) < FINALISTS or (study.settings.together or {}).get("trials") == numbers:
        return
    networks = [opened.trial(number) for number in numbers]
    recipes = [Recipe.from_json(network.recipe) for network in networks]
    if len({recipe.averaged_axes(ground.task.axes) for recipe in recipes}) > 1:
        return
    modules = [network.module().to(device) for network in networks]
    validation = ground.segmented(modules, recipes[0], ground.cases.validation, plan=ground.plan.way)
    study.want(study.wanted(), {TOGETHER: {"trials": numbers, "dice": validation.dice}})
