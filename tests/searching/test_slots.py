"""How many networks a search trains at once, where nobody says."""

from dataclasses import replace
from typing import Any

import pytest

from nas.searching import settings
from nas.searching.schedule import Schedule, fit_schedule
from nas.searching.settings import SearchSettings
from nas.searching.setup import slots
from nas.searching.setup.slots import with_workers


@pytest.mark.parametrize(
    ("fields", "cores", "workers"),
    [
        ({"budget": "15m"}, 2, 2),
        ({"budget": "15m"}, 16, 2),  # as many as finalists, with half of the cores each
        ({"budget": "15m"}, 1, 1),
        ({"budget": "60s"}, 2, 1),  # over before a second process pays
        ({"budget": "15m", "trials": 1}, 2, 1),  # one network has all cores
        ({"budget": "15m", "trials": 2}, 2, 1),
        ({"budget": "15m", "steps": 100}, 2, 1),
        ({"budget": "15m", "workers": 1}, 2, 1),
        ({"budget": "15m", "workers": 5}, 2, 5),
        ({"budget": "15m", "devices": "cpu"}, 2, 1),
    ],
)
def test_a_search_by_time_on_a_cpu_trains_as_many_networks_at_once_as_there_are_finalists(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], cores: int, workers: int
) -> None:
    monkeypatch.setattr(slots, "available_processes", lambda: cores)
    assert with_workers(SearchSettings(**{"device": "cpu", **fields})).at_once == workers


def test_how_many_rungs_a_search_has_that_inherits_weights_is_told_by_its_own_schedule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def fit(seconds: float, *, workers: int, trials: int | None, afresh: bool) -> Schedule:
        asked.append(afresh)
        return fit_schedule(seconds, workers=workers, trials=trials, afresh=afresh)

    monkeypatch.setattr(settings, "fit_schedule", fit)
    for inherit in (False, True):
        with_workers(SearchSettings(device="cpu", budget="11m", inherit=inherit))
    assert asked == [False, True]


@pytest.mark.parametrize(("begun_with", "cores", "workers"), [(1, 2, 1), (2, 2, 2), (2, 1, 1)])
def test_a_study_goes_on_as_it_was_begun(
    monkeypatch: pytest.MonkeyPatch, begun_with: int, cores: int, workers: int
) -> None:
    monkeypatch.setattr(slots, "available_processes", lambda: cores)
    stored = replace(fit_schedule(900), workers=begun_with)
    assert with_workers(SearchSettings(device="cpu"), stored).at_once == workers
