"""The layout of the Medical Segmentation Decathlon (Simpson et al. 2019, arXiv:1902.09063).

`dataset.json` lists the pairs of image and label under `training`, names the channels under `modality` and the label
values under `labels`, as in {"0": "background", "1": "Anterior"}. Channels are the last axis of a 4D image.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nas.data import files
from nas.data.dataset import Case, Dataset
from nas.data.description import Description, read_description
from nas.data.labels import Labels
from nas.data.loading import dataset_of_files
from nas.data.problems import refuse

LAYOUT = "Medical Segmentation Decathlon: dataset.json with 'modality', 'labels' and a list of cases under 'training'"


def read(folder: Path) -> Dataset | None:
    """The data set that dataset.json describes, None where it has none of the Decathlon's own fields."""
    description = read_description(folder)
    if description is None or not {"training", "modality"} & description.content.keys():
        return None
    entries = description.field("training", list, "a list of cases")
    cases = [case for case in (_case(description, entry) for entry in entries) if not case.name.startswith(".")]
    refuse(_extra_labels(cases))
    return dataset_of_files(
        name=description.name,
        folder=folder,
        channels=description.numbered_names("modality"),
        labels=_labels(description),
        cases=cases,
    )


def _labels(description: Description) -> Labels:
    declared = description.field("labels", dict, 'values with their classes, as in {"0": "background", "1": "organ"}')
    return description.labels((name, int(value) if value.isdecimal() else value) for value, name in declared.items())


def _case(description: Description, entry: object) -> Case:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("image", "label")):
        raise description.error("training", f"the case {entry!r}", '{"image": a path, "label": a path}')
    image, label = _inside(description, entry["image"]), _inside(description, entry["label"])
    return Case(files.stem(image), (image,), label)


def _inside(description: Description, path: str) -> Path:
    """The path below the data set's folder; InputError where it climbs out. Links that the user put there are fine."""
    folder = description.path.parent
    relative = os.path.relpath(os.path.join(folder, path), folder)
    if relative.startswith(os.pardir):
        raise description.error("training", f"the path {path}, which leaves the folder", "a path inside it")
    return folder / relative


def _extra_labels(cases: Iterable[Case]) -> Iterator[str]:
    """Label files beside the listed ones that are not listed and have no image: an image was lost."""
    pairs = [(case.images[0], case.label) for case in cases if case.label is not None]
    if any(image.name != label.name for image, label in pairs):
        return  # names do not tell which image a label belongs to
    listed = {label for _, label in pairs}
    for images, labels in sorted({(image.parent, label.parent) for image, label in pairs}):
        for label in sorted(labels.iterdir()) if labels.is_dir() else ():
            extra = label not in listed and not (images / label.name).exists()
            if extra and label.is_file() and not label.name.startswith("."):
                yield f"{label}: a label without an image; add the image and list the pair, or delete the label"
