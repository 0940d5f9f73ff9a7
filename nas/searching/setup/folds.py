"""The cases of any run, one fold in memory at a time."""

from dataclasses import dataclass, field

import torch

from nas.data import PreparedDataset, slices
from nas.data.splits import FOLDS
from nas.errors import InputError, field_named
from nas.searching.setup.loading import Fold, in_place, load_fold, sliced
from nas.study.history import RunKey, Split
from nas.training.memory import release


@dataclass
class Folds:
    """Loads the cases that a run trains on and is scored on, and lets those of the run before go first.

    Args:
        data: all cases.
        held_out: names of those that were put aside.
        neighbours: of each slice, where volumes are trained on slice by slice.
        device: where they are to be.
    """

    data: PreparedDataset
    held_out: tuple[str, ...]
    neighbours: int | None
    device: torch.device
    _loaded: tuple[tuple[Split, int], Fold] | None = field(default=None, repr=False)

    @property
    def searched(self) -> PreparedDataset:
        """The cases that the search saw."""
        return self.data.without(self.held_out)

    @property
    def number(self) -> int:
        """How many folds there are."""
        data = self.searched
        return len(data.splits) or min(FOLDS, len(set(data.groups.values())))

    def expect(self, folds: int) -> None:
        """Refuse more folds than there are, and folds without a case.

        Raises:
            InputError: says how many there are.
        """
        data, number = self.searched, self.number
        if not 2 <= folds <= number:
            whose = "that came with the data" if data.splits else f"that {len(data.cases)} cases make"
            raise InputError(f"{field_named('folds')}: found {folds}, expected 2 to {number}, the folds {whose}")
        for fold in range(folds):
            parts = data.split(fold)
            if not parts.training or not parts.validation:
                raise InputError(
                    f"{field_named('folds')}: fold {fold} has {len(parts.training)} cases to train on and "
                    f"{len(parts.validation)} to score; give at most {fold}, or begin a study with other folds"
                )

    def of(self, key: RunKey) -> Fold:
        """The cases of a run."""
        place = (key.split, key.fold)
        if self._loaded is None or self._loaded[0] != place:
            self._loaded = None
            release(self.device)
            self._loaded = (place, self._load(key))
        return self._loaded[1]

    def _load(self, key: RunKey) -> Fold:
        searched = self.searched
        seen, slicing = sliced(searched, self.neighbours)
        if key.split in (Split.SEARCH, Split.CONFIRM):
            return load_fold(searched, seen, slicing, key.fold, self.device)
        scored: tuple[str, ...] = self.held_out
        if key.split is Split.ALL:
            seen = self.data if slicing is None else slices(self.data, slicing.axis, slicing.neighbours)
            scored = ()
        return in_place(seen, [case.name for case in seen.cases], self.data, scored, slicing, self.device)
