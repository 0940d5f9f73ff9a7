"""A study's space may grow while it runs: a choice added, a range made longer. What was trained stays valid."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, update

from nas.study.history import Document
from nas.study.settings import StudySettings
from nas.study.sql.claims import changing
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArchitectureRow, StudyRow, TrialRow

OPEN = ("one_of", "integer", "real")


def is_widened(stored: Any, proposed: Any) -> bool:
    """Whether everything that a space's document offers is offered by another one too."""
    if isinstance(proposed, Mapping) and proposed.get("kind") in OPEN:
        return _offers(proposed, stored)
    if isinstance(stored, Mapping) and isinstance(proposed, Mapping):
        # A part may have gained fields since: what a newer nas adds to one leaves those that lack it as they were.
        return stored.keys() <= proposed.keys() and all(is_widened(stored[key], proposed[key]) for key in stored)
    if isinstance(stored, list) and isinstance(proposed, list):
        return len(stored) == len(proposed) and all(map(is_widened, stored, proposed))
    return type(stored) is type(proposed) and stored == proposed


def _offers(choice: Mapping[str, Any], stored: Any) -> bool:
    """Whether an open choice includes a value or another open choice."""
    if choice["kind"] == "one_of":
        before = stored["options"] if isinstance(stored, Mapping) and stored.get("kind") == "one_of" else [stored]
        return all(any(is_widened(value, option) for option in choice["options"]) for value in before)
    if isinstance(stored, Mapping):
        # However a range is drawn from, it offers the same.
        same: bool = stored.get("kind") == choice["kind"]
        return same and choice["low"] <= stored["low"] and stored["high"] <= choice["high"]
    number = isinstance(stored, int | float) and not isinstance(stored, bool)
    return number and choice["low"] <= stored <= choice["high"]


def widen(study: SqlStudy, settings: StudySettings, read: Callable[[Document, Document], Document]) -> None:
    """Give a study its widened space, and read its trials again as members of it.

    Args:
        study: which one. Its image in Optuna's tables is to be made afresh after this.
        settings: with the new space.
        read: decisions in the new space of an architecture's document, given those that led to it in the old one.
    """
    row = TrialRow
    with changing(study.storage, study.id) as (session, revision):
        columns = select(row.id, ArchitectureRow.document, row.decisions)
        described = columns.join(ArchitectureRow, ArchitectureRow.digest == row.digest).where(row.study_id == study.id)
        for id, document, before in session.execute(described).all():
            values = {"decisions": read(document, before or {}), "revision": revision}
            session.execute(update(row).where(row.id == id).values(values))
        space = {"space_document": settings.space_document, "space_digest": settings.space_digest}
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(space))
