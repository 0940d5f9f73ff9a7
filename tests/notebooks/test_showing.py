"""Spaces, graphs, architectures, cases, segmentations and progress show themselves in a notebook."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nas
from nas.architecture import EncoderDecoder, Stage
from nas.catalog import load_space
from nas.data import IGNORED, Geometry, Image, Volume, open_dataset
from nas.data.dataset import Case, Dataset, Mask
from nas.data.drawing.notebook import volume_html
from nas.errors import InputError
from nas.model import segment
from nas.searching.events import Note, TrialEnded, TrialStarted, Working
from nas.space import Space, one_of
from nas.study.history import State, Trial
from tests.gallery.test_gallery import Reader, hostile_space
from tests.model.factories import model

HOSTILE = "<script>alert('&')</script>"


def volume(shape: tuple[int, ...], *values: int) -> Volume:
    label = np.zeros(shape, np.uint8)
    for number, value in enumerate(values):
        label[4 + 3 * number : 7 + 3 * number, 3:9] = value
    image = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    return Volume(image, label, Geometry((1.0,) * len(shape)))


@pytest.mark.parametrize("name", ["tiny", "unet_family"])
def test_a_space_shows_its_choices_and_networks(name: str) -> None:
    space = load_space(name)
    found = Reader(space._repr_html_())
    assert set(space.choices()) <= set(found.texts)
    assert sum(tag == "tr" for tag, _ in found.tags) == 1 + len(space.choices())


def test_what_a_space_says_is_text() -> None:
    found = Reader(hostile_space()._repr_html_())
    assert "script" not in {tag for tag, _ in found.tags}


def test_a_graph_and_an_architecture_are_drawn() -> None:
    architecture = load_space("unet_family").references["U-Net"]
    for picture in (nas.trace(architecture, nas.Task(2, 1, 2))._repr_svg_(), architecture._repr_svg_() or ""):
        assert ElementTree.fromstring(picture).attrib["role"] == "img"


def test_an_architecture_that_cannot_be_traced_shows_as_python_does() -> None:
    assert load_space("unet_family").template._repr_svg_() is None
    assert EncoderDecoder(encoder=(Stage("nothing"),))._repr_svg_() is None  # type: ignore[arg-type]
    assert Space("open", EncoderDecoder(width=one_of(4, 8))).template._repr_svg_() is None


def test_a_case_of_a_data_set_shows_its_files_and_the_set_its_first_case(tmp_path: Path) -> None:
    case = Case(HOSTILE, (tmp_path / "image.nii",), tmp_path / "label.nii", "patient 1", (Mask(tmp_path / "m.png", 2),))
    found = Reader(case._repr_html_())
    assert {HOSTILE, str(tmp_path / "image.nii"), str(tmp_path / "label.nii"), "patient 1"} <= set(found.texts)
    assert "script" not in {tag for tag, _ in found.tags}
    synthetic = open_dataset(None)
    assert "none: it is synthetic" in Reader(synthetic.cases[0]._repr_html_()).texts
    shown = Reader(synthetic._repr_html_())
    assert synthetic.cases[0].name in shown.texts
    assert sum(tag == "img" for tag, _ in shown.tags) == 3  # the case, and how two classes are outlined


def test_a_data_set_that_cannot_be_read_says_why() -> None:
    def broken(case: Case) -> Volume:
        raise InputError(f"{HOSTILE}: is cut off")

    broken_set = Dataset("d", None, 2, ("x",), ("background", "a"), (Case("a"),), broken)
    found = Reader(broken_set._repr_html_())
    assert f"{HOSTILE}: is cut off" in found.texts
    assert Reader(replace(broken_set, cases=())._repr_html_()).texts


@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 18)])
@pytest.mark.parametrize("values", [(), (1, 2), (1, IGNORED), (9,)])
def test_a_case_shows_planes_and_the_classes_in_them(shape: tuple[int, ...], values: tuple[int, ...]) -> None:
    found = Reader(volume(shape, *values)._repr_html_())
    present = [value for value in values if value != IGNORED]
    images = [attributes for tag, attributes in found.tags if tag == "img"]
    assert len(images) == (1 if len(shape) == 2 else 3) + len(present)
    assert all((attributes["src"] or "").startswith("data:image/png;base64,") for attributes in images)
    assert all(f"class {value}" in found.texts for value in present)


def test_names_of_classes_are_text() -> None:
    found = Reader(volume_html(volume((24, 20), 1), ("background", HOSTILE)))
    assert HOSTILE in found.texts


def test_a_segmentation_shows_the_image_that_it_is_of() -> None:
    trained = model()
    image = Image(np.random.default_rng(1).normal(size=(1, 20, 18, 16)).astype(np.float32), Geometry((1.0, 1.5, 2.0)))
    shown = segment(trained, image)._repr_html_()
    assert shown is not None
    assert sum(tag == "figure" for tag, _ in Reader(shown).tags) == 3


class Handle:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, text: str) -> None:
        self.shown.append(text)


def test_progress_shows_text_in_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle()
    monkeypatch.setattr("nas.searching.notebook._shower", lambda: handle)
    progress = nas.Progress()
    for event in (Note(HOSTILE), TrialStarted(3, HOSTILE, 5, 6), Working(HOSTILE, 2, 7), Working("waiting", 0, 0)):
        progress(event)
        assert "script" not in {tag for tag, _ in Reader(handle.shown[-1]).tags}
    assert '<progress max="7" value="2">' in handle.shown[2]
    assert HOSTILE in "".join(Reader(handle.shown[-1]).texts)


def test_progress_says_how_a_published_network_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle()
    monkeypatch.setattr("nas.searching.notebook._shower", lambda: handle)
    trial = Trial(
        number=0,
        decisions={},
        digest="digest",
        recipe_digest="recipe",
        reference="<b>U-Net</b>",
        refusal=State.INFEASIBLE,
    )
    nas.Progress()(TrialEnded(trial, 1, 3))
    assert "1 of 3 networks" in handle.shown[-1]
    assert "<b>U-Net</b>: infeasible" in Reader(handle.shown[-1]).texts


def test_progress_prints_lines_where_there_is_no_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    nas.Progress()(Note("published networks first"))
    assert capsys.readouterr().err == "published networks first\n"
