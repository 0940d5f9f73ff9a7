"""A plain pair of folders, images and labels, whose files have the same names and nothing that describes them.

The folders are images and labels, images and masks, or imagesTr and labelsTr. An image may have nnU-Net's channel
numbers (NAME_0000 for the label NAME). Classes are the values that occur in the labels, called by them; the label files
are read for that when the data set is opened.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nas.data import files
from nas.data.dataset import Case, Dataset
from nas.data.labels import LARGEST, Labels
from nas.data.listing import OTHER_KINDS, Listing, list_images
from nas.data.loading import TOLERANCE, dataset_of_files
from nas.data.problems import refuse
from nas.data.values import SCATTERED_VALUES, scattered_values, some, values_of
from nas.errors import InputError

LAYOUT = "a pair of folders: images and labels (or masks), or imagesTr and labelsTr, with files of the same names"
SIGNS = (("images", "imagesTr"), ("labels", "masks", "labelsTr"))
FOLDERS = (("images", "labels"), ("images", "masks"), ("imagesTr", "labelsTr"))
DESCRIBED = ("dataset.json", "dataset_description.json")


def read(folder: Path) -> Dataset | None:
    """The data set in the two folders, None where they are not there or the data set is described in a file."""
    if any((folder / file).exists() for file in DESCRIBED):
        return None
    pairs = [(folder / images, folder / labels) for images, labels in FOLDERS]
    pairs = [(images, labels) for images, labels in pairs if _has_files(images) and _has_files(labels)]
    if not pairs:
        _refuse_empty(folder)
        return None
    if len(pairs) > 1:
        named = "; ".join(f"{images.name} with {labels.name}" for images, labels in pairs)
        raise InputError(f"{folder}: more than one pair of folders ({named}); move away what is not meant")
    images, labels = (list_images(part) for part in pairs[0])
    refuse((*images.problems, *labels.problems))
    channels = _channels_of(images.files, labels.files)
    refuse(_problems(images, labels, channels))
    cases = [Case(files.stem(path), tuple(channels[name]), path) for name, path in labels.files.items()]
    return dataset_of_files(
        name=folder.absolute().name,
        folder=folder,
        channels=_channels(cases[0]),
        labels=_labels(folder, cases),
        cases=cases,
        left_out=(*images.left_out, *labels.left_out),
    )


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())


def _refuse_empty(folder: Path) -> None:
    """Refuse two folders of which one has nothing in it; None where there are no such folders."""
    for images, labels in FOLDERS:
        parts = [folder / images, folder / labels]
        if all(part.is_dir() for part in parts):
            bare = next(part for part in parts if not _has_files(part))
            raise InputError(f"{bare}: no files; expected a label for every image")


def _channels_of(images: Mapping[str, Path], labels: Mapping[str, Path]) -> dict[str, list[Path]]:
    """The files of each case: the one of its label's name, or those of that name with the numbers of channels."""
    cases: dict[str, list[Path]] = {}
    for stem, path in images.items():
        name = stem if stem in labels else re.sub("_[0-9]{4}$", "", stem)
        cases.setdefault(name if name in labels else stem, []).append(path)
    return cases


def _problems(images: Listing, labels: Listing, channels: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    unread = {"image": _unread(images), "label": _unread(labels)}
    for name, paths in channels.items():
        if name not in labels.files:
            yield (
                f"{paths[0]}: an image without a label; add a label with the name {name}, or delete the image"
                + unread["label"]
            )
    for name, path in labels.files.items():
        if name not in channels:
            yield (
                f"{path}: a label without an image; add an image with the name {name}, or delete the label"
                + unread["image"]
            )
    for part in (images, labels):
        if not part.files:
            yield f"{part.folder}: no images that can be read{_unread(part)}"


def _unread(listing: Listing) -> str:
    """A word on files of kinds that cannot be read, which may be what is missed."""
    names = [name for group in listing.left_out if group.reason.startswith(OTHER_KINDS) for name in group.names]
    return f" (there is also {names[0]}, which is no image of a kind that is known)" if names else ""


def _channels(case: Case) -> tuple[str, ...]:
    """Numbered names, as many as the first case has channels."""
    count = sum(len(files.read_image(path).voxels) for path in case.images)
    return tuple(f"channel {number}" for number in range(count))


def _labels(folder: Path, cases: Sequence[Case]) -> Labels:
    values = {0}
    for case in cases:
        assert case.label is not None
        label = files.read_label(case.label).voxels
        occurring = _whole(values_of(label))
        values |= {int(value) for value in occurring if value >= 0}
        _expect_classes(case.label, label[0], occurring)
        if len(values) > LARGEST:
            raise InputError(
                f"{case.label}: with this label the data have more than {LARGEST} different values; expected one "
                "value a class, so check that these are labels and not images"
            )
    if len(values) < 2:
        raise InputError(f"{folder}: the labels are 0 everywhere; expected at least one structure in one of them")
    structures = sorted(values - {0})
    return Labels(("background", *(f"class {value}" for value in structures)), tuple((v,) for v in (0, *structures)))


def _whole(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """The whole numbers among the values; the others are refused, with the others of their case, when it is loaded."""
    numbers = values.astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    return np.rint(numbers[np.abs(numbers - np.rint(numbers)) <= TOLERANCE]).astype(np.int64)


def _expect_classes(path: Path, label: npt.NDArray[np.generic], values: npt.NDArray[np.int64]) -> None:
    """Refuse a label whose values come of compression or smooth resizing, each of which would be a class."""
    may_be_spoilt = label.dtype.kind in "ui" and len(values) > SCATTERED_VALUES
    scattered = scattered_values(label) if may_be_spoilt else []
    if scattered:
        raise InputError(
            f"{path}: {len(scattered)} of its {len(values)} values ({some(np.array(scattered))}) lie scattered at "
            "edges, as after compression as JPEG or smooth resizing; give each voxel the nearest class and export it "
            "again"
        )
