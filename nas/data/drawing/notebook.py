"""What a notebook shows of data: a set and a case in tables; images as planes with outlines."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np

from nas.data.drawing.picture import draw, sample, scale_of, styles, window_of
from nas.data.drawing.planes import planes
from nas.data.labelled import IGNORED, Labelled
from nas.errors import InputError


def volume_html(volume: Labelled, classes: Sequence[str] = ()) -> str:
    """Planes of the first channel with the outlines of its classes.

    Args:
        volume: what is shown.
        classes: their names, background first; without any their numbers.
    """
    present = [int(value) for value in np.unique(volume.label) if value not in (0, IGNORED)]
    most = max(present, default=0)
    names = [*classes, *(f"class {number}" for number in range(len(classes), most + 1))]
    among, drawn = styles(names), planes(volume)
    unit = "mm" if volume.geometry.measured else "px"
    scale = scale_of(drawn, unit, "voxel" if len(drawn) > 1 else "pixel")
    figures = "".join(
        f'<figure style="display:inline-block;margin:0 .6em .6em 0">'
        f"{_image(draw(plane, [0], [window_of(volume.image[0])], scale, among), plane.caption or 'the image')}"
        f"<figcaption>{escape(plane.caption)}</figcaption></figure>"
        for plane in drawn
    )
    rows = "".join(
        f"<tr><td>{style.number}</td><td>{_image(sample(style), '')}</td><td>{escape(style.name)}</td></tr>"
        for style in among
        if style.number in present
    )
    shape = " × ".join(map(str, volume.label.shape))
    spacing = " × ".join(f"{step:.3g}" for step in volume.geometry.spacing)
    size = f"{spacing} mm" if volume.geometry.measured else "unknown size"
    unit_name = "voxels" if volume.label.ndim == 3 else "pixels"
    facts = f"{shape} {unit_name} of {size}, {len(volume.image)} channel{'' if len(volume.image) == 1 else 's'}"
    return f"<div><p>{facts}</p>{figures}<table>{rows}</table></div>"


def dataset_html(
    facts: Sequence[tuple[str, str]], first: Mapping[str, Callable[[], Labelled]], classes: Sequence[str]
) -> str:
    """What is in a data set, and its first case as planes; or why that cannot be read.

    Args:
        facts: names and values.
        first: the name of the first case, and what reads it; none where there is no case.
        classes: names, background first.
    """
    shown = "".join(f"<p>{escape(name)}</p>{_read(load, classes)}" for name, load in first.items())
    return f"<div>{facts_html(facts)}{shown}</div>"


def _read(load: Callable[[], Labelled], classes: Sequence[str]) -> str:
    try:
        return volume_html(load(), classes)
    except InputError as error:
        return f"<p>{escape(str(error))}</p>"


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values, as a table."""
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f"<table>{''.join(rows)}</table>"


def _image(picture: Any, alternative: str) -> str:
    file = BytesIO()
    picture.save(file, "PNG")
    return f'<img alt="{escape(alternative)}" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
