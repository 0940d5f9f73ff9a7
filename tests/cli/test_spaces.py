"""`nas spaces`: what is printed for scripts, and pictures."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.architecture.test_plans import plans
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


def test_a_plan_is_imported_and_costed_drawn_and_a_space_of_its_own(nas: Command, tmp_path: Path) -> None:
    (tmp_path / "plans.json").write_text(json.dumps(plans(4)), encoding="utf-8")
    labels = {"labels": {"background": 0, "anterior": 1, "posterior": 2}}
    (tmp_path / "dataset.json").write_text(json.dumps(labels), encoding="utf-8")
    file = tmp_path / "network.json"
    ended = nas("spaces", "import", str(tmp_path / "plans.json"), "--to", str(file))
    assert ended.code == 0
    assert "5,603,177 parameters" in ended.out
    document = json.loads(file.read_text())
    assert document["digest"] in ended.out
    cost = nas("spaces", "cost", "unet_family", "--architecture", str(file), "--json").json
    assert (cost["parameters"], cost["digest"]) == (5_603_177, document["digest"])
    assert cost["task"]["patch"] == [128, 128, 128]
    fewer = nas("spaces", "cost", "unet_family", "--architecture", str(file), "--patch", "32,32,32", "--json").json
    assert fewer["task"]["patch"] == [32, 32, 32]
    flat = nas("spaces", "cost", "unet_family", "--architecture", str(file), "--axes", "2", "--json").json
    assert flat["task"]["axes"] == 2
    drawn = ("spaces", "draw", "unet_family", "--architecture", str(file), "--to", str(tmp_path / "network.svg"))
    assert nas(*drawn).code == 0
    shown = nas("spaces", "show", str(file), "--json").json
    assert [(r["parameters"], r["expected_parameters"]) for r in shown["references"]] == [(5_603_177, 5_603_177)]
    assert shown["size"] == 1


@pytest.mark.parametrize(
    ("labels", "outputs"),
    [
        ({"background": 0, "nucleus": 1}, 2),
        ({"background": 0, "nucleus": 1, "ignore": 2}, 2),
        ({"background": 0, "whole": [1, 2], "core": [2]}, 2),
    ],
)
def test_labels_say_how_many_outputs_an_imported_network_has(
    nas: Command, tmp_path: Path, labels: dict[str, object], outputs: int
) -> None:
    (tmp_path / "plans.json").write_text(json.dumps(plans(4)), encoding="utf-8")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    nas("spaces", "import", str(tmp_path / "plans.json"), "--to", str(tmp_path / "network.json"))
    assert json.loads((tmp_path / "network.json").read_text())["task"]["classes"] == outputs


@pytest.mark.parametrize(
    ("content", "more", "reason"),
    [
        (plans(4), (), "--classes: plans do not say how many"),
        (plans(4, n_conv_per_stage=7), ("--classes", "2"), "not a member of space 'unet_family': encoder.0.block"),
        (plans(4, "PrimusM"), ("--classes", "2"), "expected PlainConvUNet or ResidualEncoderUNet"),
        (plans(4), ("--classes", "2", "--configuration", "2d"), "has no configuration '2d'"),
        ([], ("--classes", "2"), "found a list, expected an object"),
    ],
)
def test_a_plan_that_is_no_member_is_refused(
    nas: Command, tmp_path: Path, content: object, more: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "plans.json").write_text(json.dumps(content), encoding="utf-8")
    ended = nas("spaces", "import", str(tmp_path / "plans.json"), "--to", str(tmp_path / "network.json"), *more)
    assert ended.code == 2
    assert reason in " ".join(ended.err.split())
    assert not (tmp_path / "network.json").exists()


@pytest.mark.parametrize("task", [3, {"axes": 2}, {"axes": 7, "channels": 1, "classes": 2, "patch": []}])
def test_a_task_that_is_none_is_refused(nas: Command, tmp_path: Path, task: object) -> None:
    document = json.loads(nas("spaces", "sample", "unet_family", "--seed", "7", "--json").out)
    (tmp_path / "network.json").write_text(json.dumps(document | {"task": task}), encoding="utf-8")
    for command in (("cost", "unet_family", "--architecture"), ("show",)):
        ended = nas("spaces", *command, str(tmp_path / "network.json"))
        assert ended.code == 2
        assert "task" in ended.err
