"""`nas spaces`: the JSON contracts, pictures, and errors."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest


def nas(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nas.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_show_gives_expected_and_built_counts() -> None:
    found = json.loads(nas("spaces", "show", "unet_family", "--json").stdout)
    assert found.keys() >= {"name", "size", "choices", "references"}
    assert all(r["parameters"] == r["expected_parameters"] for r in found["references"])


def test_cost_of_the_u_net() -> None:
    task = ("--axes", "2", "--channels", "1", "--classes", "1", "--patch", "256,256")
    found = json.loads(nas("spaces", "cost", "unet_family", "--reference", "U-Net", *task, "--json").stdout)
    assert found["parameters"] == 31_030_593
    assert found.keys() >= {"digest", "macs", "training_bytes", "receptive_field"}


def test_draw_writes_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "deeplab.svg"
    ended = nas("spaces", "draw", "unet_family", "--reference", "DeepLabv3+ R50", "--to", str(file))
    assert ended.returncode == 0, ended.stderr
    assert ElementTree.parse(file).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spaces", "show", "unet_famly"), "did you mean 'unet_family'"),
        (("spaces", "cost", "unet", "--reference", "U-Nett"), "did you mean 'U-Net'"),
        (("spaces", "cost", "unet", "--reference", "U-Net", "--patch", "100,100"), "use 96 or 112"),
        (("spaces", "cost", "unet", "--architecture", "absent.json"), "absent.json"),
        (("search", "--data", "absent-folder"), "absent-folder"),
        (("status", "--storage", "absent.db"), "absent.db"),
    ],
)
def test_bad_input_ends_with_2_and_a_message(arguments: tuple[str, ...], message: str) -> None:
    ended = nas(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
