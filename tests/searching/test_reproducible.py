"""One worker on a CPU: the same seed gives the same trials, stopped on the way or not, also once TPE proposes."""

from pathlib import Path
from typing import Any

import pytest

import nas
from nas.searching.events import Event, TrialEnded, TrialStarted
from tests.searching.test_workers import SMALL, Stop, found

pytestmark = pytest.mark.slow
TRIALS = 14
RANDOM = 10
"""So many results TPE waits for; before that proposals are random."""
Trials = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """The trials of a search that was not stopped."""
    return searched(tmp_path_factory.mktemp("whole"))


def searched(folder: Path, **options: Any) -> Trials:
    storage = str(folder / "nas.db")
    nas.search(trials=TRIALS, storage=storage, device="cpu", **SMALL, **options)
    return found(storage)


def test_the_same_seed_gives_the_same_trials(whole: Trials, tmp_path: Path) -> None:
    assert len(whole) >= TRIALS > RANDOM
    assert searched(tmp_path) == whole


def test_another_seed_gives_other_trials(whole: Trials, tmp_path: Path) -> None:
    assert searched(tmp_path, seed=1) != whole


@pytest.mark.parametrize("moment", [TrialStarted, TrialEnded], ids=["in a training", "between trainings"])
@pytest.mark.parametrize("after", [TRIALS // 2, RANDOM + 2], ids=["while random", "while TPE"])
def test_a_search_stopped_and_resumed_proposes_as_if_it_had_gone_on(
    whole: Trials, tmp_path: Path, moment: type[Event], after: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, listener=Stop(moment, after))
    before = found(str(tmp_path / "nas.db"))
    assert 0 < len(before) < len(whole)
    assert searched(tmp_path) == whole
