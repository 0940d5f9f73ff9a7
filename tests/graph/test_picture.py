"""A picture shows every stage once, in the row of its resolution; its arrows cross no block and its texts no other."""

import random
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pytest

import nas
from nas.architecture import EncoderDecoder
from nas.catalog import load_space, task_of
from nas.graph import Ops, Style, Tensor
from nas.graph.picture import compare, draw, draw_both, thumbnail
from nas.graph.picture.layout import Drawn, Layout
from nas.graph.picture.pdf import pdf
from nas.graph.picture.shapes import Block, Line, Sheet
from nas.graph.picture.stages import outline
from nas.graph.picture.svg import PALETTE, colours_of
from search_spaces.unet_family import SPACE
from tests.test_documents import write_spaces

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box", by: float = 0) -> bool:
        return (
            self.left < other.right - by
            and other.left < self.right - by
            and self.top < other.bottom - by
            and other.top < self.bottom - by
        )


def box_of(block: Block) -> Box:
    return Box(block.left, block.top, block.right, block.bottom)


def pieces(line: Line) -> Iterator[Box]:
    for (x1, y1), (x2, y2) in pairwise(line.points):
        assert x1 == x2 or y1 == y2
        yield Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def published(name: str) -> nas.Graph:
    member = next(member for member in SPACE.members if member.name == name)
    return nas.trace(member.architecture, task_of(member))


def sample(seed: int) -> nas.Graph:
    axes = 2 + seed % 2
    strides = (None, ((1, *(2,) * (axes - 1)),) * 2 + ((2,) * axes,) * 2)[seed % 3 == 0]
    architecture: EncoderDecoder = SPACE.decide(random.Random(seed))
    return nas.trace(architecture, nas.Task(axes, 1, 3, patch=(256,) * axes, strides=strides))


def sheet_of(graph: nas.Graph, *, worded: bool = True) -> Sheet:
    return Layout([Drawn(graph, "network")], worded=worded).sheet()


def check(sheet: Sheet) -> None:
    named = [block for block in sheet.blocks if block.name]
    for block in named:
        box = box_of(block)
        assert 0 <= box.left < box.right <= sheet.width
        assert 0 <= box.top < box.bottom <= sheet.height
    for first, second in combinations(named, 2):
        assert not box_of(first).meets(box_of(second)), (first.name, second.name)
    for line in sheet.lines:
        for piece in pieces(line):
            crossed = [block.name for block in named if box_of(block).meets(piece, by=0.5)]
            assert not crossed, (line, crossed)


def blocks_of(graph: nas.Graph) -> dict[str, Block]:
    return {block.name: block for block in sheet_of(graph).blocks if block.name}


@pytest.mark.parametrize("worded", [True, False])
@pytest.mark.parametrize("name", SPACE.references)
def test_a_published_network_is_drawn_without_crossings(name: str, worded: bool) -> None:
    check(sheet_of(published(name), worded=worded))


def test_random_networks_are_drawn_without_crossings() -> None:
    for seed in range(60):
        check(sheet_of(sample(seed)))


@pytest.mark.parametrize("name", SPACE.references)
def test_texts_do_not_lie_on_each_other(name: str) -> None:
    words = [word for word in sheet_of(published(name)).words if word.text]
    boxes = []
    for word in words:
        width = 0.5 * word.size * len(word.text)
        left = word.x - {"start": 0.0, "middle": width / 2, "end": width}[word.anchor]
        boxes.append((Box(left, word.y - word.size * 0.75, left + width, word.y), word.text))
    for (first, text), (second, other) in combinations(boxes, 2):
        assert not first.meets(second), (text, other)


def test_a_u_net_is_a_u_of_steps() -> None:
    blocks = blocks_of(published("U-Net"))
    down, up = [blocks[f"encoder.{i}"] for i in range(5)], [blocks[f"decoder.{i}"] for i in range(4)]
    for first, second in pairwise(down):
        assert first.bottom < second.top
        assert first.right < second.right
        assert first.height > second.height
    for first, second in pairwise([down[-1], *up]):
        assert second.bottom < first.top
        assert first.right < second.right
    assert [block.top for block in up] == [block.top for block in down[3::-1]]
    assert blocks["input"].right < down[0].left
    assert up[3].right < blocks["head"].left


def test_a_nested_decoder_is_a_triangle() -> None:
    blocks = blocks_of(published("U-Net++ R18"))
    rows: dict[float, list[Block]] = {}
    for block in blocks.values():
        rows.setdefault(block.top + block.height / 2, []).append(block)
    assert [len(rows[y]) for y in sorted(rows)] == [3, 5, 4, 3, 2, 1]


