"""What a data set looks like, in numbers that a study can keep."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nas.data.dataset import LeftOut
from nas.errors import InputError


@dataclass(frozen=True)
class ClassSummary:
    """How often a class occurs: its share of all known voxels, the number of cases it is in, its size where it is.

    volumes: least, median and most over the cases that show it, in mm³ (mm² in 2D).
    """

    name: str
    voxel_fraction: float
    cases: int
    volumes: tuple[float, float, float]


@dataclass(frozen=True)
class ForegroundIntensities:
    """Intensities inside the structures over all cases: the percentiles 0.5 and 99.5, mean and deviation."""

    low: float
    high: float
    mean: float
    deviation: float


@dataclass(frozen=True)
class ChannelSummary:
    """Intensities as stored: the extremes over all cases, the medians over cases of their mean and deviation."""

    name: str
    minimum: float
    maximum: float
    mean: float
    deviation: float
    foreground: ForegroundIntensities


@dataclass(frozen=True)
class CaseSummary:
    """One case: shape and spacing along right, anterior, superior, where its axes pointed, and what it contains.

    content: the share of the image that remains when zeros around it are cut away. digest: of voxels, label and place.
    """

    name: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    content: float
    digest: str


@dataclass(frozen=True)
class RegionSummary:
    """A structure that several classes make together, by their names."""

    name: str
    classes: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """As a sum: "whole = oedema + core"."""
        return f"{self.name} = {' + '.join(self.classes)}"


@dataclass(frozen=True)
class FoldSummary:
    """How cases are parted: so many folds, from where, so many groups kept together (0: each case by itself).

    digest: of which cases train and which validate in every fold.
    """

    count: int
    source: str
    groups: int
    digest: str


@dataclass(frozen=True)
class Fingerprint:
    """A data set in numbers. Shapes are in voxels and spacings in mm, along right, anterior, superior, over the cases.

    digest is the SHA-256 of the cases' names, voxels, spacings and labels, and of the channels, classes and regions: a
    study can tell that it goes on with other data than it began with. Of a synthetic set it covers what the cases are
    made from. measured: whether the files tell their spacing; where not, it is 1. orientations: of the files that tell
    theirs. left_out: what lies beside the data and is no part of them.
    """

    name: str
    cases: int
    axes: int
    shape_minimum: tuple[int, ...]
    shape_median: tuple[int, ...]
    shape_maximum: tuple[int, ...]
    spacing_minimum: tuple[float, ...]
    spacing_median: tuple[float, ...]
    spacing_maximum: tuple[float, ...]
    orientations: Mapping[str, int]
    channels: tuple[ChannelSummary, ...]
    classes: tuple[ClassSummary, ...]
    regions: tuple[RegionSummary, ...]
    ignored_fraction: float
    warnings: tuple[str, ...]
    digest: str
    case_summaries: tuple[CaseSummary, ...]
    measured: bool = True
    folds: FoldSummary | None = None
    left_out: tuple[LeftOut, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has, under the names of the fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Fingerprint":
        """What `to_json` gave, also after it was JSON.

        Raises:
            InputError: it was written by an earlier version, which measured less.
        """
        try:
            content: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
            }
            content["channels"] = tuple(
                ChannelSummary(**channel | {"foreground": ForegroundIntensities(**channel["foreground"])})
                for channel in document["channels"]
            )
            content["classes"] = tuple(
                ClassSummary(**summary | {"volumes": tuple(summary["volumes"])}) for summary in document["classes"]
            )
            content["regions"] = tuple(
                RegionSummary(region["name"], tuple(region["classes"])) for region in document["regions"]
            )
            content["case_summaries"] = tuple(
                CaseSummary(**case | {"shape": tuple(case["shape"]), "spacing": tuple(case["spacing"])})
                for case in document["case_summaries"]
            )
            folds = document.get("folds")
            content["folds"] = FoldSummary(**folds) if folds else None
            content["left_out"] = tuple(
                LeftOut(group["reason"], tuple(group["names"])) for group in document.get("left_out", ())
            )
            return cls(**content)
        except (KeyError, TypeError) as error:
            raise InputError(f"fingerprint: is of an earlier version ({error}); take it again from the data") from error


def changed_cases(before: Mapping[str, Any], now: Fingerprint) -> tuple[str, ...]:
    """What became of the data since a fingerprint was taken, given as its JSON: a line for each case, none if the same.

    A fingerprint of an earlier version, which knows no cases one by one, gives no lines.
    """
    known = {case["name"]: case["digest"] for case in before.get("case_summaries", ())}
    if not known:
        return ()
    here = {case.name: case.digest for case in now.case_summaries}
    lines = dict.fromkeys(known.keys() - here.keys(), "is gone")
    lines |= dict.fromkeys(here.keys() - known.keys(), "is new")
    lines |= {name: "has changed" for name in known.keys() & here.keys() if known[name] != here[name]}
    return tuple(f"case {name} {what}" for name, what in sorted(lines.items()))
