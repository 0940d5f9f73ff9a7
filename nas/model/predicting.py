"""All images of a folder, segmented into another: what is done is kept, what cannot be is told at the end."""

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from nas.data import Geometry, files, read_image
from nas.data.notes import Note
from nas.data.parallel import each
from nas.data.segments import SUFFIX, write_segments
from nas.errors import InputError
from nas.model.cleaning import class_index, drop_small, keep_largest
from nas.model.folder import load_model
from nas.model.labelling import labelling_of
from nas.model.memory import announced, expect_room
from nas.model.record import Done, Listed, Options, open_record
from nas.model.segmenting import CPU, Segmenter
from nas.model.suspicion import suspicions
from nas.model.trained import TrainedModel

_CHANNEL = re.compile(r"_(\d{4})$")


def list_images(folder: Path, axes: int) -> tuple[Listed, ...]:
    """The images of so many axes in a folder, sorted by name; files NAME_0000, NAME_0001 are the channels of NAME.

    NAME_0000 alone is NAME too, where all files are numbered so. Files of other kinds and hidden ones are passed over.
    A folder of DICOM slices is a volume, itself or anywhere in the folder, and is called by the way to it.

    Raises:
        InputError: the folder cannot be read or holds no image, or two files have one name.
    """
    if folder.is_file():
        return (Listed(files.stem(folder), (folder,)),)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with images to segment")
    series = files.series_in(folder) if axes == 3 else ()
    if folder in series:
        return (Listed(folder.resolve().name, (folder,)),)
    stems = {path: files.stem(path) for path in sorted(folder.iterdir()) if _is_image(path)}
    stems |= {path: "_".join(path.relative_to(folder).parts) for path in series}
    if not stems:
        expected = f"files that end in {', '.join(files.suffixes())}"
        expected += ", or folders of DICOM slices" if axes == 3 else ""
        raise InputError(f"{folder}: holds no image; expected {expected}")
    return _cases(stems)


def _cases(stems: dict[Path, str]) -> tuple[Listed, ...]:
    """Images of files, or of folders, by what these are called without their suffix."""
    numbers = [_CHANNEL.search(stem) for stem in stems.values()]
    numbered = all(numbers) and any(number and int(number[1]) == 0 for number in numbers)
    cases: dict[str, list[Path]] = {}
    for path, stem in stems.items():
        cases.setdefault(_CHANNEL.sub("", stem) if numbered else stem, []).append(path)
    for name, paths in cases.items():
        if len({stems[path] for path in paths}) < len(paths):
            raise InputError(
                f"{paths[0]} and {paths[1].name}: both would be segmented as {name}; move one to another folder"
            )
    return tuple(Listed(name, tuple(paths)) for name, paths in sorted(cases.items()))


def predict_folder(
    model_folder: Path,
    images: Path,
    to: Path,
    options: Options | None = None,
    *,
    device: torch.device = CPU,
    processes: int = 1,
    announce: Callable[[str], None] = lambda _: None,
    progress: Callable[[Done, int, int], None] = lambda *_: None,
) -> tuple[Done, ...]:
    """Segment all images of a folder.

    A segmentation is called as its image and holds the values that stand for classes in the files that the model was
    trained on. A folder that this very model began with these options is gone on with: what is done is not done again.

    Args:
        model_folder: what `save_model` wrote.
        images: a folder, or one file.
        to: a new or an empty folder, or one that was begun so.
        options: what is done beside segmenting.
        device: that runs the networks.
        processes: images at a time, each in a process with memory of its own.
        announce: hears in words what is going to be done, and how much memory that takes.
        progress: hears of each image, and how many of how many are done.

    Returns:
        What became of each image, those of an interrupted run among them. An image that cannot be used raises nothing;
        its reason is returned.

    Raises:
        InputError: the model, the options or the folders cannot be used, or the disk is full.
    """
    options = options or Options()
    model = load_model(model_folder)
    listed = list_images(images, model.axes)
    _expect_classes(model, options)
    worker = _worker(model, model_folder, to, options, device, min(processes, len(listed)))
    record = open_record(to, model_folder, options, labelling_of(model, segments=options.segments).to_json())
    waiting = [image for image in listed if not record.holds(image)]
    announce(announced(model, listed, waiting, options, processes, device))
    try:
        for number, result in enumerate(each(worker, waiting, processes), len(listed) - len(waiting) + 1):
            record.add(result)
            progress(result, number, len(listed))
    except OSError as error:
        raise InputError(
            f"{to}: cannot be written ({error.strerror or error}); free space and give the same command again: what is "
            "finished is kept"
        ) from error
    return tuple(record.results[image.name] for image in listed)


