"""Networks whose probabilities are averaged, scored on the cases of runs that each of them was trained as."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

import torch

from nas.searching.afterwards.contest import Entrant
from nas.searching.afterwards.measured import Values
from nas.searching.afterwards.together import validated_together
from nas.searching.assignments.assignment import read_key
from nas.searching.opened import TrainedNetwork
from nas.searching.setup.folds import Folds
from nas.searching.setup.ground import Ground
from nas.study.history import Document, History, Run, RunKey, State
from nas.study.protocol import Study
from nas.study.sql.study import SqlStudy

AVERAGE = "average"
"""The kind of line in a study's journal: the trials and the run that were averaged, and the Dice of each case."""


def lacking(study: Study, entrants: Sequence[Entrant], keys: Sequence[RunKey]) -> list[tuple[Entrant, RunKey]]:
    """The averages that could be scored, but were not yet."""
    history, scored = study.history(), _scored(study)
    wanted = [(entrant, key) for key in keys for entrant in entrants]
    return [which for which in wanted if which not in scored and _runs(history, *which)]


def score_average(
    study: SqlStudy, entrant: Entrant, key: RunKey, ground: Ground, folds: Folds, device: torch.device
) -> None:
    """Segment the cases of a run by the mean of several networks, each so trained, and keep the Dice of each case.

    Args:
        study: which has the runs.
        entrant: the trials whose networks are averaged.
        key: the runs, complete.
        ground: of the study, without cases.
        folds: which has them.
        device: where to segment.
    """
    history = study.history()
    runs = _runs(history, entrant, key)
    networks = [TrainedNetwork(study, history.by_number[run.trial], run) for run in runs]
    there = replace(ground, cases=folds.of(key), fold=key.fold)
    validation = validated_together(networks, there, device)
    cases = {name: [None if math.isnan(value) else value for value in values] for name, values in validation.cases}
    study.write_down(AVERAGE, {"trials": list(entrant), "key": asdict(key), "cases": cases})


def averaged_values(study: Study, entrant: Entrant, keys: Sequence[RunKey]) -> dict[RunKey, Values]:
    """The Dice of an average, as `measured_values` has it of one network."""
    scored = _scored(study)
    return {key: dict(_values(scored[entrant, key])) for key in keys if (entrant, key) in scored}


def _runs(history: History, entrant: Entrant, key: RunKey) -> list[Run]:
    """The complete runs of all networks; none where one lacks."""
    runs = [run for number in entrant for run in history.by_number[number].runs if run.key == key]
    complete = [run for run in runs if run.state is State.COMPLETE]
    return complete if len(complete) == len(entrant) else []


def _scored(study: Study) -> dict[tuple[Entrant, RunKey], Document]:
    lines = [line.content for line in study.journal(AVERAGE)]
    return {(tuple(line["trials"]), read_key(line["key"])): line["cases"] for line in lines}


def _values(cases: Document) -> Iterator[tuple[str, Mapping[int, float]]]:
    for case, values in cases.items():
        yield case, {number: math.nan if value is None else value for number, value in enumerate(values, 1)}
