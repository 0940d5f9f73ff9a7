"""Which cases train and which validate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas.errors import InputError

FOLDS = 5
SEED = 12345
"""nnU-Net's, for its `KFold(5, shuffle=True, random_state=12345)`."""


@dataclass(frozen=True)
class Split:
    """The names of the cases of one fold, each part sorted; none is in both."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


def split(names: Iterable[str], fold: int = 0, folds: int = FOLDS) -> Split:
    """nnU-Net's split of the cases, so that results compare with its own.

    It is scikit-learn's `KFold(folds, shuffle=True, random_state=12345)` over the sorted names. With fewer cases than
    folds, there are as many folds as cases. InputError for a fold out of range, for a name given twice and for fewer
    than two cases.
    """
    ordered = sorted(names)
    if len(set(ordered)) < len(ordered):
        raise InputError("cases: a name occurs twice; expected every case to have a name of its own")
    if len(ordered) < 2:
        raise InputError(f"cases: found {len(ordered)}; expected at least 2, one to train on and one to validate")
    if folds < 2:
        raise InputError(f"folds: found {folds}; expected at least 2")
    folds = min(folds, len(ordered))
    if not 0 <= fold < folds:
        raise InputError(f"fold: found {fold}; expected 0 to {folds - 1} with {len(ordered)} cases")
    shuffled = np.arange(len(ordered))
    np.random.RandomState(SEED).shuffle(shuffled)  # the older generator, whose numbers never change
    validating = set(np.array_split(shuffled, folds)[fold].tolist())  # the first parts are the larger ones, as there
    return Split(
        tuple(name for place, name in enumerate(ordered) if place not in validating),
        tuple(name for place, name in enumerate(ordered) if place in validating),
    )


def split_groups(groups: Mapping[str, str], fold: int, declared: Sequence[Split] = ()) -> Split:
    """The split of named cases that keeps groups together: a declared one, else nnU-Net's over the groups' names.

    Args:
        groups: the group of every case, by the case's name.
        fold: counted from 0.
        declared: the folds that came with the data, in cases or in groups.

    Raises:
        InputError: there is no such fold, or all cases belong to one group.
    """
    if declared and not 0 <= fold < len(declared):
        raise InputError(
            f"fold: found {fold}; expected 0 to {len(declared) - 1}, as the data bring {len(declared)} folds"
        )
    if not declared and len(set(groups.values())) < 2:
        raise InputError("cases: all belong to one patient; expected at least 2, one to train on and one to validate")
    chosen = declared[fold] if declared else split(set(groups.values()), fold)

    def members(part: tuple[str, ...]) -> tuple[str, ...]:
        wanted = set(part)
        return tuple(sorted(name for name, group in groups.items() if name in wanted or group in wanted))

    return Split(members(chosen.training), members(chosen.validation))


def crossing_groups(groups: Mapping[str, str], declared: Sequence[Split], source: str) -> Iterator[str]:
    """A line for each group that folds which came with the data have on both sides."""
    for fold, parts in enumerate(declared):
        training = {groups[name] for name in parts.training if name in groups}
        validation = {groups[name] for name in parts.validation if name in groups}
        for group in sorted(training & validation):
            yield (
                f"{source}: fold {fold}: group {group} trains and validates; move its cases to one side, or take the "
                "folds out"
            )
