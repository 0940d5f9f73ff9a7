"""The classes of a data set, and the values that stand for them in its label files."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Region
from nas.data.labelled import IGNORED
from nas.data.names import is_printable
from nas.errors import InputError

LARGEST = 255  # classes; their indices are stored in a byte, whose last value is IGNORED
IGNORE = "ignore"  # the name that nnU-Net gives to voxels of unknown class
BACKGROUND = 0
"""The value of what belongs to no structure."""

Complaint: TypeAlias = Callable[[str, str], InputError]
"""Makes an error of what was found and what was expected."""


@dataclass(frozen=True)
class LabelGroup:
    """Label values that are one class, and its name."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Labels:
    """The classes in declared order, the background first, and the values each has in the label files.

    Regions overlap, classes do not: a data set that declares regions has a class for each part that its regions share.
    """

    classes: tuple[str, ...]
    values: tuple[tuple[int, ...], ...]
    ignored: int | None = None
    regions: tuple[Region, ...] = ()

    @property
    def declared(self) -> tuple[int, ...]:
        """All values that may occur."""
        known = [value for values in self.values for value in values]
        return tuple(known if self.ignored is None else [*known, self.ignored])

    def indices(self, label: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """The class index of each voxel of a label whose values are all declared, IGNORED where they are to be."""
        whole = np.rint(label) if label.dtype.kind == "f" else label
        pairs = [(value, index) for index, values in enumerate(self.values) for value in values]
        if self.ignored is not None:
            pairs.append((self.ignored, IGNORED))
        if all(value == index for value, index in pairs):
            return whole.astype(np.uint8)
        indices = np.zeros(label.shape, dtype=np.uint8)
        for value, index in pairs:
            indices[whole == value] = index
        return indices

    def joined(self, groups: Sequence[LabelGroup]) -> "Labels":
        """The classes after values were joined and renamed; those that are in no group keep their names.

        Raises:
            InputError: there are regions, or no background or no structure is left.
        """
        if not groups:
            return self
        if self.regions:
            raise InputError("labels: the data declare regions, which join values already; change them in dataset.json")
        names = {value: name for name, values in zip(self.classes, self.values, strict=True) for value in values}
        if self.ignored is not None:
            names[self.ignored] = IGNORE
        names |= {value: group.name for group in groups for value in group.values}
        members: dict[str, list[int]] = {}
        for value, name in names.items():
            members.setdefault(name, []).append(value)
        return labels_of(members.items(), _complaint_about_groups, joins=True)


def labels_of(declared: Iterable[tuple[Any, Any]], complain: Complaint, *, joins: bool = False) -> Labels:
    """Classes from pairs of a name and its value, or of a name and a list of values.

    A list makes a region, as nnU-Net has it; where it `joins`, it makes a class.

    Raises:
        InputError: names or values are not usable, of what `complain` makes.
    """
    entries = [_entry(name, value, complain) for name, value in declared]
    _expect_each_once(entries, complain, joins)
    ignored = _ignored(entries, complain, joins)
    classes = [entry for entry in entries if entry.name != IGNORE]
    background = next((entry for entry in classes if BACKGROUND in entry.values), None)
    if background is None:
        values = [value for entry in classes for value in entry.values]
        raise complain(f"the values {values}", "a background with the value 0 among them")
    structures = [entry for entry in classes if entry is not background]
    overlap = any(entry.listed for entry in classes) and not joins
    labels = _parts_of_regions(background, structures) if overlap else _as_declared(background, structures)
    if ignored in labels.declared:
        raise complain(f"'{IGNORE}' with {ignored}, which is a class's value too", "a value of its own")
    if not 2 <= len(labels.classes) <= LARGEST:
        raise complain(f"{len(labels.classes)} classes", f"2 to {LARGEST}, the background among them")
    return replace(labels, ignored=ignored)


@dataclass(frozen=True)
class _Entry:
    """A declared name with its values; whether they were given as a list."""

    name: str
    values: tuple[int, ...]
    listed: bool


def _entry(name: Any, value: Any, complain: Complaint) -> _Entry:
    listed = isinstance(value, list)
    values = value if listed else [value]
    if not isinstance(name, str) or not values or not all(_is_value(number) for number in values):
        raise complain(f"{name!r} with {value!r}", "a class name with one whole number from 0 up, or with several")
    if not name or not is_printable(name):
        raise complain(f"the name {name!r}", "a name without line ends and other control characters")
    return _Entry(name, tuple(values), listed)


def _is_value(number: Any) -> bool:
    return type(number) is int and number >= 0  # True is an int too


def _expect_each_once(entries: Sequence[_Entry], complain: Complaint, joins: bool) -> None:
    for entry in entries:
        if len(entry.values) > 1 and BACKGROUND in entry.values and not joins:
            raise complain(
                f"{entry.name!r} with {list(entry.values)}", "regions without the background, whose value is 0"
            )
    names = [entry.name for entry in entries]
    values = [value for entry in entries if joins or not entry.listed for value in entry.values]
    if len(set(names)) < len(names) or len(set(values)) < len(values):
        declared = {entry.name: list(entry.values) if entry.listed else entry.values[0] for entry in entries}
        raise complain(str(declared)[:80], "every class and every value once")


def _ignored(entries: Sequence[_Entry], complain: Complaint, joins: bool) -> int | None:
    """The value of voxels of unknown class."""
    entry = next((entry for entry in entries if entry.name == IGNORE), None)
    if entry is None:
        return None
    if len(entry.values) > 1 or (entry.listed and not joins):
        raise complain(f"{IGNORE!r} with {list(entry.values)}", "one whole number for it")
    return entry.values[0]


def _as_declared(background: _Entry, structures: Sequence[_Entry]) -> Labels:
    entries = (background, *structures)
    return Labels(tuple(entry.name for entry in entries), tuple(entry.values for entry in entries))


def _parts_of_regions(background: _Entry, regions: Sequence[_Entry]) -> Labels:
    """Disjoint classes: values that are in the same regions are one class."""
    members: dict[tuple[str, ...], list[int]] = {}
    for value in sorted({value for region in regions for value in region.values}):
        members.setdefault(tuple(region.name for region in regions if value in region.values), []).append(value)
    return Labels(
        classes=(background.name, *(_part_name(regions, names, values) for names, values in members.items())),
        values=((BACKGROUND,), *map(tuple, members.values())),
        regions=tuple(
            Region(region.name, tuple(index for index, names in enumerate(members, start=1) if region.name in names))
            for region in regions
        ),
    )


def _part_name(regions: Sequence[_Entry], names: tuple[str, ...], values: Sequence[int]) -> str:
    """The name of the part that just these regions share: the region's own where the part is all of it."""
    whole = [region.name for region in regions if set(region.values) == set(values)]
    if whole:
        return whole[0]
    return f"{names[0]} alone" if len(names) == 1 else " & ".join(names)


def _complaint_about_groups(value: str, expected: str) -> InputError:
    return InputError(f"labels: found {value}; expected {expected}")
