"""A small search from end to end on the built-in data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from nas.searching.trial import tried_references

import nas
from nas.errors import InputError


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("study") / "nas.db")
    nas.search(space="tiny", trials=2, steps=2, budget="1h", storage=path, patch=(32, 32))
    return path


def test_a_study_holds_as_many_distinct_networks_as_were_asked_for(storage: str) -> None:
    summary = nas.open_study("tiny-brain-synthetic", storage).summary()
    assert summary["distinct"] == 2
    assert summary["best"]["dice"] >= 0


def test_a_study_of_data_without_regions_is_described_as_ever(storage: str) -> None:
    study = nas.open_study("tiny-brain-synthetic", storage).study
    assert study.settings.objective == "mean foreground Dice on whole validation cases, fold 0"


def test_dice_of_each_class_is_found_by_its_name(storage: str) -> None:
    best = nas.open_study("tiny-brain-synthetic", storage).best
    names = [item["name"] for item in best.study.settings.data_fingerprint["classes"]]
    assert list(best.target_dice) == names[1:]
    assert sum(best.target_dice.values()) / len(best.target_dice) == pytest.approx(best.evaluation.dice)


def test_the_same_search_goes_on_where_it_stopped(storage: str) -> None:
    found = nas.search(space="tiny", trials=3, steps=2, budget="1h", storage=storage, patch=(32, 32))
    assert found.summary()["distinct"] == 3


def test_published_networks_that_a_search_begun_at_the_same_moment_made_are_not_made_again(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unaware: list[set[str | None]] = [set()]
    monkeypatch.setattr(
        sys.modules["nas.searching.search"],
        "tried_references",
        lambda study: unaware.pop() if unaware else tried_references(study),
    )
    found = nas.search(space="tiny", trials=4, steps=2, budget="1h", storage=storage, patch=(32, 32))
    assert not unaware
    assert len(found.study.references()) == len({each.reference for each in found.study.references()})


def test_another_space_under_the_same_name_is_refused(storage: str) -> None:
    with pytest.raises(InputError, match="other settings"):
        nas.search(
            space="unet", study="tiny-brain-synthetic", trials=3, steps=2, budget="1h", storage=storage, patch=(32, 32)
        )


def test_the_export_runs_without_nas(storage: str, tmp_path: Path) -> None:
    best = nas.open_study("tiny-brain-synthetic", storage).best
    folder = tmp_path / "best"
    best.export(folder)
    script = (
        "import sys; sys.modules['nas'] = None; sys.path.insert(0, '.'); import json, torch;"
        "from safetensors.torch import load_file; from model import Network;"
        "net = Network(); net.load_state_dict(load_file('weights.safetensors')); net.eval();"
        "print(json.dumps(net(torch.linspace(-1, 1, 1024).reshape(1, 1, 32, 32)).flatten().tolist()))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    expected = best.module()(torch.linspace(-1, 1, 1024).reshape(1, 1, 32, 32)).flatten()
    torch.testing.assert_close(torch.tensor(json.loads(run.stdout)), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("trials", 0), ("budget", "soon"), ("fold", -1), ("fold", 9), ("device", "abacus"), ("space", "unett")],
)
def test_bad_settings_are_refused(field: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        nas.search(**{"space": "tiny", "storage": str(tmp_path / "nas.db"), field: value})
