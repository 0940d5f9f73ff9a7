"""One more worker for a study that a search has made, here or on another machine."""

import os
import signal

import torch

from nas.data import DEFAULT_FOLDER, open_dataset
from nas.errors import InputError, field_named
from nas.network.device import pick_device
from nas.searching.assignments.assigned import assigned_search
from nas.searching.assignments.assignment import read
from nas.searching.distributions import distributions
from nas.searching.evaluators.trained import TrainedEvaluator
from nas.searching.events import Listener, Note, Opened
from nas.searching.loop import Search, work
from nas.searching.references import Entry, entries
from nas.searching.settings import DEFAULT_STRATEGY
from nas.searching.setup.ground import Ground, find_ground
from nas.searching.setup.loading import checked_data, expect_same_data, options_of
from nas.searching.setup.spaces import space_of
from nas.searching.strategies import Strategy, proposers
from nas.searching.strategies.counted import Counted
from nas.searching.strategies.halving import Halving
from nas.searching.strategies.learnt import Learnt
from nas.searching.strategies.own import Own
from nas.searching.strategies.proposers import PROPOSERS
from nas.searching.strategies.published import PublishedFirst
from nas.study.history import Document
from nas.study.optuna import project
from nas.study.protocol import Orphaned
from nas.study.sql.study import SqlStudy


def join(
    study: SqlStudy,
    *,
    space: str | None = None,
    data: str | None = None,
    device: str | None = None,
    cache: str = str(DEFAULT_FOLDER),
    lease: float,
    trials: int | None = None,
    listener: Listener,
    starter: int | None = None,
    assignment: int | None = None,
) -> None:
    """Work on a study until as many networks are trained as are wanted.

    Args:
        study: which one.
        space: its space, where that is a file; code is loaded from what the user names, never from the database.
        data: its data, where they lie elsewhere on this machine.
        device: where to train.
        cache: the folder for preprocessed data.
        lease: seconds without a sign of life after which another worker is taken for dead.
        trials: how many networks are wanted in all; by default what the study says.
        listener: hears what happens.
        starter: the number of the process that started this one, after it had compared the data with the study's. This
            one stops when that one has ended.
        assignment: the number of runs that are wanted beside the search, to work for them instead.

    Raises:
        InputError: space or data are not the study's.
        KeyboardInterrupt: stopped; the trial in hand waits for another worker.
    """
    settings, named = study.settings, space_of(study.settings, space)
    wanted = trials or study.wanted()
    if not wanted and assignment is None:
        raise InputError(
            f"study {study.name!r} does not say how many networks are wanted; give {field_named('trials')}"
        )
    dataset = open_dataset(data or settings.data_source, options_of(settings))
    if starter is None:
        expect_same_data(settings, checked_data(dataset, listener))
    where = pick_device(device)
    if assignment is None:
        ground = find_ground(settings, named, dataset, cache, where, listener)
        search = prepared_search(study, ground, where, wanted, listener)
    else:
        search = assigned_search(study, read(study, assignment), named, dataset, cache, where, listener)
    listener(Note(f"study {study.name!r}: working for it on {where}"))
    listener(Opened(study, wanted))
    orphaned = None if starter is None else Orphaned(starter, lambda: os.kill(os.getpid(), signal.SIGTERM))
    work(search, device=str(where), lease=lease, orphaned=orphaned)


LESSONS, INHERIT = "lessons", "inherit"
"""In a study's plan: decisions that earlier studies have taught, and whether weights are inherited."""
_EACH_FAMILY = 11
"""So many published networks enter wherever trials allow: the first of each family of `unet_family`, in turn."""


def prepared_search(study: SqlStudy, ground: Ground, device: torch.device, wanted: int, listener: Listener) -> Search:
    """What a worker of a study does: published networks, then what the strategy proposes, trained on the device."""
    evaluator = TrainedEvaluator(ground, device, tuple(study.settings.rungs), study.clock, study.settings.goals)
    entered, _ = published_entries(ground, wanted)
    return Search(
        study=study,
        strategy=_strategy(study, ground, evaluator, entered, wanted),
        evaluator=evaluator,
        wanted=wanted,
        space_digest=ground.candidates.architectures.digest(),
        hear=listener,
        schedule=ground.plan.schedule,
        project=lambda finished: project(study, lambda d: distributions(ground.candidates, d), finished=finished),
        inherit=study.settings.plan.get(INHERIT, False),
    )


def published_entries(ground: Ground, wanted: int) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The published networks that a search begins with, and the names of those that fit at no width."""
    schedule = ground.plan.schedule
    if schedule is not None:
        wanted = min(wanted, schedule.survivors[0])
    typical = ground.candidates.typical_recipe
    return entries(
        ground.candidates.architectures,
        ground.task,
        ground.plan.decided(typical).fits,
        begins=(lambda graph: ground.pretrained.fits(typical, graph)) if typical.pretrained else None,
        full_size=ground.reference is not None or ground.full_size,
        most=max(wanted // 2, min(_EACH_FAMILY, wanted - 1), 1),
    )


def _strategy(
    study: SqlStudy, ground: Ground, evaluator: TrainedEvaluator, entered: tuple[Entry, ...], wanted: int
) -> Strategy:
    def identify(decisions: Document) -> tuple[str | None, str | None]:
        description = evaluator.describe(decisions)
        return description.digest, description.recipe_digest

    goals = study.settings.goals
    name = study.settings.plan.get("strategy", DEFAULT_STRATEGY)
    proposing = PROPOSERS[name](proposers.Ground(ground.candidates, goals, identify, study.settings.seed))
    learnt = Learnt(proposing, study.settings.plan.get(LESSONS, ()))
    counted = Counted(PublishedFirst(learnt, ground.candidates, entered), wanted)
    schedule = ground.plan.schedule
    return Own(counted if schedule is None else Halving(counted, schedule, goals))
