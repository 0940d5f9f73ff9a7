"""`nas spaces`: what is printed for scripts, and pictures."""

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
