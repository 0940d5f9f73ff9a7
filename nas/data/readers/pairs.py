"""A plain pair of folders, images and labels, whose files have the same names and nothing that describes them.

The folders are images and labels, images and masks, or imagesTr and labelsTr. An image may have nnU-Net's channel
numbers (NAME_0000 for the label NAME). Classes are the values that occur in the labels, called by them; the label files
are read for that when the data set is opened.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nas.data import files
from nas.data.dataset import Case, Dataset
from nas.data.labels import LARGEST, Labels
from nas.data.loading import TOLERANCE, dataset_of_files
from nas.data.problems import refuse
from nas.errors import InputError

LAYOUT = "a pair of folders: images and labels (or masks), or imagesTr and labelsTr, with files of the same names"
FOLDERS = (("images", "labels"), ("images", "masks"), ("imagesTr", "labelsTr"))
DESCRIBED = ("dataset.json", "dataset_description.json")


def read(folder: Path) -> Dataset | None:
    """The data set in the two folders, None where they are not there or the data set is described in a file."""
    found = [(folder / images, folder / labels) for images, labels in FOLDERS]
    found = [(images, labels) for images, labels in found if images.is_dir() and labels.is_dir()]
    if not found or any((folder / file).exists() for file in DESCRIBED):
        return None
    images, labels = _images(found[0][0]), _files(found[0][1])
    refuse(_problems(images, labels))
    cases = [Case(name, tuple(images[name]), label) for name, label in labels.items()]
    if not cases:
        raise InputError(f"{found[0][1]}: no files; expected a label for every image")
    return dataset_of_files(
        name=folder.absolute().name,
        folder=folder,
        channels=_channels(cases[0]),
        labels=_labels(folder, cases),
        cases=cases,
    )


def _files(folder: Path) -> dict[str, Path]:
    """The files by their names without suffix; hidden ones, as macOS leaves them, are passed over."""
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return {files.stem(path): path for path in found}


def _images(folder: Path) -> dict[str, list[Path]]:
    """The files of each case, in the order of their channels."""
    cases: dict[str, list[Path]] = {}
    for stem, path in _files(folder).items():
        cases.setdefault(re.sub("_[0-9]{4}$", "", stem), []).append(path)
    return cases


def _problems(images: dict[str, list[Path]], labels: dict[str, Path]) -> Iterator[str]:
    for name, paths in images.items():
        if name not in labels:
            yield f"{paths[0]}: an image without a label; add a label with the name {name}, or delete the image"
    for name, path in labels.items():
        if name not in images:
            yield f"{path}: a label without an image; add an image with the name {name}, or delete the label"


def _channels(case: Case) -> tuple[str, ...]:
    """Numbered names, as many as the first case has channels."""
    count = sum(len(files.read_image(path).voxels) for path in case.images)
    return tuple(f"channel {number}" for number in range(count))


def _labels(folder: Path, cases: Sequence[Case]) -> Labels:
    values: set[int] = {0}
    for case in cases:
        assert case.label is not None
        found = np.unique(files.read_label(case.label).voxels)
        whole = np.rint(found[np.isfinite(found)])
        # What is not whole is refused, with the others of its case, when the case is loaded.
        values |= {int(value) for value in whole[np.abs(whole - found[np.isfinite(found)]) <= TOLERANCE] if value >= 0}
        if len(values) > LARGEST:
            raise InputError(
                f"{case.label}: with this label the data have more than {LARGEST} different values; expected one "
                "value a class, so check that these are labels and not images"
            )
    if len(values) < 2:
        raise InputError(f"{folder}: the labels are 0 everywhere; expected at least one structure in one of them")
    foreground = sorted(values - {0})
    return Labels(("background", *(f"class {value}" for value in foreground)), tuple((v,) for v in (0, *foreground)))
