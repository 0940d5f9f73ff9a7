"""Looks at held-out cases: each one is on record, since what was chosen after a look is no longer judged by it."""

from collections.abc import Collection
from typing import Any, Protocol

from nas.study.history import Document, Entry
from nas.study.settings import StudySettings

LOOK = "look"
"""The kind of line in a study's journal."""


class Journalled(Protocol):
    """What has settings and a journal: a study."""

    @property
    def settings(self) -> StudySettings:
        """What it was made with."""
        ...

    def write_down(self, kind: str, content: Document) -> Entry:
        """Add a line to the journal."""
        ...

    def journal(self, kind: str) -> tuple[Entry, ...]:
        """The lines of a kind."""
        ...


def look(study: Journalled, purpose: str, trainings: Collection[tuple[int, int]]) -> None:
    """Put on record that trainings, by trial and seed, are about to be scored on the held-out cases.

    Going on with a look that was interrupted, or reading its results again, is no further one.

    Args:
        study: whose cases.
        purpose: the command that looks.
        trainings: those that are scored.
    """
    known = {tuple(training) for entry in study.journal(LOOK) for training in entry.content["trainings"]}
    if known.issuperset(trainings):
        return
    content = {"purpose": purpose, "trainings": sorted(map(list, trainings)), "cases": len(study.settings.held_out)}
    study.write_down(LOOK, content)


def number_of_looks(study: Journalled) -> int:
    """How often the held-out cases were looked at."""
    return len(study.journal(LOOK)) if study.settings.held_out else 0


def held_out(study: Journalled) -> dict[str, Any]:
    """How many cases were put aside, and how often they were looked at, as JSON."""
    return {"cases": len(study.settings.held_out), "looks": number_of_looks(study)}


def in_words(cases: int, looks: int) -> str:
    """How many cases were put aside, and how often they were looked at: what every result says with it."""
    times = {0: "never looked at", 1: "looked at once"}.get(looks, f"looked at {looks} times")
    return f"{cases} cases, {times}" if cases else "none"
