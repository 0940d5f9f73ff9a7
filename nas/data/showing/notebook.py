"""What a notebook shows of data: a set and a case in tables; images as planes with outlines."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np

from nas.data.dataset import IGNORED, Case, Dataset, Volume
from nas.data.showing.drawing import Window, draw, sample, scale_of, styles
from nas.data.showing.planes import planes
from nas.errors import InputError

_PERCENTILES = (0.5, 99.5)
_SAMPLED = 100_000


def volume_html(volume: Volume, classes: Sequence[str] = ()) -> str:
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
        f"{_image(draw(plane, [0], [_window(volume)], scale, among), plane.caption or 'the image')}"
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


def case_html(case: Case) -> str:
    """A case's name and files."""
    label = [("label", str(case.label))] if case.label is not None else []
    masks = [(f"mask of class {mask.value}", str(mask.path)) for mask in case.masks]
    files = [*(("image", str(path)) for path in case.images), *label, *masks]
    group = [("group", case.group)] if case.group else []
    return _rows([("case", case.name), *group, *(files or [("files", "none: it is synthetic")])])


def dataset_html(dataset: Dataset) -> str:
    """What is in a data set, and its first case as planes; or why that cannot be read."""
    facts = [
        ("data", dataset.name),
        ("folder", str(dataset.folder) if dataset.folder else dataset.origin),
        ("cases", f"{len(dataset.cases)}, of {dataset.axes} axes"),
        ("channels", ", ".join(dataset.channels)),
        ("classes", ", ".join(dataset.classes)),
        *[("regions", ", ".join(region.name for region in dataset.regions))] * bool(dataset.regions),
    ]
    if not dataset.cases:
        return _rows(facts)
    first = dataset.cases[0]
    try:
        shown = volume_html(dataset.load(first), dataset.classes)
    except InputError as error:
        shown = f"<p>{escape(str(error))}</p>"
    return f"<div>{_rows(facts)}<p>{escape(first.name)}</p>{shown}</div>"


def _rows(facts: Iterable[tuple[str, str]]) -> str:
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f"<table>{''.join(rows)}</table>"


def _window(volume: Volume) -> Window:
    voxels = volume.image[0].ravel()
    low, high = np.percentile(voxels[:: max(len(voxels) // _SAMPLED, 1)], _PERCENTILES)
    return float(low), float(high)


def _image(picture: Any, alternative: str) -> str:
    file = BytesIO()
    picture.save(file, "PNG")
    return f'<img alt="{escape(alternative)}" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
