"""`nas spaces`: what is printed for scripts, and pictures."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.cli.command import Command


def test_show_gives_the_expected_and_the_built_count_of_every_published_network(nas: Command) -> None:
    found = nas("spaces", "show", "unet_family", "--json").json
    assert found.keys() >= {"name", "size", "choices", "references"}
    assert all(r["parameters"] == r["expected_parameters"] for r in found["references"])
    printed = nas("spaces", "show", "unet_family").out
    assert printed.count("exact") == len(found["references"])
    assert "DIFFERS" not in printed


def test_cost_of_the_u_net(nas: Command) -> None:
    task = ("--axes", "2", "--channels", "1", "--classes", "1", "--patch", "256,256")
    found = nas("spaces", "cost", "unet_family", "--reference", "U-Net", *task, "--json").json
    assert found["parameters"] == 31_030_593
    assert found.keys() >= {"digest", "macs", "training_bytes", "receptive_field"}


def test_a_sampled_member_can_be_costed_from_its_file(nas: Command, tmp_path: Path) -> None:
    import json

    member = nas("spaces", "sample", "unet_family", "--seed", "7", "--json")
    file = tmp_path / "member.json"
    file.write_text(member.out, encoding="utf-8")
    from_file = nas("spaces", "cost", "unet_family", "--architecture", str(file), "--json").json
    from_seed = nas("spaces", "cost", "unet_family", "--seed", "7", "--json").json
    assert from_file["digest"] == from_seed["digest"]
    assert json.loads(member.out)["decisions"]


@pytest.mark.parametrize("reference", ["DeepLabv3+ R50", "Tiramisu-103"])
def test_draw_writes_a_picture(nas: Command, tmp_path: Path, reference: str) -> None:
    file = tmp_path / "network.svg"
    ended = nas("spaces", "draw", "unet_family", "--reference", reference, "--to", str(file))
    assert ended.code == 0
    assert ElementTree.parse(file).getroot().tag.endswith("svg")


def test_draw_writes_two_networks_and_says_what_differs(nas: Command, tmp_path: Path) -> None:
    file = tmp_path / "both.svg"
    ended = nas("spaces", "draw", "unet_family", "U-Net", "Attention U-Net", "--to", str(file))
    assert ended.code == 0
    assert "encoder at 128 × 128" in ended.out
    texts = [text.text for text in ElementTree.parse(file).getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert {"U-Net", "Attention U-Net", "differs from the other"} <= set(texts)
    same = nas("spaces", "draw", "unet_family", "seed:3", "seed:3", "--to", str(file))
    assert "the same at every level" in same.out


def test_draw_takes_a_member_s_file_and_writes_pdf(nas: Command, tmp_path: Path) -> None:
    member, file = tmp_path / "member.json", tmp_path / "member.pdf"
    member.write_text(nas("spaces", "sample", "unet_family", "--seed", "7", "--json").out, encoding="utf-8")
    assert nas("spaces", "draw", "unet_family", str(member), "--to", str(file)).code == 0
    assert file.read_bytes().startswith(b"%PDF-")


def test_pdf_without_its_library_says_what_to_install(
    nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "svglib.svglib", None)
    ended = nas("spaces", "draw", "tiny", "--to", str(tmp_path / "a.pdf"))
    assert ended.code == 2
    assert "nas[pdf]" in ended.err
    assert not list(tmp_path.iterdir())
