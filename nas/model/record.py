"""What has been predicted so far, kept beside it, so that an interrupted prediction goes on where it stopped."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nas.data.cache import read_document, write_json
from nas.errors import InputError
from nas.model.folder import DESCRIPTION

RECORD = "predictions.json"
FORMAT = "nas predictions"


@dataclass(frozen=True)
class Options:
    """What is done beside segmenting.

    probabilities: written too, in half precision, as NAME.npz. largest: classes whose largest part alone is kept.
    least: the smallest volume of a part by class, in mm³ (mm² in 2D, pixels where no spacing is known); parts below it
    become background. overlap: of neighbouring windows of the patch's size; None is as in validation. segments: whether
    DICOM SEG is written, of DICOM series.
    """

    probabilities: bool = False
    largest: tuple[str, ...] = ()
    least: Mapping[str, float] = field(default_factory=dict)
    overlap: float | None = None
    segments: bool = False


@dataclass(frozen=True)
class Listed:
    """An image to segment: its name, and its files in the order of the channels."""

    name: str
    paths: tuple[Path, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The files as text."""
        return tuple(str(path) for path in self.paths)

    @property
    def stamp(self) -> str:
        """Changes when a file does."""
        there = [part for path in self.paths if path.exists() for part in (sorted(path.rglob("*")) or [path])]
        told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in there]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Done:
    """What became of an image. file: its segmentation. reason: why there is none; empty where there is.

    voxels: of each foreground class. spacing: in mm, None where the image does not tell.
    """

    name: str
    images: tuple[str, ...]
    stamp: str
    file: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    spacing: tuple[float, ...] | None = None
    voxels: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def volumes(self) -> dict[str, float] | None:
        """Of each foreground class in mm³ (mm² in 2D)."""
        if self.spacing is None:
            return None
        voxel = 1.0
        for step in self.spacing:
            voxel *= step
        return {name: round(count * voxel, 3) for name, count in self.voxels.items()}


class Record:
    """The results in a folder by the names of images, written anew after each.

    labels: what the values in the files mean, as JSON, for whoever reads them.
    """

    def __init__(self, folder: Path, key: str, labels: Mapping[str, Any], results: dict[str, Done]):
        self.folder, self.key, self.labels, self.results = folder, key, labels, results

    def holds(self, image: Listed) -> bool:
        """Whether an image is segmented already, and was not changed since."""
        result = self.results.get(image.name)
        if result is None or result.reason or result.stamp != image.stamp:
            return False
        return (self.folder / result.file).is_file()

    def add(self, result: Done) -> None:
        """Keep a result. Raises OSError where that cannot be written."""
        self.results[result.name] = result
        write_json(self.folder / RECORD, self.to_json())

    def to_json(self) -> dict[str, Any]:
        """All results, with volumes."""
        return {"format": FORMAT, "key": self.key, "labels": dict(self.labels), **report_of(self.results.values())}


def report_of(results: Iterable[Done]) -> dict[str, Any]:
    """What became of images, with volumes in mm³ (mm² in 2D) where the spacing is known, as JSON."""
    cases = [asdict(result) | {"volumes": result.volumes} for result in results]
    bad = sum(1 for case in cases if case["reason"])
    return {"segmented": len(cases) - bad, "left_out": bad, "cases": cases}


def open_record(folder: Path, model: Path, options: Options, labels: Mapping[str, Any]) -> Record:
    """The record of a folder of predictions, a new one where the folder is new or empty.

    Args:
        folder: of predictions.
        model: the folder of the model.
        options: what is done beside segmenting.
        labels: what the values in the files mean.

    Raises:
        InputError: it holds something else, or what another model or other options made, or cannot be written.
    """
    key = _key(model, options)
    document = read_document(folder / RECORD)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another folder") from None
    if document is None or document.get("format") != FORMAT:
        if occupied:
            raise InputError(f"{folder}: exists and holds no predictions of nas; name a new or an empty folder")
        return Record(folder, key, labels, {})
    if document.get("key") != key:
        raise InputError(
            f"{folder}: holds what another model, or this one with other options, predicted; name a new folder"
        )
    return Record(folder, key, labels, {case["name"]: _done(case) for case in document["cases"]})


def _done(case: Mapping[str, Any]) -> Done:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in case.items()}
    values.pop("volumes", None)
    return Done(**values)


def _key(model: Path, options: Options) -> str:
    """Of the model's description, which holds the checksums of its weights, and of the options."""
    chosen = {name: value for name, value in asdict(options).items() if name != "segments" or value}
    text = (model / DESCRIPTION).read_bytes() + json.dumps(chosen, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:32]
