"""Held-out cases: never opened by a search, and every look at them on record."""

from pathlib import Path

import pytest

import nas
from nas.errors import InputError
from nas.study.looks import LOOK, held_out, in_words, look
from tests.searching.stand_in import study

from ..data.factories import pairs

SMALL = {"space": "tiny", "steps": 1, "budget": "1h", "patch": (16, 16)}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pairs(tmp_path_factory.mktemp("many") / "pictures", cases=[f"case{number:02d}" for number in range(20)])


def test_a_search_never_opens_held_out_cases(many: Path, tmp_path: Path) -> None:
    storage = str(tmp_path / "nas.db")
    found = nas.search(**SMALL, trials=1, data=str(many), holdout=0.2, storage=storage)
    aside = found.study.settings.held_out
    assert len(aside) == 4
    seen = {point.case for point in found.study.measurements(found.best.run.id, "dice") if point.case}
    assert seen
    assert not seen & set(aside)
    assert found.summary()["held_out"] == {"cases": 4, "looks": 0}
    with pytest.raises(InputError, match=r"holdout: found 0.3, but study .* was begun with 0.2"):
        nas.search(**SMALL, trials=2, data=str(many), holdout=0.3, storage=storage)
    again = nas.search(**SMALL, trials=2, data=str(many), storage=storage)
    assert again.study.settings.held_out == aside


def test_a_fold_that_has_no_case_left_is_refused(many: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected 0 to 1 with 2 cases"):
        nas.search(
            **SMALL, trials=1, fold=4, data=str(pairs(tmp_path / "few")), holdout=0.5, storage=str(tmp_path / "a.db")
        )


def test_a_look_is_on_record_once_for_the_same_trainings() -> None:
    watched = study(plan={"holdout": {"share": 0.2, "cases": ["a", "b"]}})
    assert held_out(watched) == {"cases": 2, "looks": 0}
    look(watched, "confirm", [(0, 1), (3, 1)])
    look(watched, "confirm", [(3, 1)])
    assert held_out(watched) == {"cases": 2, "looks": 1}
    look(watched, "confirm", [(3, 1), (4, 1)])
    assert held_out(watched) == {"cases": 2, "looks": 2}
    assert watched.journal(LOOK)[0].content == {"purpose": "confirm", "trainings": [[0, 1], [3, 1]], "cases": 2}
    assert watched.journal("other") == ()


@pytest.mark.parametrize(
    ("cases", "looks", "words"),
    [
        (0, 0, "none"),
        (40, 0, "40 cases, never looked at"),
        (40, 1, "40 cases, looked at once"),
        (40, 3, "40 cases, looked at 3 times"),
    ],
)
def test_how_often_was_looked_is_said(cases: int, looks: int, words: str) -> None:
    assert in_words(cases, looks) == words
