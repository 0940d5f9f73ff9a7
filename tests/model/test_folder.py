"""A model's folder holds all of it, and a changed one is refused."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from nas.errors import InputError
from nas.model import TrainedModel, load_model, save_model, segment
from nas.training import Slicing, Window
from tests.export.exported import reference
from tests.model.factories import model, saved
from tests.model.test_segmenting import IMAGE


@pytest.mark.parametrize(
    "made",
    [
        model(),
        model(members=3, values=(0, 2, 500), provenance={"data": "Tiny", "dice": 0.5}),
        model(slicing=Slicing(2, 1), channels=1, mirrored=True, window=Window(None, 0.25)),
    ],
    ids=["one", "ensemble with values", "slices"],
)
def test_what_is_saved_is_loaded_again(made: TrainedModel, tmp_path: Path) -> None:
    files = save_model(made, tmp_path / "new" / "model")
    found = load_model(tmp_path / "new" / "model")
    assert all(path.is_file() for path in files)
    for name in (
        "preprocessing",
        "channels",
        "classes",
        "values",
        "regions",
        "slicing",
        "window",
        "recipe",
        "plan",
        "provenance",
    ):
        assert getattr(found, name) == getattr(made, name), name
    assert found.graph.digest == made.graph.digest
    assert np.array_equal(segment(found, IMAGE).classes, segment(made, IMAGE).classes)


def test_a_model_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    save_model(model(members=2), folder)
    assert len(load_model(folder).states) == 2
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("...")
    with pytest.raises(InputError, match="thesis: exists and is no earlier nas model; name a new or an empty folder"):
        save_model(model(), tmp_path / "thesis")


def edited(**fields: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        document = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(document | fields))

    return edit


def flipped(folder: Path) -> None:
    content = bytearray((folder / "weights_0.safetensors").read_bytes())
    content[-3] ^= 1
    (folder / "weights_0.safetensors").write_bytes(content)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "a changed weight": (flipped, r"weights_0\.safetensors: found \d+ bytes that are not those written"),
    "cut weights": (
        lambda f: (f / "weights_0.safetensors").write_bytes(b"12"),
        "found 2 bytes that are not those written",
    ),
    "no weights": (lambda f: (f / "weights_0.safetensors").unlink(), r"weights_0\.safetensors: cannot be read"),
    "no description": (lambda f: (f / "model.json").unlink(), r"no model\.json in it"),
    "no JSON": (lambda f: (f / "model.json").write_text("{"), r"model\.json: cannot be read as JSON"),
    "another's": (edited(format="something"), "is no description of a trained model"),
    "a later version": (edited(version=99), "found version 99, expected 2; use a newer nas"),
    "fewer classes": (edited(classes=["background", "front"]), "found 2 classes, expected 3"),
    "more channels": (edited(channels=["a", "b"]), "found 2 channels, expected 1"),
    "a field of another kind": (edited(weights=3), "TypeError"),
    "no weights listed": (edited(weights=[]), "found 0 members, expected 1"),
    "an unknown field of the recipe": (edited(recipe={"stepz": 3}), "did you mean 'steps'"),
}


@pytest.mark.parametrize(("spoil", "expected"), SPOILT.values(), ids=list(SPOILT))
def test_a_folder_that_is_not_what_was_written_is_refused(
    spoil: Callable[[Path], None], expected: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path)
    spoil(folder)
    with pytest.raises(InputError, match=expected) as raised:
        load_model(folder)
    assert "\n" not in str(raised.value)


def test_a_file_of_weights_never_lies_outside_the_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / "weights_0.safetensors").rename(tmp_path / "weights_0.safetensors")
    document = json.loads((folder / "model.json").read_text())
    document["weights"][0]["file"] = "../weights_0.safetensors"
    (folder / "model.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="cannot be read"):
        load_model(folder)


def test_the_weights_of_another_network_are_refused() -> None:
    made = model()
    other = type(made)(**{**vars(made), "states": ({"strange": torch.zeros(1)},)})
    with pytest.raises(InputError, match=r"tensors are not this network's, such as .*: found .*, expected"):
        other.networks()
    with pytest.raises(InputError, match="found 3 classes, expected 2"):
        type(made)(**{**vars(made), "graph": reference("nnU-Net", 3)})


def test_a_full_disk_leaves_an_earlier_model_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path)

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"model: cannot be written \(No space left on device\)"):
        save_model(model(members=2), folder)
    monkeypatch.undo()
    assert len(load_model(folder).states) == 1


def test_the_card_says_what_a_user_must_know(tmp_path: Path) -> None:
    about = {"data": "Task04", "cases": 200, "fold": 0, "dice": 0.88, "target_dice": {"front": 0.9, "back": None}}
    folder = saved(tmp_path, model(provenance=about))
    card = (folder / "MODEL_CARD.md").read_text()
    for heading in ("Data", "Metrics", "Limits", "Speed", "Bad input", "How to use it", "How to cite"):
        assert f"## {heading}\n" in card
    for told in (
        "Task04",
        "200 cases",
        "| front | 0.9000 |",
        "| all | 0.8800 |",
        "front, back in 3D images",
        "licence",
    ):
        assert told in card
