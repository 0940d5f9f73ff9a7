"""What a worker does that works for an assignment and not for a search."""

import torch

from nas.architecture import EncoderDecoder
from nas.data import Dataset, Preprocessing, open_dataset
from nas.searching.assignments.assignment import Assignment
from nas.searching.evaluators.assigned import AssignedEvaluator
from nas.searching.events import Listener
from nas.searching.loop import Search
from nas.searching.settings import SearchSettings
from nas.searching.setup.folds import Folds
from nas.searching.setup.ground import bare_ground
from nas.searching.setup.loading import checked_data, expect_same_data, options_of, prepared
from nas.searching.strategies.assigned import Assigned
from nas.space import Space
from nas.study.protocol import Study

_ENDLESS = 2**31 - 1
"""More networks than a study has: what is wanted here is runs, and all of them."""


def dataset_of(study: Study, machine: SearchSettings, listener: Listener) -> Dataset:
    """The data of a study, unchanged, where they lie now.

    Raises:
        InputError: they cannot be used, or are not the study's.
    """
    dataset = open_dataset(machine.data or study.settings.data_source, options_of(study.settings))
    expect_same_data(study.settings, checked_data(dataset, listener))
    return dataset


def folds_of(
    study: Study, dataset: Dataset, neighbours: int | None, cache: str, device: torch.device, listener: Listener
) -> Folds:
    """The cases of a study, prepared as it was begun."""
    preprocessing = Preprocessing.from_json(study.settings.plan["preprocessing"])
    data = prepared(dataset, preprocessing, cache, listener)
    return Folds(data, study.settings.held_out, neighbours, device)


def assigned_search(
    study: Study,
    assignment: Assignment,
    space: Space[EncoderDecoder],
    dataset: Dataset,
    cache: str,
    device: torch.device,
    listener: Listener,
) -> Search:
    """What a worker does that works for an assignment."""
    ground = bare_ground(study.settings, space)
    folds = folds_of(study, dataset, ground.slices, cache, device, listener)
    return Search(
        study=study,
        strategy=Assigned(assignment.jobs),
        evaluator=AssignedEvaluator(ground, folds, device, assignment.seconds, study.clock, study.settings.goals),
        wanted=_ENDLESS,
        space_digest=study.settings.space_digest,
        hear=listener,
        takes=assignment.takes,
    )
