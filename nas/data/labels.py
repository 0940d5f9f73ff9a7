"""The classes of a data set, and the values that stand for them in its label files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.dataset import IGNORED, Region
from nas.errors import InputError

LARGEST = 255  # classes; their indices are stored in a byte, whose last value is IGNORED
IGNORE = "ignore"  # the name that nnU-Net gives to voxels of unknown class

Complaint = Callable[[str, str], InputError]
"""Makes an error of what was found and what was expected."""


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


def labels_of(pairs: Sequence[tuple[Any, Any]], complain: Complaint) -> Labels:
    """Classes from pairs of a name and its value, or of a region's name and the list of its values, as nnU-Net has.

    Raises:
        InputError: names or values are not usable, of what `complain` makes.
    """
    for name, value in pairs:
        values = value if isinstance(value, list) and value and name != IGNORE else [value]
        if not isinstance(name, str) or not all(type(number) is int and number >= 0 for number in values):
            raise complain(f"{name!r} with {value!r}", "a class name with one whole number from 0 up, or with several")
        if len(values) > 1 and 0 in values:
            raise complain(f"{name!r} with {value!r}", "regions without the background, whose value is 0")
    names = [name for name, _ in pairs]
    plain = [value for _, value in pairs if not isinstance(value, list)]
    if len(set(names)) < len(names) or len(set(plain)) < len(plain):
        raise complain(str(dict(pairs))[:80], "every class and every value once")
    ignored = next((value for name, value in pairs if name == IGNORE), None)
    classes = [(name, value) for name, value in pairs if name != IGNORE]
    if not any(value in (0, [0]) for _, value in classes):
        raise complain(f"the values {[value for _, value in classes]}", "a background with the value 0 among them")
    if any(isinstance(value, list) for _, value in classes):
        labels = _of_regions([(name, value if isinstance(value, list) else [value]) for name, value in classes])
    else:
        ordered = sorted(classes, key=lambda pair: pair[1] != 0)  # the background first, the others as declared
        labels = Labels(tuple(name for name, _ in ordered), tuple((value,) for _, value in ordered))
    if ignored is not None and ignored in labels.declared:
        raise complain(f"'{IGNORE}' with {ignored}, which is a class's value too", "a value of its own")
    if not 2 <= len(labels.classes) <= LARGEST:
        raise complain(f"{len(labels.classes)} classes", f"2 to {LARGEST}, the background among them")
    return Labels(labels.classes, labels.values, ignored, labels.regions)


def _of_regions(declared: Sequence[tuple[str, list[int]]]) -> Labels:
    """Disjoint classes: values that are in the same regions are one class."""
    background = next(name for name, values in declared if values == [0])
    regions = [(name, set(values)) for name, values in declared if values != [0]]
    members: dict[tuple[str, ...], list[int]] = {}
    for value in sorted(set().union(*(values for _, values in regions))):
        members.setdefault(tuple(name for name, values in regions if value in values), []).append(value)
    values = ((0,), *(tuple(group) for group in members.values()))
    classes = (background, *(_part_name(regions, names, group) for names, group in members.items()))
    return Labels(
        classes,
        values,
        regions=tuple(
            Region(name, tuple(index for index, names in enumerate(members, start=1) if name in names))
            for name, _ in regions
        ),
    )


def _part_name(regions: Sequence[tuple[str, set[int]]], names: tuple[str, ...], values: list[int]) -> str:
    """The name of the part that just these regions share: the region's own where the part is all of it."""
    whole = [name for name, content in regions if content == set(values)]
    if whole:
        return whole[0]
    return f"{names[0]} alone" if len(names) == 1 else " & ".join(names)