SKIPS = [
    ("U-Net", {("encoder.3", "decoder.0"), ("encoder.2", "decoder.1"), ("encoder.0", "decoder.3")}, ("concatenate",)),
    ("ResNet-18 U-Net", {("encoder.2", "decoder.0"), ("stem", "decoder.3")}, ("concatenate",)),
    ("Attention U-Net", {("encoder.3", "decoder.0"), ("encoder.0", "decoder.3")}, ("gate", "concatenate")),
    ("SegResNet", {("encoder.2", "decoder.0"), ("encoder.0", "decoder.2")}, ("add",)),
    ("LinkNet R18", {("encoder.2", "decoder.0"), ("stem", "decoder.3")}, ("add",)),
    ("U-Net++ R18", {("stem", "decoder.1.1"), ("stem", "decoder.1.4"), ("decoder.1.2", "decoder.1.4")}, None),
    ("DeepLabv3+ R50", {("encoder.0", "decoder")}, ("concatenate",)),
]


@pytest.mark.parametrize(("name", "skips", "joins"), SKIPS, ids=[name for name, *_ in SKIPS])
def test_skips_are_found_with_how_they_join(
    name: str, skips: set[tuple[str, str]], joins: tuple[str, ...] | None
) -> None:
    drawn = outline(published(name))
    names = [stage.name for stage in drawn.stages]
    ways = {(names[link.source], names[link.target]): link.joins for link in drawn.links if not link.is_main}
    assert skips <= ways.keys()
    assert set(ways.values()) == {joins or ("concatenate",)}


def test_a_skip_goes_straight_across_where_nothing_is_in_its_way() -> None:
    for line in sheet_of(published("U-Net")).lines:
        assert line.role == "flow" or len(line.points) == 2
    assert any(len(line.points) == 4 for line in sheet_of(published("U-Net++ R18")).lines if line.role == "skip")


LINES = [
    ("U-Net", "input", ("Image", "1 ch"), ""),
    ("U-Net", "encoder.1", ("Plain × 2", "128 ch · 2 conv"), "max pool 2"),
    ("U-Net", "decoder.0", ("Plain × 2", "512 ch · 2 conv"), "up-conv 2"),
    ("U-Net", "head", ("Head", "1 ch · 1 conv"), ""),
    ("DeepLabv3+ R50", "encoder.3", ("Bottleneck × 3", "2048 ch · 9 conv", "dilation 2"), ""),
    ("DeepLabv3+ R50", "stem", ("ResNetStem", "64 ch · 1 conv", "kernel 7"), "stride 2, max pool 3"),
    ("DeepLabv3+ R50", "decoder", ("Plain × 2", "256 ch · 2 conv"), "linear ×4"),
    ("Tiramisu-103", "encoder.5", ("Dense × 15", "240 ch · 15 conv"), "max pool 2"),
    ("SE-ResNet-50 U-Net", "encoder.2", ("Bottleneck × 6", "1024 ch · 18 conv", "SqueezeExcite"), "stride 2"),
    ("nnU-Net", "auxiliary.0", ("Head", "3 ch · 1 conv"), ""),
    ("MedNeXt-S, kernel 5", "encoder.1", ("MedNext × 2", "64 ch · 6 conv", "kernel 5"), "stride 2"),
]


@pytest.mark.parametrize(("name", "stage", "lines", "step"), LINES)
def test_a_block_says_what_stands_there(name: str, stage: str, lines: tuple[str, ...], step: str) -> None:
    drawn = next(other for other in outline(published(name)).stages if other.name == stage)
    assert (drawn.lines, drawn.step) == (lines, step)


def test_what_is_done_side_by_side_is_drawn_side_by_side() -> None:
    blocks = blocks_of(published("DeepLabv3+ R50"))
    assert blocks["bridge"].branches == ("1×1", "rate 6", "rate 12", "rate 18", "pool")
    assert not any(block.branches for name, block in blocks.items() if name != "bridge")


def test_the_parameters_of_all_stages_are_those_of_the_network() -> None:
    for graph in (published("DeepLabv3+ R50"), published("U-Net++ R18"), sample(3), sample(8)):
        assert sum(stage.parameters for stage in outline(graph).stages) == graph.parameters


