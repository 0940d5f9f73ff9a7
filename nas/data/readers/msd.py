"""The layout of the Medical Segmentation Decathlon (Simpson et al. 2019, arXiv:1902.09063), and what grew from it.

`dataset.json` lists the pairs of image and label under `training`, names the channels under `modality` and the label
values under `labels`, as in {"0": "background", "1": "Anterior"}. Channels are the last axis of a 4D image; or an image
is a list of files, one a channel (MONAI); or its files have nnU-Net's numbers, imagesTr/NAME_0000.nii.gz (version 1).
A `fold` of each case says in which fold it validates (Auto3DSeg), a list `validation` what validates in the only one.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from nas.data import files
from nas.data.dataset import Case, Dataset, LeftOut
from nas.data.description import Description, read_description
from nas.data.listing import list_images
from nas.data.loading import dataset_of_files
from nas.data.names import distinct, present
from nas.data.problems import refuse
from nas.data.splits import Split

LAYOUT = "Medical Segmentation Decathlon: dataset.json with 'modality', 'labels' and a list of cases under 'training'"
SIGNS = (("dataset.json",), ("imagesTr",), ("labelsTr",))
FIELDS = {"training", "modality"}
GROUPS = ("group", "patient", "patient_id", "subject", "subject_id")
"""Fields of a case that say whose it is."""


def read(folder: Path) -> Dataset | None:
    """The data set that dataset.json describes, None where it has none of the Decathlon's fields, or nnU-Net's too."""
    description = read_description(folder)
    if description is None or not FIELDS & description.content.keys() or "channel_names" in description.content:
        return None
    training = _entries(description, "training")
    validation = _entries(description, "validation") if description.content.get("validation") else []
    entries = [*training, *(entry for entry in validation if isinstance(entry, dict) and "label" in entry)]
    cases = _named(folder, [_case(description, entry) for entry in entries])
    shown = [(case, entry) for case, entry in zip(cases, entries, strict=True) if not case.name.startswith(".")]
    cases = [case for case, _ in shown]
    refuse(_extra_labels(cases))
    splits = _folds(description, [(case.name, entry) for case, entry in shown])
    if not splits and len(entries) > len(training):
        splits = _validation(cases, len(training))
    return dataset_of_files(
        name=description.name,
        folder=folder,
        channels=description.numbered_names("modality"),
        labels=description.labels,
        cases=cases,
        splits=splits,
        split_source="dataset.json" if splits else "",
        left_out=tuple(_unlisted(cases)),
    )


def _entries(description: Description, field: str) -> list[Any]:
    return description.field(field, list, "a list of cases")


def _case(description: Description, entry: object) -> Case:
    images = _paths(entry.get("image")) if isinstance(entry, dict) else []
    if not isinstance(entry, dict) or not images or not isinstance(entry.get("label"), str):
        raise description.error(
            "training", f"the case {entry!r}", '{"image": a path or a list of them, "label": a path}'
        )
    paths = [_inside(description, path) for path in images]
    label = _inside(description, entry["label"])
    group = next((str(entry[field]) for field in GROUPS if isinstance(entry.get(field), str | int)), "")
    return Case(files.stem(paths[0]), _channels(paths), label, group)


def _paths(value: object) -> list[str]:
    paths = value if isinstance(value, list) else [value]
    return [str(path) for path in paths] if all(isinstance(path, str) for path in paths) else []


def _inside(description: Description, path: str) -> Path:
    """The path below the data set's folder, whichever slashes it has; InputError where it climbs out.

    Links that the user put there are fine.
    """
    folder = description.path.parent
    forward = path if (folder / path).exists() else path.replace("\\", "/")
    relative = os.path.relpath(os.path.join(folder, forward), folder)
    if relative.startswith(os.pardir) and (folder / forward.lstrip("/")).exists():
        relative = os.path.relpath(os.path.join(folder, forward.lstrip("/")), folder)
    if relative.startswith(os.pardir):
        raise description.error("training", f"the path {path}, which leaves the folder", "a path inside it")
    return present(folder / relative)


def _channels(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The listed files, or those with the numbers of channels where the listed one itself is not there."""
    if len(paths) > 1 or paths[0].exists():
        return tuple(paths)
    path = paths[0]
    stem = files.stem(path)
    numbered = (path.with_name(f"{stem}_{number:04d}{path.name[len(stem) :]}") for number in count())
    return tuple(takewhile(Path.exists, map(present, numbered))) or (path,)


def _named(folder: Path, cases: Sequence[Case]) -> list[Case]:
    """The cases with names of their own: of files called alike (case_00000/imaging) what differs in the path."""
    pairs = {(case.images, case.label) for case in cases}
    if distinct(case.name for case in cases) or len(pairs) < len(cases):
        return list(cases)
    parts = [(*case.images[0].relative_to(folder).parent.parts, case.name) for case in cases]
    length = max(map(len, parts))
    padded = [(*("",) * (length - len(part)), *part) for part in parts]
    telling = [place for place in range(length) if len({part[place] for part in padded}) > 1]
    names = ["_".join(filter(None, (part[place] for place in telling))) for part in padded]
    return [replace(case, name=name) for case, name in zip(cases, names, strict=True)]


def _folds(description: Description, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Split, ...]:
    """A fold for each number under `fold`, whose cases validate in it; cases without a number always train."""
    numbers = {name: entry["fold"] for name, entry in entries if entry.get("fold") is not None}
    if not numbers:
        return ()
    for name, number in numbers.items():
        if type(number) is not int or number < 0:
            raise description.error("fold", f"{number!r} for case {name}", "a whole number from 0 up")
    folds = sorted(set(numbers.values()))
    if len(folds) < 2:
        raise description.error("fold", f"{folds[0]} for every case that has one", "at least two different folds")
    names = sorted(name for name, _ in entries)
    return tuple(
        Split(
            tuple(name for name in names if numbers.get(name) != fold),
            tuple(name for name in names if numbers.get(name) == fold),
        )
        for fold in folds
    )


def _validation(cases: Sequence[Case], training: int) -> tuple[Split, ...]:
    parts = cases[:training], cases[training:]
    train, validate = (tuple(sorted(case.name for case in part)) for part in parts)
    return (Split(train, validate),)


def _extra_labels(cases: Iterable[Case]) -> Iterator[str]:
    """Label files beside the listed ones that are not listed and have no image: an image was lost."""
    pairs = [(case.images[0], case.label) for case in cases if case.label is not None]
    if any(image.name != label.name for image, label in pairs):
        return  # names do not tell which image a label belongs to
    listed = {label for _, label in pairs}
    for images, labels in sorted({(image.parent, label.parent) for image, label in pairs}):
        for label in list_images(labels).files.values() if labels.is_dir() else ():
            if label not in listed and not present(images / label.name).exists():
                yield f"{label}: a label without an image; add the image and list the pair, or delete the label"


def _unlisted(cases: Sequence[Case]) -> Iterator[LeftOut]:
    """Images that lie beside the listed ones."""
    listed = {path for case in cases for path in case.images}
    for folder in sorted({path.parent for path in listed}):
        listing = list_images(folder) if folder.is_dir() else None
        names = tuple(path.name for path in (listing.files.values() if listing else ()) if path not in listed)
        if names and len({case.images[0].parent for case in cases}) == 1:
            yield LeftOut(f"images in {folder.name} that dataset.json does not list", names)
        yield from listing.left_out if listing else ()
