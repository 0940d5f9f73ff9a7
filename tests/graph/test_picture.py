"""A picture is valid SVG that shows every stage once, in the row of its resolution, and whose arrows cross no box."""

import random
import re
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree

import pytest

import nas
from nas.architecture import EncoderDecoder
from nas.catalog import task_of
from nas.graph import Ops, Style, Tensor
from nas.graph.picture import draw
from search_spaces.unet_family import SPACE

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    name: str
    lines: tuple[str, ...]
    left: float
    top: float
    right: float
    bottom: float
    fill: str

    def meets(self, other: "Box") -> bool:
        return not (
            self.right <= other.left or other.right <= self.left or self.bottom <= other.top or other.bottom <= self.top
        )


@dataclass(frozen=True)
class Picture:
    """What is to be seen."""

    texts: tuple[str, ...]
    boxes: dict[str, Box]
    arrows: tuple[tuple[Point, ...], ...]
    skips: tuple[tuple[Point, ...], ...]
    width: float
    height: float

    def ends(self, arrow: tuple[Point, ...]) -> tuple[str, str]:
        """The boxes at which an arrow begins and ends."""
        start, end = (
            next(
                name
                for name, box in self.boxes.items()
                if box.left - 1 <= x <= box.right + 1 and box.top - 1 <= y <= box.bottom + 1
            )
            for x, y in (arrow[0], arrow[-1])
        )
        return start, end


def look(graph: nas.Graph, title: str = "") -> Picture:
    root = ElementTree.fromstring(draw(graph, title))
    boxes = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        name = group.findtext(f"{SVG}title") or ""
        lines = tuple(text.text or "" for text in group.iter(f"{SVG}text"))
        boxes[name] = Box(name, lines, x, y, x + width, y + height, rect.attrib["fill"])
    arrows: list[tuple[Point, ...]] = []
    skips: list[tuple[Point, ...]] = []
    for path in root.iter(f"{SVG}path"):
        if "marker-end" in path.attrib and "h28" not in path.attrib["d"]:
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
            points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            (skips if "stroke-dasharray" in path.attrib else arrows).append(points)
    texts = tuple(text.text or "" for text in root.iter(f"{SVG}text"))
    width, height = (float(root.attrib[key]) for key in ("width", "height"))
    return Picture(texts, boxes, tuple(arrows), tuple(skips), width, height)


def published(name: str) -> nas.Graph:
    member = next(member for member in SPACE.members if member.name == name)
    return nas.trace(member.architecture, task_of(member))


def sample(seed: int) -> nas.Graph:
    axes = 2 + seed % 2
    strides = (None, ((1, *(2,) * (axes - 1)),) * 2 + ((2,) * axes,) * 2)[seed % 3 == 0]
    architecture: EncoderDecoder = SPACE.decide(random.Random(seed))
    return nas.trace(architecture, nas.Task(axes, 1, 3, patch=(256,) * axes, strides=strides))


def check_geometry(picture: Picture) -> None:
    boxes = list(picture.boxes.values())
    for index, box in enumerate(boxes):
        assert box.left >= 0
        assert box.right <= picture.width
        assert box.bottom <= picture.height
        assert not any(box.meets(other) for other in boxes[index + 1 :]), box.name
    for arrow in (*picture.arrows, *picture.skips):
        ends = picture.ends(arrow)
        for (x1, y1), (x2, y2) in pairwise(arrow):
            assert x1 == x2 or y1 == y2
            line = Box("", (), min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1, "")
            assert not any(line.meets(box) for name, box in picture.boxes.items() if name not in ends), ends


@pytest.mark.parametrize("name", SPACE.references)
def test_a_published_network_is_drawn_without_crossings(name: str) -> None:
    check_geometry(look(published(name), name))


def test_random_networks_are_drawn_without_crossings() -> None:
    for seed in range(60):
        check_geometry(look(sample(seed)))


def test_a_u_net_is_a_u() -> None:
    boxes = look(published("U-Net")).boxes
    down, up = [boxes[f"encoder.{i}"] for i in range(5)], [boxes[f"decoder.{i}"] for i in range(4)]
    assert len({box.left for box in down[:4]}) == 1
    assert len({box.left for box in up}) == 1
    assert [box.top for box in up] == [box.top for box in down[3::-1]]
    assert down[3].right < down[4].left < down[4].right < up[0].left
    assert boxes["input"].right < down[0].left
    assert up[3].right < boxes["head"].left


def test_all_heads_stand_in_one_column_on_the_right() -> None:
    boxes = look(published("nnU-Net")).boxes
    heads = [boxes[name] for name in ("head", "auxiliary.0", "auxiliary.1")]
    assert len({box.left for box in heads}) == 1
    assert heads[0].left > max(box.right for name, box in boxes.items() if name.startswith("decoder"))


