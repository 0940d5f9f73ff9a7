"""A small search from end to end on the built-in data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

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
    assert sum(best.target_dice.values()) / len(best.target_dice) == pytest.approx(best.trial.values["dice"])


def test_the_same_search_goes_on_where_it_stopped(storage: str) -> None:
    found = nas.search(space="tiny", trials=3, steps=2, budget="1h", storage=storage, patch=(32, 32))
    assert found.summary()["distinct"] == 3


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
    [
        ("trials", 0),
        ("trials", "3"),
        ("trials", 2**63),
        ("trials", True),
        ("budget", "soon"),
        ("budget", 60),
        ("budget", "9" * 400 + "s"),
        ("fold", -1),
        ("seed", 2**63),
        ("seed", 1.5),
        ("learning_rate", 1e308),
        ("learning_rate", float("nan")),
        ("learning_rate", 0),
        ("lease", float("nan")),
        ("lease", float("inf")),
        ("lease", -1),
        ("patch", (16, "16")),
        ("patch", (0, 16)),
        ("full_size", 1),
        ("device", "abacus"),
        ("space", "unett"),
        ("space", None),
        ("engine", "steam"),
        ("studdy", "x"),
        ("study", "../x"),
    ],
)
def test_bad_settings_are_refused_by_the_name_of_the_field(field: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        nas.search(**{"space": "tiny", "storage": str(tmp_path / "nas.db"), field: value})
    assert field.replace("_", " ") in str(refused.value).replace("_", " ")
    assert "--" not in str(refused.value)
    assert not (tmp_path / "nas.db").exists()


def test_a_fold_that_the_data_do_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fold"):
        nas.search(space="tiny", storage=str(tmp_path / "nas.db"), fold=9)


def test_a_search_leaves_the_callers_chance_alone(storage: str) -> None:
    import random

    import numpy as np

    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    expected = (torch.rand(1).item(), random.random(), np.random.random())
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    nas.search(space="tiny", trials=1, steps=2, budget="1h", storage=storage, patch=(32, 32), study="chance")
    assert (torch.rand(1).item(), random.random(), np.random.random()) == expected


def test_the_cache_is_where_data_are_prepared_by_default() -> None:
    from nas.data import DEFAULT_FOLDER
    from nas.searching.settings import CACHE

    assert str(DEFAULT_FOLDER) == CACHE