def _worker(
    model: TrainedModel, folder: Path, to: Path, options: Options, device: torch.device, processes: int
) -> "_Worker":
    """What segments; weights of another network are refused here, not with each image."""
    if processes <= 1:
        ready = Segmenter(model, device, overlap=options.overlap)
        return _Worker(folder.resolve(), to.resolve(), options, str(device), torch.get_num_threads(), ready)
    model.networks()
    threads = max(torch.get_num_threads() // processes, 1)
    return _Worker(folder.resolve(), to.resolve(), options, str(device), threads)


@dataclass(frozen=True)
class _Worker:
    """Segments one image after the other, in whichever process it finds itself; `ready` in the one that made it."""

    model: Path
    to: Path
    options: Options
    device: str
    threads: int
    ready: Segmenter | None = None

    @cached_property
    def _segmenter(self) -> Segmenter:
        if self.ready is not None:
            return self.ready
        torch.set_num_threads(self.threads)
        return Segmenter(load_model(self.model), torch.device(self.device), overlap=self.options.overlap)

    def __call__(self, image: Listed) -> Done:
        """What becomes of an image. Raises OSError where results cannot be written: no fault of the image's."""
        try:
            return self._segmented(image)
        except InputError as error:
            return Done(image.name, image.names, image.stamp, reason=str(error))
        except MemoryError:
            reason = "does not fit in memory; crop or resample it, or use fewer --processes"
            return Done(image.name, image.names, image.stamp, reason=f"{image.paths[0]}: {reason}")

    def _segmented(self, image: Listed) -> Done:
        start, model = time.monotonic(), self._segmenter.model
        if self.options.segments and not image.paths[0].is_dir():
            raise InputError(
                f"{image.paths[0]}: is no folder of DICOM slices, which --as dicom-seg is for; leave it out"
            )
        expect_room(model, image, self.options)
        stored = read_image(image.paths, model.axes, model.channels)
        found = self._segmenter(stored, probabilities=self.options.probabilities)
        classes = cleaned(found.classes, model, stored.geometry.spacing, self.options)
        if found.probabilities is not None:
            _write_probabilities(self.to / f"{image.name}.npz", found.probabilities, model.classes)
        path = self._written(image, classes, stored.geometry)
        return Done(
            name=image.name,
            images=image.names,
            stamp=image.stamp,
            file=path.name,
            warnings=(*map(_in_words, stored.notes), *suspicions(model, stored)),
            shape=classes.shape,
            spacing=tuple(stored.geometry.spacing) if stored.geometry.measured else None,
            voxels={name: int((classes == index).sum()) for index, name in enumerate(model.classes) if index},
            seconds=round(time.monotonic() - start, 3),
        )

    def _written(self, image: Listed, classes: npt.NDArray[np.uint8], geometry: Geometry) -> Path:
        """The file of a segmentation."""
        model, source = self._segmenter.model, image.paths[0]
        if self.options.segments:
            path = self.to / f"{image.name}{SUFFIX}"
            write_segments(path, classes, model.classes, source, str(model.provenance.get("study") or "nas"))
            return path
        values = np.array(model.values, np.min_scalar_type(max(model.values)))
        path = self.to / f"{image.name}{files.label_suffix(source, classes.ndim)}"
        files.write_label(path, values[classes], geometry, source)
        return path


def cleaned(
    classes: npt.NDArray[np.uint8], model: TrainedModel, spacing: Sequence[float], options: Options
) -> npt.NDArray[np.uint8]:
    """A segmentation without what the options take out of it."""
    voxel = float(np.prod(spacing))
    for name, least in options.least.items():
        classes = drop_small(classes, class_index(name, model.classes, "--minimum-volume"), least / voxel)
    for name in options.largest:
        classes = keep_largest(classes, class_index(name, model.classes, "--largest"))
    return classes


def _expect_classes(model: TrainedModel, options: Options) -> None:
    """Refuse the name of a class that the model has not before the first image is read."""
    for name in options.largest:
        class_index(name, model.classes, "--largest")
    for name in options.least:
        class_index(name, model.classes, "--minimum-volume")


def _in_words(note: Note) -> str:
    return f"{note.text} ({note.figures})" if note.figures else note.text


def _is_image(path: Path) -> bool:
    there = path.is_file() or path.is_symlink()  # one that leads nowhere is told of when it is read
    return there and not path.name.startswith(".") and path.name.lower().endswith(files.suffixes())


def _write_probabilities(path: Path, values: npt.NDArray[np.float32], classes: Sequence[str]) -> None:
    """Half precision: what a tenth of a percent is lost by, no one's map of probabilities shows."""
    aside = path.with_name(f".{os.getpid()}.npz")
    try:
        np.savez_compressed(aside, probabilities=values.astype(np.float16), classes=np.array(json.dumps(list(classes))))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
