"""The page of a space says what every choice means, shows every published network, and is the one in the documents."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nas.architecture import Block, EncoderDecoder, Mirrored, Stage
from nas.architecture.blocks import Plain
from nas.architecture.part import Site
from nas.catalog import load_space, space_names
from nas.gallery import page
from nas.gallery.choices import about_knob, shown_choices
from nas.graph import Ops, Tensor
from nas.space import Reference, Space, one_of
from tests.cli.command import Command

ROOT = Path(__file__).parent.parent.parent


class Reader(HTMLParser):
    """The elements of a page, and whether all that were opened are closed."""

    VOID = frozenset({"meta", "br", "rect", "path", "circle", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", space_names())
def test_every_choice_of_a_shipped_space_says_what_it_means(name: str) -> None:
    space = load_space(name)
    shown = shown_choices(space)
    assert [choice.paths for choice in shown if not choice.meaning] == []
    assert {path for choice in shown for path in choice.paths} == set(space.choices())
    for choice in shown:
        for option, offered in zip(
            choice.options, getattr(space.choices()[choice.paths[0]], "options", ()), strict=True
        ):
            assert option.meaning or not hasattr(offered, "__dataclass_fields__"), (choice.paths, option.label)


def test_the_gallery_of_the_documents_is_that_of_the_space() -> None:
    made = page(load_space("unet_family"))
    assert (ROOT / "docs" / "gallery.html").read_text(encoding="utf-8") == made, "run make gallery"


@pytest.mark.parametrize("arguments", [("u_net", "U-Net", "1", "1"), ("deeplab", "DeepLabv3+ R50", "3", "21")])
def test_the_pictures_of_the_documents_are_as_they_are_drawn(
    nas: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file, name, channels, classes = arguments
    to = tmp_path / "network.svg"
    nas("spaces", "draw", "unet_family", name, "--channels", channels, "--classes", classes, "--to", str(to))
    assert (ROOT / "docs" / "pictures" / f"{file}.svg").read_text() == to.read_text(), "run make gallery"


def test_the_page_shows_every_published_network_and_needs_nothing_else() -> None:
    text = (ROOT / "docs" / "gallery.html").read_text(encoding="utf-8")
    assert len(text) < 500_000
    found = Reader(text)
    space = load_space("unet_family")
    assert sum(tag == "svg" for tag, _ in found.tags) == len(space.members)
    assert {member.name for member in space.members} <= set(found.texts)
    names = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(names) == len(set(names))
    for tag, attributes in found.tags:
        assert tag not in {"script", "link", "iframe", "img"}
        assert not {"src", "onclick", "onload"} & attributes.keys()
        address = attributes.get("href") or "#"
        assert address.startswith("https://arxiv.org/abs/") or address.removeprefix("#") in {*names, ""}
    assert "@import" not in text
    assert "url(" not in text


@dataclass(frozen=True)
class Hostile:
    """</dd><script>alert(1)</script> `<b>` arXiv:1505.04597 & more.

    `<img src=x>` is no knob, `size` is: "><script>.
    """

    size: int = 3

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return ops.conv_norm_act(x, site.width)


def hostile_space() -> Space[EncoderDecoder]:
    name = "<script>alert('name')</script>"
    block: Block = one_of(Plain(), Hostile(one_of(1, 3)))
    member = EncoderDecoder(encoder=(Stage(Hostile(3)),), decoder=Mirrored())
    return Space(
        name,
        EncoderDecoder(encoder=(Stage(block),), decoder=Mirrored()),
        (Reference(name, member, 5, 2, 1, 2, 'javascript:alert(1) "<i>"'),),
        description=name,
    )


def test_nothing_that_a_space_says_is_markup() -> None:
    text = page(hostile_space())
    found = Reader(text)
    assert not {tag for tag, _ in found.tags} & {"script", "b", "i", "img"}
    assert all((a.get("href") or "#").startswith(("#", "https://arxiv.org/abs/")) for _, a in found.tags)
    assert "DIFFERS" in text


def test_a_knob_is_explained_by_the_sentences_that_name_it() -> None:
    assert about_knob(Plain, "separable").startswith("`separable` splits each into")
    assert about_knob(Plain, "nothing").startswith("Convolution, norm and activation")


def test_show_writes_a_page(nas: Command, tmp_path: Path) -> None:
    to = tmp_path / "tiny.html"
    assert nas("spaces", "show", "tiny", "--to", str(to)).code == 0
    picture = re.search(r"<svg.*?</svg>", to.read_text(encoding="utf-8"), re.DOTALL)
    assert picture
    assert ElementTree.fromstring(picture[0]).attrib["role"] == "img"


@pytest.mark.parametrize("to", ["page.txt", "absent/page.html", "folder.html"])
def test_a_page_that_cannot_be_written_is_said(nas: Command, tmp_path: Path, to: str) -> None:
    (tmp_path / "folder.html").mkdir()
    ended = nas("spaces", "show", "tiny", "--to", str(tmp_path / to))
    assert ended.code == 2
    assert to in ended.err
    assert "--to" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]
