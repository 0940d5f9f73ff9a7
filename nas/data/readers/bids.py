"""BIDS with segmentations (Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44): images and `*_dseg.nii.gz` beside them.

The folder is a BIDS data set, whose segmentations lie somewhere under `derivatives`, or a derivative that holds images
and segmentations itself. An image belongs to a segmentation when both have the same entities (sub-01_ses-2_run-1);
`desc` and what else tells variants of one image apart does not count. Its suffix (T1w, FLAIR) names the channel. A
`*dseg.tsv` with the columns index and name, beside the segmentations or above them, names the classes. The sessions of
a subject stay together when the data are split.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas.data.dataset import Case, Dataset
from nas.data.labels import Labels, labels_of
from nas.data.listing import dead_link
from nas.data.loading import dataset_of_files
from nas.data.notes import listed
from nas.data.problems import refuse
from nas.errors import InputError

LAYOUT = "BIDS: dataset_description.json, images, and segmentations *_dseg.nii.gz named in a *dseg.tsv"
DESCRIPTION = "dataset_description.json"
ENDINGS = (".nii.gz", ".nii")
SIGNS = (("dataset_description.json",), ("derivatives",))
LABEL = "dseg"
VARIANTS = {"desc", "seg", "atlas", "label", "rec"}
NO_IMAGES = {LABEL, "probseg", "mask", "xfm", "bold", "dwi"}


def read(folder: Path) -> Dataset | None:
    """The data set in the folder, None where it is not BIDS; InputError where it has no segmentations."""
    if not (folder / DESCRIPTION).is_file():
        return None
    files = [_file(path) for path in sorted(folder.rglob("sub-*")) if path.name.endswith(ENDINGS) and not path.is_dir()]
    labels = [file for file in files if file.suffix == LABEL]
    images = [file for file in files if file.suffix not in NO_IMAGES]
    if not labels:
        raise InputError(f"{folder}: no file ends in _{LABEL}.nii.gz; expected the segmentations in its derivatives")
    refuse(_doubled(labels))
    matches = {label: _images(label, images) for label in labels}
    channels = sorted(set.intersection(*(set(match) for match in matches.values())))
    refuse(line for file in files for line in dead_link(file.path))
    refuse(_unmatched(matches, channels))
    return dataset_of_files(
        name=folder.absolute().name,
        folder=folder,
        channels=tuple(channels),
        labels=_labels(folder, [label.path for label in labels]),
        cases=[_case(label, [match[channel] for channel in channels]) for label, match in matches.items()],
        warnings=tuple(_dropped(matches, channels)),
    )


@dataclass(frozen=True)
class _File:
    path: Path
    entities: frozenset[tuple[str, str]]
    suffix: str

    @property
    def place(self) -> frozenset[tuple[str, str]]:
        """The entities that say of whom and when, not which variant."""
        return frozenset((key, value) for key, value in self.entities if key not in VARIANTS)


def _file(path: Path) -> _File:
    *parts, suffix = path.name[: path.name.index(".nii")].split("_")
    pairs = (part.partition("-") for part in parts)
    return _File(path, frozenset((key, value) for key, _, value in pairs), suffix)


def _case(label: _File, images: Sequence[_File]) -> Case:
    parts = label.path.name[: label.path.name.index(f"_{LABEL}")].split("_")
    name = "_".join(part for part in parts if part.partition("-")[0] not in VARIANTS)
    return Case(name, tuple(image.path for image in images), label.path, dict(label.entities)["sub"])


def _images(label: _File, images: Sequence[_File]) -> dict[str, _File]:
    """The image of each channel for a segmentation: the one that lies nearest to it, where there are variants."""
    nearest: dict[str, _File] = {}
    for image in images:
        if image.place == label.place:
            known = nearest.get(image.suffix)
            if known is None or _shared_folders(image, label) > _shared_folders(known, label):
                nearest[image.suffix] = image
    return nearest


def _shared_folders(first: _File, second: _File) -> int:
    return len(Path(os.path.commonpath((first.path.parent, second.path.parent))).parts)


def _doubled(labels: Sequence[_File]) -> Iterator[str]:
    first: dict[frozenset[tuple[str, str]], _File] = {}
    for label in labels:
        if label.place in first:
            yield (
                f"{label.path}: a second segmentation of the same image, beside {first[label.place].path}; "
                "give the folder of one derivative, or move one of them away"
            )
        first.setdefault(label.place, label)


def _unmatched(matches: dict[_File, dict[str, _File]], channels: Sequence[str]) -> Iterator[str]:
    for label, match in matches.items():
        if not match:
            yield f"{label.path}: a label without an image; expected an image with the same entities"
    if not channels and all(matches.values()):
        kinds = sorted({suffix for match in matches.values() for suffix in match})
        yield f"{', '.join(kinds)}: no kind of image is there for every segmentation; expected one that all have"


def _dropped(matches: dict[_File, dict[str, _File]], channels: Sequence[str]) -> Iterator[str]:
    """A word on each kind of image that some segmentations lack, and that is left out for all."""
    for kind in sorted({suffix for match in matches.values() for suffix in match} - set(channels)):
        lacking = [label.path.name.partition(f"_{LABEL}")[0] for label, match in matches.items() if kind not in match]
        verb = "has" if len(lacking) == 1 else "have"
        yield (
            f"{kind} is left out of all {len(matches)} cases, because {listed(lacking)} {verb} none: add "
            " what is missing, or take these cases out"
        )


def _labels(folder: Path, paths: Sequence[Path]) -> Labels:
    """The classes in the table that is nearest to the first segmentation, going up to the folder."""
    places = [place for place in paths[0].parents if place == folder or folder in place.parents]
    tables = [table for place in places for table in sorted(place.glob(f"*{LABEL}.tsv"))]
    if not tables:
        raise InputError(
            f"{folder}: no *_{LABEL}.tsv beside {paths[0].name} or above; expected one with the columns index and "
            "name, a line for each class"
        )
    return _table(tables[0])


def _table(path: Path) -> Labels:
    def complain(value: str, expected: str) -> InputError:
        return InputError(f"{path}: columns index and name: found {value}; expected {expected}")

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if not rows or not {"index", "name"} <= rows[0].keys():
        raise complain(f"the columns {', '.join(rows[0]) if rows else 'of an empty table'}", "index and name")
    pairs = [(row["name"], int(row["index"]) if (row["index"] or "").isdecimal() else row["index"]) for row in rows]
    if not any(value == 0 for _, value in pairs):
        pairs.insert(0, ("background", 0))  # BIDS tables often leave it out
    return labels_of(pairs, complain)
