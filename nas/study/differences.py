"""What differs between the settings a study was made with and those it is resumed with."""

import json
from collections.abc import Iterator
from typing import Any

from nas.study.records import StudySettings

SHOWN = 10
"""More differences than this are counted, not listed."""


def differences(stored: StudySettings, given: StudySettings) -> list[str]:
    """One line per setting that differs, among those that make results comparable: field, stored and given value.

    The seed, the plan and the device may differ: a study goes on after its machine was changed.
    """
    lines = [
        f"{field}: stored {_named(stored, field)}, given {_named(given, field)}"
        for field in ("space", "data")
        if _digest(stored, field) != _digest(given, field)
    ]
    before, after = _leaves(stored), _leaves(given)
    lines += [
        f"{path}: stored {before.get(path, 'nothing')}, given {after.get(path, 'nothing')}"
        for path in before | after
        if before.get(path) != after.get(path)
    ]
    return lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"and {len(lines) - SHOWN} more"]


def _digest(settings: StudySettings, field: str) -> str:
    return str(getattr(settings, f"{field}_digest"))


def _named(settings: StudySettings, field: str) -> str:
    return f"{getattr(settings, field)} (digest {_digest(settings, field)[:12]})"


def _leaves(settings: StudySettings) -> dict[str, str]:
    """Every value that must agree by its path, as JSON: so tuples equal the lists that they are stored as."""
    return {
        path: json.dumps(value)
        for field in ("objective", "recipe", "task")
        for path, value in _walk(field, getattr(settings, field))
    }


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}", inner)
    else:
        yield path, value
