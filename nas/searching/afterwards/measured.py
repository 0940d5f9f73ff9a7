"""What runs have measured case by case, as scores that can be compared."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from nas.confirming import Scores
from nas.confirming.statistics import by_group
from nas.study.history import History, Measurement, Run, RunKey, Split, State
from nas.study.settings import StudySettings

ALL = "all"
"""What the mean over all structures is called."""
Values = Mapping[str, Mapping[int, float]]
"""Of each case, the Dice of each structure by its number, which begins with 1."""


class Measuring(Protocol):
    """A study whose measurements can be read."""

    def measurements(self, run: int, metric: str | None = None) -> list[Measurement]:
        """What a run has measured."""
        ...


def structures_of(settings: StudySettings) -> tuple[str, ...]:
    """What a study's networks are scored on: classes, or the regions that they make."""
    described = settings.data_fingerprint
    return tuple(item["name"] for item in described.get("regions") or described["classes"][1:])


def measured_values(study: Measuring, history: History, trial: int, keys: Sequence[RunKey]) -> dict[RunKey, Values]:
    """The Dice that complete runs of a trial have measured, of those that are asked for."""
    runs = (run for run in history.by_number[trial].runs if run.key in keys)
    return {run.key: _values(study, run) for run in runs if run.state is State.COMPLETE}


def unfinished(history: History, trial: int, keys: Sequence[RunKey]) -> str:
    """Why a trial lacks one of its runs, in words."""
    runs = {run.key: run for run in history.by_number[trial].runs}
    bad = next(runs[key] for key in keys if key in runs and runs[key].state is not State.COMPLETE)
    return f"fold {bad.key.fold}, seed {bad.key.seed}: {bad.state} ({_last_line(bad.reason)})"


def scores_of(
    name: str,
    values: Mapping[RunKey, Values],
    keys: Sequence[RunKey],
    structures: Sequence[str],
    groups: Mapping[str, str],
) -> dict[str, Scores] | None:
    """The Dice of runs by structure, and in the mean over structures as `all`; None where no seed has all `keys`.

    Args:
        name: what to call them.
        values: of each run that has any.
        keys: the runs that are wanted, with some seeds.
        structures: what was scored.
        groups: of cases; each its own where it is in none.
    """
    seeds = tuple(dict.fromkeys(key.seed for key in keys))
    complete = [seed for seed in seeds if all(key in values for key in keys if key.seed == seed)]
    if not complete:
        return None
    wanted = [key for key in keys if key.seed in complete]
    folds = {case: key.fold for key in wanted for case in values[key]}
    table = {(key.seed, case): dice for key in wanted for case, dice in values[key].items()}
    cases = tuple(sorted(folds))
    numbers = range(1, len(structures) + 1)
    dice = np.array(
        [[[table[seed, case].get(n, np.nan) for n in numbers] for case in cases] for seed in complete], np.float64
    )  # (seeds, cases, structures)
    whole = np.stack([by_group(of_seed, ("",) * len(structures))[:, 0] for of_seed in dice])
    parts = {structure: dice[:, :, index] for index, structure in enumerate(structures)}
    if len(structures) == 1:
        parts = {}
    place = tuple(folds[case] for case in cases)
    group = tuple(groups.get(case, case) for case in cases)
    return {part: Scores(name, array, cases, place, group) for part, array in {ALL: whole, **parts}.items()}


def _values(study: Measuring, run: Run) -> Values:
    values: dict[str, dict[int, float]] = {}
    for point in study.measurements(run.id, "dice"):
        if point.case is not None and point.class_index is not None:
            values.setdefault(point.case, {})[point.class_index] = point.value
    return values


def is_held_out(key: RunKey) -> bool:
    """Whether a run is scored on held-out cases."""
    return key.split is Split.HOLDOUT


def _last_line(reason: str | None) -> str:
    return (reason or "no reason given").strip().splitlines()[-1]
