"""What a search takes from earlier studies of other data over the same space: the decisions of their best networks."""

from collections.abc import Sequence
from itertools import zip_longest

from nas.errors import InputError, field_named
from nas.searching.candidates import Candidates
from nas.study.history import Document, History, joined, parted
from nas.study.objective import Objective, ranked
from nas.study.settings import StudySettings

SHARE = 4
"""Of so many networks that there is time for, one comes from earlier studies at most."""

Past = tuple[History, Sequence[Objective]]
"""An earlier study: its history and what it was after."""


def study_names(text: str) -> tuple[str, ...]:
    """The studies in "one,two".

    Raises:
        InputError: none, or one twice.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise InputError(f"{field_named('learn_from')}: found {text!r}, expected names of studies, each once: one,two")
    return names


def expect_same_space(past: StudySettings, digest: str, space: str) -> None:
    """Refuse to learn from a study of another space, of which decisions mean nothing here.

    Raises:
        InputError: it is of another one.
    """
    if past.space_digest != digest:
        raise InputError(
            f"{field_named('learn_from')}: study {past.name!r} searched {past.space!r} (digest "
            f"{past.space_digest[:12]}), not this {space!r} ({digest[:12]}); name studies of the same space"
        )


def lessons(past: Sequence[Past], candidates: Candidates, most: int) -> list[Document]:
    """Decisions of the best networks of earlier studies: the best of each, then the second best of each.

    Published networks are left out, which enter every search. Trainings are as here: where a study's own decisions of
    its recipe are none of this recipe's, the typical ones take their place.
    """
    columns = [_best(history, goals, candidates) for history, goals in past]
    in_turn = (lesson for row in zip_longest(*columns) for lesson in row if lesson is not None)
    chosen: list[Document] = []
    for lesson in in_turn:
        if lesson not in chosen and len(chosen) < most:
            chosen.append(lesson)
    return chosen


def _best(history: History, goals: Sequence[Objective], candidates: Candidates) -> list[Document]:
    trials = (trial for trial in ranked(history, goals) if trial.reference is None and trial.decisions)
    fitted = (_as_here(trial.decisions or {}, candidates) for trial in trials)
    return [decisions for decisions in fitted if decisions is not None]


def _as_here(decisions: Document, candidates: Candidates) -> Document | None:
    """The decisions as a member of these candidates; None where there is no such network."""
    typical = candidates.recipes.read(candidates.typical_recipe)
    for document in (decisions, joined(parted(decisions)[0], typical)):
        try:
            candidates.decide(document)
        except InputError:
            continue
        return document
    return None
