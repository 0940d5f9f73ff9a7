"""The raw layout of nnU-Net version 2 (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).

`dataset.json` gives `channel_names`, `labels` as in {"background": 0, "nucleus": 1}, and `file_ending`. The channels of
a case are imagesTr/NAME_0000.png, NAME_0001.png and so on, or one file _0000 that holds them all, as a colour picture
does; its label is labelsTr/NAME.png. A label may be a list of values, which makes it a region, and the label called
"ignore" is neither trained on nor counted. A `splits_final.json` beside it gives the folds. Where the field `dataset`
lists the files of each case, these are taken, wherever they lie.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nas.data.dataset import Case, Dataset, LeftOut
from nas.data.description import Description, read_description
from nas.data.fold_files import splits_of
from nas.data.json_files import shortened
from nas.data.labels import Labels
from nas.data.listing import Listing, list_images
from nas.data.loading import dataset_of_files
from nas.data.names import normal, present
from nas.data.problems import refuse
from nas.errors import InputError

LAYOUT = "nnU-Net raw: dataset.json with 'channel_names', 'labels' and 'file_ending'; folders imagesTr and labelsTr"
SIGNS = (("dataset.json",), ("imagesTr",), ("labelsTr",))
SPLITS = "splits_final.json"

Channels = dict[int, Path]


def read(folder: Path) -> Dataset | None:
    """The data set in the folder, None where dataset.json has none of nnU-Net's own fields.

    What stands there of its first version, which are the Decathlon's fields, is passed over as nnU-Net does.
    """
    description = read_description(folder)
    if description is None or not _is_nnunets(description):
        return None
    channels = description.numbered_names("channel_names")
    cases, left_out = _listed(description) if "dataset" in description.content else _cases(description, len(channels))
    splits = splits_of(folder / SPLITS, {case.name for case in cases}) if (folder / SPLITS).is_file() else ()
    return dataset_of_files(
        name=description.name,
        folder=folder,
        channels=channels,
        labels=_labels(description),
        cases=cases,
        splits=splits,
        split_source=SPLITS if splits else "",
        left_out=left_out,
    )


def _is_nnunets(description: Description) -> bool:
    fields = description.content.keys()
    return "channel_names" in fields or ("file_ending" in fields and not {"training", "modality"} & fields)


def _labels(description: Description) -> Labels:
    labels = description.labels
    if labels.regions and "regions_class_order" in description.content:
        # Which region's voxels are painted over which. Classes are disjoint here, so that it is checked and not needed.
        order = description.field("regions_class_order", list, "the label values in the order in which regions are set")
        if len(order) != len(labels.regions) or not set(order) <= set(labels.declared):
            raise description.error(
                "regions_class_order", shortened(order), f"{len(labels.regions)} of the declared values, one a region"
            )
    return labels


def _listed(description: Description) -> tuple[list[Case], tuple[LeftOut, ...]]:
    """The cases under `dataset`: {"NAME": {"images": [a path a channel], "label": a path}}."""
    entries: dict[str, Any] = description.field("dataset", dict, "the files of each case")
    return [_listed_case(description, name, entry) for name, entry in entries.items()], ()


def _listed_case(description: Description, name: str, entry: Any) -> Case:
    images = entry.get("images") if isinstance(entry, dict) else None
    paths = [*images, entry.get("label")] if isinstance(images, list) and images else [None]
    if not all(isinstance(path, str) for path in paths):
        raise description.error("dataset", f"{name}: {shortened(entry)}", '{"images": [paths], "label": a path}')
    # As nnU-Net has it: variables of the environment, and paths that may lead anywhere.
    *images, label = (present(description.path.parent / os.path.expandvars(str(path))) for path in paths)
    return Case(name, tuple(images), label)


def _cases(description: Description, channels: int) -> tuple[list[Case], tuple[LeftOut, ...]]:
    folder = description.path.parent
    ending = description.field("file_ending", str, "the ending of every file's name, such as .nii.gz")
    ending = ending if ending.startswith(".") else f".{ending}"
    files, labels = (_files(folder / part, ending) for part in ("imagesTr", "labelsTr"))
    images: dict[str, Channels] = {}
    for path in files.files.values():
        name, number = _name_and_channel(path.name[: -len(ending)], path)
        images.setdefault(name, {})[number] = path
    places = {normal(name): name for name in images}
    named = {places.get(name, name): path for name, path in labels.files.items()}
    refuse(_problems(images, named, channels))
    cases = [Case(name, tuple(images[name][number] for number in sorted(images[name])), named[name]) for name in images]
    return cases, (*files.left_out, *labels.left_out)


def _files(folder: Path, ending: str) -> Listing:
    """The files with the ending."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected it beside dataset.json")
    listing = list_images(folder, ending)
    refuse(listing.problems)
    if not listing.files:
        raise InputError(f"{folder}: no file ends in {ending}, as field 'file_ending' of dataset.json says; correct it")
    return listing


def _name_and_channel(stem: str, path: Path) -> tuple[str, int]:
    name, _, number = stem.rpartition("_")
    if not name or not re.fullmatch("[0-9]{4}", number):
        raise InputError(
            f"{path}: no channel number; expected a name as {stem}_0000{path.name[len(stem) :]}, so rename it"
        )
    return name, int(number)


def _problems(images: dict[str, Channels], labels: dict[str, Path], channels: int) -> Iterator[str]:
    for name, files in images.items():
        first = files[min(files)]
        if name not in labels:
            yield f"{first}: an image without a label; add the label to labelsTr, or delete the image"
        if sorted(files) not in ([0], list(range(channels))):  # one file may hold all channels
            numbers = ", ".join(f"{number:04d}" for number in sorted(files))
            yield f"{first}: case {name} has the channels {numbers}; expected {channels} of them, numbered from 0000"
    for name, path in labels.items():
        if name not in images:
            yield f"{path}: a label without an image; add the image to imagesTr, or delete the label"
