"""Data sets whose files lie as a layout's patterns say: published ones, recognised by themselves, and the user's own.

An image and a label belong together where their patterns give the same case. What one of them lacks is refused, and so
is a second file for the same thing.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from nas.data.dataset import Case, Dataset, LeftOut, Mask
from nas.data.layout import CLASS, Layout, Meaning, shipped_layouts
from nas.data.loading import dataset_of_files
from nas.data.patterns import Match, filled, find
from nas.data.problems import refuse
from nas.errors import InputError

LAYOUT = f"a published data set: {', '.join(layout.name for layout in shipped_layouts().values())}"


SIGNS: tuple[tuple[str, ...], ...] = ()
DESCRIBED = ("dataset.json", "dataset_description.json")
"""Files that say more of the data than a folder's names do."""


def read(folder: Path) -> Dataset | None:
    """The data set in one of the shipped layouts, None where it fits none or describes itself in a file."""
    if any((folder / file).exists() for file in DESCRIBED):
        return None
    for layout in shipped_layouts().values():
        if any(_fits(root, layout) for root in _roots(folder, layout)):
            return read_as(folder, layout)
    return None


def nearly(folder: Path) -> str | None:
    """What one of the shipped layouts lacks in the folder, in words, where only its images or only its labels are."""
    for layout in shipped_layouts().values():
        for root in _roots(folder, layout):
            image, label = _first(root, layout.images[0], layout), _first(root, _label_patterns(layout), layout)
            match, missing = (image, _label_patterns(layout)[0]) if image else (label, layout.images[0][0])
            if match is not None and (image is None or label is None):
                return f"{match.path.relative_to(folder)} is as in {layout.name}, but nothing fits {missing!r} there"
    return None


def read_as(folder: Path, layout: Layout) -> Dataset:
    """The data set in the folder, which has this layout.

    Raises:
        InputError: no file fits, images or labels are missing, or two files fit for the same thing.
    """
    root = next((root for root in _roots(folder, layout) if _first(root, layout.images[0], layout)), None)
    if root is None:
        raise InputError(
            f"{folder}: no file fits the pattern {layout.images[0][0]!r} of the layout {layout.name}; give the folder "
            "in which it begins, or correct the pattern"
        )
    images = [_files(root, patterns, layout) for patterns in layout.images]
    labels = {} if layout.masks or layout.one_a_class else _files(root, layout.label, layout)
    masks = _mask_files(root, layout)
    refuse(chain(_image_problems(images, layout), _label_problems(images[0], labels, masks, layout)))
    cases = [_case(name, images, labels, masks, layout) for name in images[0]]
    return dataset_of_files(
        name=layout.name,
        folder=folder,
        channels=layout.channels,
        labels=layout.labels(tuple(masks)),
        cases=cases,
        left_out=tuple(_left_out(folder, {path for case in cases for path in case.paths}, layout)),
        spacing=layout.spacing,
    )


def _left_out(folder: Path, taken: set[Path], layout: Layout) -> Iterator[LeftOut]:
    used = {str(path) for path in taken}
    names: list[str] = []
    for home, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if f"{home}/{name}" not in used and not name.startswith("."))
        names += [f"{home}/{name}" for name in sorted(files) if f"{home}/{name}" not in used and name[0] != "."]
    if names:
        yield LeftOut(
            f"files that fit no pattern of {layout.name}", tuple(os.path.relpath(name, folder) for name in names)
        )


def _roots(folder: Path, layout: Layout) -> Iterator[Path]:
    return (folder / root for root in layout.roots if (folder / root).is_dir())


def _fits(root: Path, layout: Layout) -> bool:
    """Whether the first image has a label, which tells the layout without a look at every file."""
    image = _first(root, layout.images[0], layout)
    return image is not None and _first(root, _label_patterns(layout), layout) is not None


def _label_patterns(layout: Layout) -> tuple[str, ...]:
    return layout.label or tuple(chain.from_iterable(patterns for _, patterns in layout.masks))


def _first(root: Path, patterns: Sequence[str], layout: Layout) -> Match | None:
    return next(chain.from_iterable(find(root, pattern, dict(layout.limits)) for pattern in patterns), None)