SKIPS = [
    ("U-Net", {"encoder.3": "decoder.0", "encoder.2": "decoder.1", "encoder.1": "decoder.2", "encoder.0": "decoder.3"}),
    (
        "ResNet-18 U-Net",
        {"encoder.2": "decoder.0", "encoder.1": "decoder.1", "encoder.0": "decoder.2", "stem": "decoder.3"},
    ),
    ("DeepLabv3+ R50", {"encoder.0": "decoder"}),
]


@pytest.mark.parametrize(("name", "skips"), SKIPS, ids=[name for name, _ in SKIPS])
def test_skips_go_straight_across(name: str, skips: dict[str, str]) -> None:
    picture = look(published(name))
    assert dict(map(picture.ends, picture.skips)) == skips
    assert all(len(arrow) == 2 and arrow[0][1] == arrow[1][1] for arrow in picture.skips)


BOXES = [
    ("U-Net", "input", ("Image", "1 channel", "256 × 256")),
    ("U-Net", "encoder.1", ("Plain × 2", "128 channels, stride 2", "MaxPool", "221 k parameters")),
    ("U-Net", "decoder.0", ("Plain × 2", "512 channels, stride 8", "Transposed + Concatenate", "9.18 M parameters")),
    ("U-Net", "head", ("Head", "1 channel, stride 1", "65 parameters")),
    ("DeepLabv3+ R50", "bridge", ("ASPP", "256 channels, stride 16", "15.5 M parameters")),
    ("DeepLabv3+ R50", "decoder", ("Plain × 2", "256 channels, stride 4", "Wide", "1.30 M parameters")),
    ("nnU-Net", "auxiliary.0", ("Head", "3 channels, stride 2", "195 parameters")),
]


@pytest.mark.parametrize(("name", "stage", "lines"), BOXES)
def test_a_box_says_what_stands_there(name: str, stage: str, lines: tuple[str, ...]) -> None:
    assert look(published(name)).boxes[stage].lines == lines


def test_the_head_line_gives_the_totals() -> None:
    assert look(published("U-Net"), "U-Net").texts[:2] == (
        "U-Net",
        "31.0 M parameters, 48.1 G multiply-accumulates for 256 × 256",
    )


def test_kinds_have_colours_of_their_own_and_a_legend() -> None:
    picture = look(published("ResNeSt-50 U-Net"))
    colours = {picture.boxes[name].fill for name in ("stem", "encoder.0", "decoder.0", "head")}
    assert len(colours) == 4
    assert picture.boxes["encoder.0"].fill == picture.boxes["encoder.3"].fill
    assert picture.boxes["decoder.0"].fill == look(published("U-Net")).boxes["decoder.0"].fill
    assert picture.texts[-5:] == ("ResNetStem", "SplitAttention", "Plain", "Head", "skip connection")


def test_strides_per_axis_have_rows_of_their_own() -> None:
    task = nas.Task(3, 1, 3, patch=(16, 64, 64), strides=((1, 2, 2), (2, 2, 2)))
    texts = look(nas.trace(SPACE.references["nnU-Net"], task)).texts
    assert [text for text in texts if text.startswith("stride")] == ["stride 1", "stride 1×2×2", "stride 2×4×4"]
    assert "16 × 32 × 32" in texts


class Entangled:
    """A network without stages, in which one scope is entered again after another."""

    style = Style()

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        for name in ("a", "b", "a", "b"):
            with ops.scope(name):
                x = ops.max_pool(ops.conv(x, 4), 2, (2, 2))
        return (ops.conv(ops.resize(x, (1, 1)), 2, name="last"),)


def test_a_network_of_any_form_can_be_drawn() -> None:
    boxes = look(nas.trace(Entangled(), nas.Task(2, 1, 2))).boxes
    assert list(boxes) == ["input", "a", "b", "resize", "last"]
    assert boxes["last"].lines[0] == "Convolution"


def test_a_title_is_text_whatever_is_in_it() -> None:
    title = "<script>alert('&')</script>"
    written = draw(published("U-Net"), title)
    assert look(published("U-Net"), title).texts[0] == title
    assert "<script" not in written


def test_it_brings_its_background_and_needs_nothing_else() -> None:
    root = ElementTree.fromstring(draw(published("U-Net")))
    background = root.find(f"{SVG}rect")
    assert background is not None
    assert (background.attrib["width"], background.attrib["height"]) == ("100%", "100%")
    assert not {element.tag.removeprefix(SVG) for element in root.iter()} & {"script", "style", "image", "use"}
