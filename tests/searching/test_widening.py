"""A study's space may grow, and only grow."""

from pathlib import Path
from typing import Any

import pytest
from nas.study.opening import open_study
from nas.study.records import State
from nas.study.storage import open_storage
from nas.study.widening import is_widened

import nas
from nas.catalog import load_space
from nas.errors import InputError

SMALL: dict[str, Any] = {"study": "wide", "steps": 2, "budget": "1h", "patch": (16, 16), "data": "pictures"}
TINY = (Path(__file__).parents[2] / "search_spaces" / "tiny.py").read_text()
TINY = TINY.replace("    MaxPool,\n", "    AveragePool,\n    MaxPool,\n", 1)
WIDER = {
    "a category": ("one_of(MaxPool(), Strided())", "one_of(Strided(), AveragePool(), MaxPool())"),
    "a number": ("width=one_of(4, 8)),\n        style", "width=one_of(2, 4, 8)),\n        style"),
    "a longer range": ("Plain(convs=integer(1, 2))", "Plain(convs=integer(1, 3))"),
    "a choice where there was none": ('norm="instance", activation', 'norm=one_of("batch", "instance"), activation'),
}


def space(folder: Path, change: tuple[str, str] | None = None) -> str:
    file = folder / "mine.py"
    file.write_text(TINY.replace(*change) if change else TINY)
    return str(file)


@pytest.mark.parametrize("name", WIDER)
def test_what_is_wider(tmp_path: Path, name: str) -> None:
    narrow = load_space(space(tmp_path)).document()
    wide = load_space(space(tmp_path, WIDER[name])).document()
    assert is_widened(narrow, wide)
    assert is_widened(narrow, narrow)
    assert not is_widened(wide, narrow)


def test_a_running_study_is_widened_and_its_trials_stay_valid(tmp_path: Path) -> None:
    storage = str(tmp_path / "nas.db")
    nas.search(space=space(tmp_path), trials=3, storage=storage, **SMALL)
    with open_storage(storage) as opened:
        before = open_study(opened, "wide").evaluations()
    wider = space(tmp_path, WIDER["a category"])
    nas.search(space=wider, trials=5, storage=storage, **SMALL)
    with open_storage(storage) as opened:
        study = open_study(opened, "wide")
        assert [(e.digest, e.dice) for e in study.evaluations()[: len(before)]] == [(e.digest, e.dice) for e in before]
        assert study.counts().complete == 5
        assert study.settings.space_digest == load_space(wider).digest()
        told = study.optuna_study().trials
        for each in study.evaluations(State.COMPLETE):
            assert told[each.trial].params == each.decisions
    with pytest.raises(InputError, match="other settings"):
        nas.search(space=space(tmp_path), trials=6, storage=storage, **SMALL)
