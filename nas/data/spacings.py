"""The spacing that a JSON file beside an image gives, as nnU-Net has it for 3D TIFF: {"spacing": [8.0, 0.4, 0.5]}."""

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from nas.data.json_files import read_json, shortened
from nas.data.notes import Note
from nas.data.stored import StoredImage
from nas.errors import InputError

SAME = 0.01
"""The share by which spacings may differ that are the same."""


def with_spacing_beside(path: Path, stem: str, stored: StoredImage) -> StoredImage:
    """The image with the spacing of the JSON file beside it, where there is one; formats with an affine need none.

    The file is called as the image is, with or without the number of its channel.

    Raises:
        InputError: it gives no such spacing.
    """
    if stored.affine is not None:
        return stored
    for name in dict.fromkeys((stem, re.sub("_[0-9]{4}$", "", stem))):
        beside = path.with_name(f"{name}.json")
        if beside.is_file():
            spacing = _spacing(beside, len(stored.spacing))
            if spacing is not None:
                return replace(stored, spacing=spacing, measured=True, notes=stored.notes + _note(stored, spacing))
    return stored


def differ(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two spacings differ by more than 1% along an axis."""
    return any(not abs(one - other) <= SAME * abs(other) for one, other in zip(first, second, strict=True))


def in_words(spacing: Sequence[float]) -> str:
    """A spacing as people say it: 0.5 x 0.6 x 4."""
    return " x ".join(f"{step:.4g}" for step in spacing)


def _spacing(path: Path, axes: int) -> tuple[float, ...] | None:
    content: Any = read_json(path)
    if not isinstance(content, dict) or "spacing" not in content:
        return None  # of another program: notes, outlines
    steps = content["spacing"]
    if isinstance(steps, list) and len(steps) == axes + 1 == 3:
        steps = steps[1:]  # nnU-Net's way of pictures, whose first axis has one voxel
    usable = isinstance(steps, list) and len(steps) == axes
    if not usable or not all(_is_length(step) for step in steps):
        raise InputError(
            f"{path}: field 'spacing': found {shortened(content['spacing'])}; expected {axes} numbers above 0, the mm "
            "between voxels along each axis"
        )
    return tuple(float(step) for step in steps)


def _is_length(step: Any) -> bool:
    return isinstance(step, int | float) and not isinstance(step, bool) and isfinite(step) and step > 0


def _note(stored: StoredImage, spacing: tuple[float, ...]) -> tuple[Note, ...]:
    if not stored.measured or not differ(stored.spacing, spacing):
        return ()
    figures = f"JSON {in_words(spacing)}, file {in_words(stored.spacing)} mm"
    return (
        Note("the spacing in the JSON file differs from that in the file itself: that of the JSON is taken", figures),
    )
