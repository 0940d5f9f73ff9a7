"""What the values in files of labels mean."""

from dataclasses import dataclass
from typing import Any

from nas.model.trained import TrainedModel
from nas.training import EACH_CLASS, Targets


@dataclass(frozen=True)
class Labelling:
    """What the values in files of labels mean: names and values of the classes, the background first, and regions.

    ignored: the value of voxels that do not count, if there is one.
    """

    classes: tuple[str, ...]
    values: tuple[int, ...]
    regions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    ignored: int | None = None

    @property
    def targets(self) -> Targets:
        """What is scored."""
        return Targets(tuple(classes for _, classes in self.regions)) if self.regions else EACH_CLASS

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of what is scored."""
        return tuple(name for name, _ in self.regions) or self.classes[1:]

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        regions = [{"name": name, "classes": list(classes)} for name, classes in self.regions]
        return {"classes": list(self.classes), "values": list(self.values), "regions": regions}


def labelling_of(model: TrainedModel, *, segments: bool = False) -> Labelling:
    """What the values mean that a model writes; numbers of segments are those of its classes."""
    regions = tuple((region.name, region.classes) for region in model.regions)
    return Labelling(model.classes, tuple(range(len(model.classes))) if segments else model.values, regions)
