"""What a search learns from earlier studies of other data."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import nas
from nas.catalog import load_space
from nas.errors import InputError
from nas.searching.candidates import candidates_of
from nas.searching.lessons import expect_same_space, lessons, study_names
from nas.searching.strategies import Done, Start
from nas.searching.strategies.learnt import Learnt
from nas.space import one_of
from nas.study.history import Document, History, Origin, Result, State
from nas.study.objective import DICE
from nas.study.protocol import Claim, Proposal
from nas.study.sql.opening import open_study
from nas.training import Recipe
from tests.searching.stand_in import SETTINGS, ScriptedStrategy, start, study

SPACE = load_space("small_volumes")
CANDIDATES = candidates_of(SPACE, Recipe(learning_rate=one_of(0.01, 0.02)))
A = start("a")


def past(*dices: float, seed: int = 0, rate: float = 0.02) -> tuple[History, list[Document]]:
    """A study of random members, the first of them published, and their decisions."""
    of, generator, decided = study(), Random(seed), list[Document]()
    with of.at_work("cpu", lease=30) as worker:
        for number, dice in enumerate(dices):
            decisions = {**SPACE.sample(generator), "recipe.learning_rate": rate}
            decided.append(decisions)
            about = {"reference": "U-Net", "origin": Origin.PUBLISHED} if number == 0 else {}
            proposal = Proposal(decisions=decisions, digest=str(number), **about)  # type: ignore[arg-type]
            claim = of.start(proposal, worker, most=99)
            assert isinstance(claim, Claim)
            of.finish(claim, Result(state=State.COMPLETE, values={"dice": dice}))
    return of.history(), decided


def test_the_best_of_each_study_come_in_turn_and_published_ones_not_at_all() -> None:
    one, ours = past(0.99, 0.5, 0.7, 0.6)
    other, theirs = past(0.99, 0.9, 0.8, seed=1)
    told = lessons([(one, DICE), (other, DICE)], CANDIDATES, 4)
    assert told == [ours[2], theirs[1], ours[3], theirs[2]]
    assert lessons([(one, DICE)], CANDIDATES, 1) == [ours[2]]
    assert lessons([(History(), DICE)], CANDIDATES, 3) == []


def test_trainings_that_are_not_offered_here_are_the_typical_ones() -> None:
    history, decided = past(0.9, 0.8, rate=0.5)
    assert lessons([(history, DICE)], CANDIDATES, 3) == [decided[1] | {"recipe.learning_rate": 0.01}]


def test_lessons_are_tried_once_and_first() -> None:
    strategy = Learnt(ScriptedStrategy([A]), [{"network": "x"}, {"network": "y"}])
    of = study()
    assert strategy.next(of.history(), 0, Random(0)) == start("x")
    with of.at_work("cpu", lease=30) as worker:
        of.start(Proposal(decisions={"network": "x"}, digest="x"), worker, most=9)
        assert strategy.next(of.history(), 0, Random(0)) == start("y")
        of.start(Proposal(decisions={"network": "y"}, digest="y", refusal=State.INFEASIBLE), worker, most=9)
    assert strategy.next(of.history(), 0, Random(0)) == A
    assert strategy.next(of.history(), 0, Random(0)) == Done()
    assert isinstance(A, Start)


@pytest.mark.parametrize("text", ["", "a,", "a,a"])
def test_names_of_studies_are_read(text: str) -> None:
    assert study_names("one, two") == ("one", "two")
    with pytest.raises(InputError, match="learn_from: found"):
        study_names(text)


def test_a_study_of_another_space_teaches_nothing() -> None:
    expect_same_space(SETTINGS, "space", "tiny")
    with pytest.raises(InputError, match=r"study 'stand-in' searched 'tiny' .*, not this 'unet_family'"):
        expect_same_space(replace(SETTINGS), "other", "unet_family")


def test_a_search_learns_from_a_study_in_its_database(folder: Path, data: Path) -> None:
    settings: dict[str, Any] = {
        "space": "tiny", "steps": 1, "budget": "20s", "patch": (16, 16), "data": str(data),
    }  # fmt: skip
    storage = str(folder / "nas.db")
    heard: list[str] = []
    opened = nas.search(
        **settings, storage=storage, study="second", trials=2, seed=9, learn_from="small",
        listener=lambda event: heard.append(str(event)),
    )  # fmt: skip
    assert any("learnt from small" in text for text in heard)
    opened.study.storage.close()
    with nas.open_study("second", storage).study.storage as opened_again:
        assert isinstance(open_study(opened_again, "second").settings.plan["lessons"], list)
    for wrong, message in (({"learn_from": "absent"}, "absent"), ({"space": "unet_family"}, "of the same space")):
        with pytest.raises(InputError, match=message):
            nas.search(**{**settings, "learn_from": "small", **wrong}, storage=storage, study="third", trials=2)
