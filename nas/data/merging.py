"""The label of a case: its label file, or the masks of its classes and instances painted over each other."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from nas.data import files
from nas.data.dataset import Case
from nas.data.files import StoredImage
from nas.data.images import grid_problems
from nas.data.notes import Note
from nas.data.problems import refuse


def read_label(case: Case, image: StoredImage) -> tuple[Path, StoredImage]:
    """The label and the file that stands for it in a message; background alone for a case that has no file.

    Args:
        case: which case.
        image: the first file of its image, on whose grid the label lies.

    Raises:
        InputError: a file cannot be read, or does not lie on the image's grid.
    """
    if case.label is not None:
        return case.label, _fitted(files.read_label(case.label, image), image)
    merged = np.zeros((1, *image.shape), np.uint8)
    notes: list[Note] = []
    for mask in case.masks:
        stored = _fitted(files.read_mask(mask.path, mask.structure, image), image)
        refuse(grid_problems(case.images[0], image, mask.path, stored))
        merged[stored.voxels] = mask.value
        notes += stored.notes
    return case.paths[-1], replace(image, voxels=merged, notes=tuple(dict.fromkeys(notes)), palette=None)


def _fitted(label: StoredImage, image: StoredImage) -> StoredImage:
    """A volume of one slice as a picture, where the image is one."""
    return files.as_slice(label) if len(image.shape) == 2 else label
