"""Where a page shows cases as volumes: what is chosen in it, what it says, and what its script reads."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence

from nas.report import libraries
from nas.report.images import Images
from nas.report.markup import data_block, plain
from nas.report.volumes import CaseVolume
from nas.study.history import Document

_HELP = (
    "Drag the volume to turn it. Click a slice to go there; after that the wheel goes through the slices. With the "
    "keyboard, use the two sliders. Volumes are cut around the structures and may be coarser than the image."
)


def volumes(images: Images) -> Iterator[str]:
    """The viewer of cases that are volumes; nothing where there are none. Without scripts it stays hidden."""
    cases = [(case.title, case.volume) for case in images.cases if case.volume is not None]
    if not cases:
        return
    labels = [name for name, _ in cases[0][1].labels]
    yield '<div id="volume" hidden><h3>As volumes to turn and scroll</h3>'
    yield f'<p id="volume-told">{_HELP}</p><div id="volume-controls"><div class="choices">'
    yield from _choice("case", "Case", [title for title, _ in cases])
    yield from _choice("seen", "Structures seen by", [*labels, "nobody"])
    yield from _slider("turn", "Turn", 0, 359, 120)
    yield from _slider("slice", "Height of the slice", 0, 100, 50)
    yield "</div>"
    label = 'aria-label="The chosen case as a volume and in three slices" aria-describedby="volume-told"'
    yield f'<div id="volume-frame"><canvas id="volume-canvas" tabindex="0" {label}></canvas></div></div>'
    yield '<details><summary>Shown by NiiVue; its licence</summary><pre tabindex="0">'
    yield f"{plain(libraries.licences())}</pre></details></div>"
    yield data_block("volumes", {"cases": [_packed(volume) for _, volume in cases], "colours": _colours(images)})


def _choice(name: str, title: str, options: Sequence[str]) -> Iterator[str]:
    yield f'<label for="volume-{name}">{title}</label> <select id="volume-{name}">'
    yield from (f'<option value="{number}">{plain(option)}</option>' for number, option in enumerate(options))
    yield "</select>"


def _slider(name: str, title: str, least: int, most: int, value: int) -> Iterator[str]:
    yield f'<label for="volume-{name}">{title}</label>'
    yield f'<input type="range" id="volume-{name}" min="{least}" max="{most}" value="{value}">'


def _packed(volume: CaseVolume) -> Document:
    return {
        "image": b64encode(volume.image).decode(),
        "labels": [[name, b64encode(label).decode()] for name, label in volume.labels],
        "oriented": volume.oriented,
    }


def _colours(images: Images) -> list[list[int]]:
    """Red, green and blue of each class, in order."""
    return [[int(part) for part in re.findall(r"\d+", colour)] for colour, _ in images.legend]
