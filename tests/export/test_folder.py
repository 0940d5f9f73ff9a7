"""An exported folder is whole, works where nas is not installed, and replaces nothing but an earlier export."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import nas
from nas.errors import InputError
from nas.export import write
from nas.space import to_document
from search_spaces.unet_family import SPACE
from tests.export.exported import image, reference, trained

FILES = ["architecture.json", "model.py", "weights.safetensors"]
DOCUMENT = to_document(SPACE.references["nnU-Net"])


def export(folder: Path, name: str = "nnU-Net", **facts: object) -> tuple[Path, ...]:
    graph = reference(name)
    return write(folder, graph, trained(graph).state_dict(), DOCUMENT, facts=facts)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_three_files_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "best"
    assert sorted(export(folder)) == [folder / name for name in FILES]
    assert names(folder) == FILES
    assert names(tmp_path / "new") == ["best"]


def test_architecture_json_says_all_that_nas_knows(tmp_path: Path) -> None:
    graph = reference("nnU-Net")
    export(tmp_path, classes=["background", "hippocampus"], dice=0.87)
    document = json.loads((tmp_path / "architecture.json").read_text())
    assert document["format"] == "nas export"
    assert document["version"] == 1
    assert SPACE.load(document["architecture"]) == SPACE.references["nnU-Net"]
    assert nas.Graph.from_json(document["graph"]).digest == document["digest"] == graph.digest
    assert (document["parameters"], document["macs"]) == (graph.parameters, graph.macs)
    assert document["input"] == ["batch", 1, 16, 16]
    assert (document["classes"], document["dice"]) == (["background", "hippocampus"], 0.87)


def test_model_py_is_headed_by_the_reference(tmp_path: Path) -> None:
    export(tmp_path, reference="nnU-Net, base 4")
    assert (tmp_path / "model.py").read_text().startswith('"""nnU-Net, base 4, as plain PyTorch.')


ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("nas", "search_spaces", "monai", "optuna"):
            raise ImportError(f"{name} must not be needed")

sys.meta_path.insert(0, Refuse())
sys.path.insert(0, sys.argv[1])

import torch
from safetensors.torch import load_file
from model import Network

torch.set_num_threads(int(sys.argv[4]))  # with another number sums have another order
model = Network()
model.load_state_dict(load_file(f"{sys.argv[1]}/weights.safetensors"))
model.eval()
torch.save(model(torch.load(sys.argv[2])), sys.argv[3])
"""


@pytest.mark.parametrize("name", ["nnU-Net", "DeepLabv3+ R50"])
def test_the_folder_works_where_nas_cannot_be_imported(name: str, tmp_path: Path) -> None:
    graph = reference(name)
    x, network = image(graph), trained(graph).eval()
    write(tmp_path / "best", graph, network.state_dict(), {})
    torch.save(x, tmp_path / "image.pt")
    files = [str(tmp_path / part) for part in ("best", "image.pt", "scores.pt")]
    threads = str(torch.get_num_threads())
    subprocess.run([sys.executable, "-I", "-c", ALONE, *files, threads], check=True, cwd=tmp_path)
    torch.testing.assert_close(torch.load(files[2]), network(x), atol=1e-5, rtol=1e-5)


def test_an_earlier_export_is_replaced_and_what_lies_beside_it_kept(tmp_path: Path) -> None:
    export(tmp_path, "U-Net")
    (tmp_path / "notes.txt").write_text("mine")
    export(tmp_path, "nnU-Net")
    assert names(tmp_path) == sorted([*FILES, "notes.txt"])
    document = json.loads((tmp_path / "architecture.json").read_text())
    assert document["digest"] == reference("nnU-Net").digest


OTHERS = [
    ("somebody's files", {"thesis.tex": "..."}),
    ("a file of the same name", {"architecture.json": '{"format": "something else"}'}),
    ("a broken file of the same name", {"architecture.json": "{"}),
    ("a model of somebody's", {"model.py": "..."}),
]


@pytest.mark.parametrize("files", [files for _, files in OTHERS], ids=[name for name, _ in OTHERS])
def test_a_folder_with_something_else_in_it_is_refused(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="no earlier export; name a new or an empty folder"):
        export(tmp_path)
    assert {name: (tmp_path / name).read_text() for name in names(tmp_path)} == files


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "best").write_text("mine")
    with pytest.raises(InputError, match="no earlier export"):
        export(tmp_path / "best")


@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_everything_as_it_was(
    existing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "best"
    if existing:
        export(folder, "U-Net")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"best: cannot be written \(No space left on device\)"):
        export(folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert folder.exists() == existing
