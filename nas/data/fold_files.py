"""Folds in a file, as nnU-Net's splits_final.json has them: [{"train": ["a", "b"], "val": ["c"]}]."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from nas.data.json_files import read_json, shortened
from nas.data.splits import Split
from nas.errors import InputError


def read_splits(path: Path) -> tuple[Split, ...]:
    """The folds in a file.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    content = read_json(path)
    if not isinstance(content, list) or not content:
        raise InputError(f'{path}: found {shortened(content)}; expected a list of folds, [{{"train": [], "val": []}}]')
    return tuple(_fold(path, number, entry) for number, entry in enumerate(content))


def splits_of(path: Path, names: Collection[str]) -> tuple[Split, ...]:
    """The folds in a file, of a data set with cases of these names.

    Raises:
        InputError: it cannot be read, or names other cases.
    """
    splits = read_splits(path)
    expect_known(splits, names, str(path))
    return splits


def expect_known(splits: Sequence[Split], names: Collection[str], source: str) -> None:
    """Refuse folds of cases that are not in the data set, and cases on both sides.

    Raises:
        InputError: says which.
    """
    for number, split in enumerate(splits):
        unknown = sorted({*split.training, *split.validation} - set(names))
        if unknown:
            raise InputError(
                f"{source}: fold {number}: case {unknown[0]} is not in the data set; add it or take it out"
            )
        both = sorted(set(split.training) & set(split.validation))
        if both:
            raise InputError(
                f"{source}: fold {number}: case {both[0]} trains and validates; expected it in one of them"
            )


def _fold(path: Path, number: int, entry: Any) -> Split:
    parts = [entry.get(key) for key in ("train", "val")] if isinstance(entry, dict) else []
    lists = [part for part in parts if isinstance(part, list) and part]
    if len(lists) != 2:
        raise InputError(f"{path}: fold {number}: found {shortened(entry)}; expected cases under 'train' and 'val'")
    training, validation = (tuple(sorted(map(str, part))) for part in lists)
    return Split(training, validation)