Files = dict[str, list[Match]]
"""The files of every case, by the case's name."""


def _files(root: Path, patterns: Sequence[str], layout: Layout) -> Files:
    matches = chain.from_iterable(find(root, pattern, dict(layout.limits)) for pattern in patterns)
    return _by_case({match.path: match for match in matches}.values(), layout)


def _by_case(matches: Iterable[Match], layout: Layout) -> Files:
    files: Files = {}
    for match in matches:
        files.setdefault(filled(layout.case, match.texts), []).append(match)
    return files


def _mask_files(root: Path, layout: Layout) -> dict[str, Files]:
    """The files of each class, in the order in which they are painted; none where a label file holds all classes."""
    if layout.masks:
        return {name: _files(root, patterns, layout) for name, patterns in layout.masks}
    if not layout.one_a_class:
        return {}
    of_class: dict[str, list[Match]] = {name: [] for name, _ in layout.classes}
    for match in sorted(chain.from_iterable(_files(root, layout.label, layout).values()), key=_class):
        if match.texts[CLASS] in of_class or not layout.classes:
            of_class.setdefault(match.texts[CLASS], []).append(match)
    return {name: _by_case(matches, layout) for name, matches in of_class.items()}


def _class(match: Match) -> str:
    return match.texts[CLASS]


def _case(name: str, images: Sequence[Files], labels: Files, masks: Mapping[str, Files], layout: Layout) -> Case:
    first = images[0][name][0]
    label = labels[name][0].path if name in labels else None
    return Case(
        name,
        tuple(channel[name][0].path for channel in images),
        None if layout.by_name else label,
        filled(layout.group, first.texts),
        _structures(label, layout) if label and layout.by_name else _painted(name, masks),
    )


def _structures(label: Path, layout: Layout) -> tuple[Mask, ...]:
    """Of a file that holds several by name."""
    return tuple(Mask(label, value, _names(meaning)) for value, (_, meaning) in enumerate(layout.classes, start=1))


def _names(meaning: Meaning) -> tuple[str, ...]:
    return tuple(name for name in meaning if isinstance(name, str))


def _painted(name: str, masks: Mapping[str, Files]) -> tuple[Mask, ...]:
    numbered = enumerate(masks.values(), start=1)
    return tuple(Mask(match.path, value) for value, files in numbered for match in files.get(name, ()))


def _image_problems(images: Sequence[Files], layout: Layout) -> Iterator[str]:
    for channel, files in zip(layout.channels, images, strict=False):
        for name, matches in files.items():
            yield from _second(name, matches, "image")
            if name not in images[0]:
                yield f"{matches[0].path}: {_lacking(name, layout.channels[0])}"
        for name, matches in images[0].items():
            if name not in files:
                yield f"{matches[0].path}: {_lacking(name, channel)}"


def _lacking(name: str, channel: str) -> str:
    return f"case {name} lacks the channel '{channel}'; add its file, or delete the case"


def _label_problems(images: Files, labels: Files, masks: Mapping[str, Files], layout: Layout) -> Iterator[str]:
    for name, matches in labels.items():
        yield from _second(name, matches, "label")
    for files in (labels, *masks.values()):
        for name, matches in files.items():
            if name not in images:
                yield f"{matches[0].path}: a label without an image; add the image of case {name}, or delete the label"
    if layout.absent:
        return
    for name, matches in images.items():
        missing = [kind for kind, files in masks.items() if name not in files]
        if (not masks and name not in labels) or (masks and len(missing) == len(masks)):
            yield f"{matches[0].path}: an image without a label; add the label of case {name}, or delete the image"
        elif missing:
            yield (
                f"{matches[0].path}: case {name} has no file of the class '{missing[0]}'; add it, or say in the layout "
                "absent = true where a class without a file is not there"
            )


def _second(name: str, matches: Sequence[Match], what: str) -> Iterator[str]:
    for match in matches[1:]:
        yield f"{match.path}: a second {what} of case {name}, beside {matches[0].path}; move one of them away"
