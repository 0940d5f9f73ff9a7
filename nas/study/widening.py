"""A study's space may grow while it runs: a choice added, a range made longer. What was trained stays valid."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, text, update

from nas.study.records import Document, StudySettings
from nas.study.study import Study
from nas.study.tables import ArchitectureRow, EvaluationRow, StudyRow

OPEN = ("one_of", "integer", "real")


def is_widened(stored: Any, given: Any) -> bool:
    """Whether everything that a space's document offers is offered by another one too."""
    if isinstance(given, Mapping) and given.get("kind") in OPEN:
        return _offers(given, stored)
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        return stored.keys() == given.keys() and all(is_widened(stored[key], given[key]) for key in stored)
    if isinstance(stored, list) and isinstance(given, list):
        return len(stored) == len(given) and all(map(is_widened, stored, given))
    return type(stored) is type(given) and stored == given


def _offers(choice: Mapping[str, Any], stored: Any) -> bool:
    """Whether an open choice includes a value or another open choice."""
    if choice["kind"] == "one_of":
        before = stored["options"] if isinstance(stored, Mapping) and stored.get("kind") == "one_of" else [stored]
        return all(any(is_widened(each, option) for option in choice["options"]) for each in before)
    if isinstance(stored, Mapping):
        same = all(stored.get(name) == choice[name] for name in ("kind", "log"))
        return same and choice["low"] <= stored["low"] and stored["high"] <= choice["high"]
    number = isinstance(stored, int | float) and not isinstance(stored, bool)
    return number and choice["low"] <= stored <= choice["high"]


def widen(
    study: Study,
    settings: StudySettings,
    read: Callable[[Document, Document], Document],
    distributions: Callable[[Document], Mapping[str, Any]],
) -> Study:
    """Give a study its widened space, and read its trials again as members of it, in Optuna's tables too.

    Args:
        study: which one.
        settings: with the new space.
        read: decisions in the new space of an architecture's document, given those that led to it in the old one.
        distributions: Optuna's distribution of each of some decisions, in the new space.
    """
    study.optuna_study()
    row, known = EvaluationRow, dict[str, Any]()
    with study.storage.alone(study.id) as session:
        columns = (row.id, ArchitectureRow.document, row.decisions)
        found = select(*columns).join(ArchitectureRow).where(row.study_id == study.id)
        for id, document, before in session.execute(found).all():
            decisions = read(document, before or {})
            known |= distributions(decisions)
            session.execute(update(row).where(row.id == id).values(decisions=decisions))
        for name, distribution in known.items():
            for old, index in _categories(study, session, name, distribution):
                session.execute(text(_MOVE), {"new": index, "old": old, "name": name, "study": study.name})
            parameters = {"json": _json(distribution), "name": name, "study": study.name}
            session.execute(text(_DESCRIBE), parameters)
        for name in known:
            session.execute(text(_SETTLE), {"name": name, "study": study.name})
        values = {"space_document": settings.space_document, "space_digest": settings.space_digest}
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(values))
    return study


_MINE = (
    "trial_id IN (SELECT t.trial_id FROM trials t JOIN studies s ON s.study_id = t.study_id "
    "WHERE s.study_name = :study)"
)
# A categorical value is kept as its place in the list. Places are moved by way of negative ones, so that none is
# moved twice.
_MOVE = f"UPDATE trial_params SET param_value = -1 - :new WHERE param_name = :name AND param_value = :old AND {_MINE}"
_SETTLE = (
    f"UPDATE trial_params SET param_value = -1 - param_value WHERE param_name = :name AND param_value < 0 AND {_MINE}"
)
_DESCRIBE = f"UPDATE trial_params SET distribution_json = :json WHERE param_name = :name AND {_MINE}"
_STORED = f"SELECT DISTINCT distribution_json FROM trial_params WHERE param_name = :name AND {_MINE}"


def _categories(study: Study, session: Any, name: str, distribution: Any) -> list[tuple[int, int]]:
    """Where each old category of a parameter stands now; nothing for numbers, which keep their value."""
    from optuna.distributions import CategoricalDistribution, json_to_distribution

    if not isinstance(distribution, CategoricalDistribution):
        return []
    stored = session.scalars(text(_STORED), {"name": name, "study": study.name}).all()
    if not stored:
        return []
    before = json_to_distribution(stored[0])
    assert isinstance(before, CategoricalDistribution)
    return [(place, distribution.choices.index(value)) for place, value in enumerate(before.choices)]


def _json(distribution: Any) -> str:
    from optuna.distributions import distribution_to_json

    return json.dumps(json.loads(distribution_to_json(distribution)))