def texts_of(picture: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_the_picture_gives_the_totals_and_every_level() -> None:
    texts = texts_of(draw(published("U-Net"), "U-Net"))
    assert "31.0 M parameters, 48.1 G multiply-accumulates for 256 × 256" in texts
    assert {"U-Net", "256 × 256", "16 × 16", "stride 16", "concatenation", "skip connection"} <= set(texts)


def test_strides_per_axis_have_rows_of_their_own() -> None:
    task = nas.Task(3, 1, 3, patch=(16, 64, 64), strides=((1, 2, 2), (2, 2, 2)))
    texts = texts_of(draw(nas.trace(SPACE.references["nnU-Net"], task)))
    assert {text for text in texts if text.startswith("stride ")} >= {"stride 1", "stride 1×2×2", "stride 2×4×4"}
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
    graph = nas.trace(Entangled(), nas.Task(2, 1, 2))
    assert [stage.name for stage in outline(graph).stages if ":" not in stage.name] == ["input", "a", "b", "last"]
    assert ElementTree.fromstring(draw(graph)).tag == f"{SVG}svg"


def test_networks_of_the_guide_s_own_parts_can_be_drawn(tmp_path: Path) -> None:
    for file in write_spaces(tmp_path):
        space = load_space(file)
        for seed in range(3):
            sheet = sheet_of(nas.trace(space.decide(random.Random(seed)), nas.Task(2, 1, 2)))
            assert all(block.name for block in sheet.blocks if block.told)


@pytest.mark.parametrize("title", ["<script>alert('&')</script>", "網路 ﷽", "\x00\x1b[31m", "]]>", '"onload="'])
def test_a_title_is_text_whatever_is_in_it(title: str) -> None:
    for picture in (draw(published("U-Net"), title), draw_both(published("U-Net"), published("U-Net"), (title, title))):
        readable = re.sub(r"[\x00-\x08\x1b]", "?", title)
        assert readable in texts_of(picture)
        assert "<script" not in picture


@pytest.mark.parametrize("picture", [draw, thumbnail])
def test_it_brings_its_background_and_text_and_needs_nothing_else(picture: "type[draw]") -> None:  # type: ignore[valid-type]
    written = picture(published("U-Net"), "U-Net")
    root = ElementTree.fromstring(written)
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "U-Net"
    told = root.findtext(f"{SVG}desc") or ""
    assert "encoder.4: Plain × 2, 1024 channels at 16 × 16" in told
    assert "Skip connections: encoder.3 to decoder.0 by concatenate" in told
    background = root.find(f"{SVG}rect")
    assert background is not None
    assert (background.attrib["width"], background.attrib["height"]) == (root.attrib["width"], root.attrib["height"])
    assert not {element.tag.removeprefix(SVG) for element in root.iter()} & {"script", "style", "image", "use"}
    assert not re.search(r"\b(id|href|on\w+)=", written)  # many can stand in one page


def test_every_block_has_a_text_alternative() -> None:
    assert all(block.told for block in sheet_of(published("DeepLabv3+ R50")).blocks if block.name)


KINDS = ("Plain", "Basic", "Bottleneck", "Dense", "PreActivation", "SplitAttention", "MedNext", "VNet", "Linked")


def test_kinds_have_colours_of_their_own_and_keep_them() -> None:
    assert len(set(colours_of(KINDS).values())) == len(KINDS) == len(PALETTE)
    alone = {kind: colours_of([kind])[kind] for kind in KINDS}
    assert colours_of(KINDS) == alone
    assert colours_of(["ResNetStem", "Plain", "Basic", "VNetInput"])["Plain"] == alone["Plain"]
    many = [f"Kind{number}" for number in range(30)]
    assert len(colours_of(many)) == len(many)


def test_equal_networks_differ_in_nothing() -> None:
    assert compare(published("U-Net"), published("U-Net")).differences == ()


def test_what_differs_is_said_and_marked() -> None:
    task = nas.Task(2, 1, 2)
    first, second = (nas.trace(SPACE.references[name], task) for name in ("U-Net", "Attention U-Net"))
    differences = compare(first, second).differences
    assert differences[0].where == "encoder at 128 × 128"
    assert "max pool 2" in differences[0].first
    assert "stride 2" in differences[0].second
    assert "gate" in differences[-1].second
    root = ElementTree.fromstring(draw_both(first, second, ("U-Net", "Attention U-Net")))
    marks = [element for element in root.iter() if element.attrib.get("class") == "mark-line"]
    assert [mark.attrib["d"].count("M") for mark in marks] == [2 * len(differences) + 1]  # and one in the legend
    assert {"U-Net", "Attention U-Net", "differs from the other"} <= set(texts_of(ElementTree.tostring(root).decode()))


def test_two_networks_stand_side_by_side_with_common_levels() -> None:
    task = nas.Task(2, 1, 2)
    first, second = (nas.trace(SPACE.references[name], task) for name in ("U-Net", "DeepLabv3+ R50"))
    sheet = Layout([Drawn(first, "a"), Drawn(second, "b")]).sheet()
    check(sheet)
    named = [block for block in sheet.blocks if block.name]
    half = len(outline(first).stages)
    assert max(block.right for block in named[:half]) < min(block.left for block in named[half:])
    quarter = [block for block in named if "at 64 × 64" in block.told]
    assert len({block.top + block.height / 2 for block in quarter}) == 1


def test_a_picture_becomes_pdf() -> None:
    written = pdf(draw(published("DeepLabv3+ R50"), "DeepLabv3+"))
    assert written.startswith(b"%PDF-")
    assert len(written) > 2_000
