"""What a data set is: cases with names, and a way to load one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from nas.data.labelled import Labelled
from nas.data.notes import Note
from nas.data.splits import Split, split_groups

Palette: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]
"""The colour (red, green, blue) in which a file shows each of its values that occurs."""


@dataclass(frozen=True)
class Mask:
    """A file that shows where one class is, or an instance of it; the class has this value in the merged label.

    structure: the names by which a segment or outline in the file may go, where the file holds several.
    """

    path: Path
    value: int
    structure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One labelled image: a file per channel (or one file with all channels) and a label file.

    Where there is a file for each class or instance instead, these `masks` are painted over each other in their order.
    A synthetic case has a name and no files. Cases of one group, such as the visits of one patient, stay together when
    the data are split; a case without a group is its own.
    """

    name: str
    images: tuple[Path, ...] = ()
    label: Path | None = None
    group: str = ""
    masks: tuple[Mask, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that the case is read from, each once."""
        label = () if self.label is None else (self.label,)
        return tuple(dict.fromkeys([*self.images, *label, *(mask.path for mask in self.masks)]))

    def _repr_html_(self) -> str:
        """What a notebook shows: the case's files; what is in them, `Dataset.load` shows."""
        from nas.data.drawing.notebook import facts_html

        label = [("label", str(self.label))] if self.label is not None else []
        masks = [(f"mask of class {mask.value}", str(mask.path)) for mask in self.masks]
        files = [*(("image", str(path)) for path in self.images), *label, *masks]
        group = [("group", self.group)] if self.group else []
        return facts_html([("case", self.name), *group, *(files or [("files", "none: it is synthetic")])])


@dataclass(frozen=True)
class Region:
    """A structure that several classes make together, as indices of classes: the whole tumour, of core and oedema."""

    name: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class LeftOut:
    """Files beside the data that are no part of them, and why."""

    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Volume(Labelled):
    """A loaded case, its arrays contiguous in memory, its intensities as stored and all finite.

    notes: what was decided in reading it. palette: the colours in which the label is shown, of each value that occurs
    in the file.
    """

    notes: tuple[Note, ...] = ()
    palette: Palette | None = None

    def _repr_html_(self) -> str:
        """What a notebook shows: planes with the outlines of its classes."""
        from nas.data.drawing.notebook import volume_html

        return volume_html(self)


@dataclass(frozen=True)
class Dataset:
    """Labelled cases of one segmentation task, sorted by name.

    axes is 2 or 3. classes[0] is the background. `loader` reads and validates one case. `origin` says what a synthetic
    set is made from (it has no files to tell), and is empty for data on disk. `regions` are made of classes, where the
    data set declares such. `splits` are the folds that came with the data, and `split_source` what brought them;
    without any, nnU-Net's are used. `left_out` is what lies beside the data, and `warnings` what a person should know
    of how they were found.
    """

    name: str
    folder: Path | None
    axes: int
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    cases: tuple[Case, ...]
    loader: Callable[[Case], Volume] = field(repr=False, compare=False)
    origin: str = ""
    regions: tuple[Region, ...] = ()
    splits: tuple[Split, ...] = ()
    split_source: str = ""
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether the cases are made by a program rather than measured."""
        return bool(self.origin)

    def _repr_html_(self) -> str:
        """What a notebook shows: the task in a few lines, and a case."""
        from nas.data.drawing.notebook import dataset_html

        facts = [
            ("data", self.name),
            ("folder", str(self.folder) if self.folder else self.origin),
            ("cases", f"{len(self.cases)}, of {self.axes} axes"),
            ("channels", ", ".join(self.channels)),
            ("classes", ", ".join(self.classes)),
            *[("regions", ", ".join(region.name for region in self.regions))] * bool(self.regions),
        ]
        first = {case.name: partial(self.load, case) for case in self.cases[:1]}
        return dataset_html(facts, first, self.classes)

    def load(self, case: Case) -> Volume:
        """Read and validate one case; InputError says what is wrong with it."""
        return self.loader(case)

    def split(self, fold: int = 0) -> Split:
        """The names that train and validate in a fold: of the data's own folds if it has any, else of nnU-Net's five.

        InputError for a fold out of range.
        """
        return split_groups({case.name: case.group or case.name for case in self.cases}, fold, self.splits)
