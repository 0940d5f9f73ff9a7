"""A trial's decisions, sorted by where in a network they stand."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nas.study.history import Trial

_AT_A_LEVEL = re.compile(r"^(?P<side>[a-z_]+)(?:\.[a-z_]+)*?\.(?P<level>\d+)\.(?P<part>[a-z_]+)$")


def at_levels(trial: Trial) -> Iterator[tuple[str, str, str]]:
    """What was chosen at levels: ("block", "encoder 2", "dense"). Only kinds of parts, not what is within them."""
    for path, value in (trial.decisions or {}).items():
        match = _AT_A_LEVEL.match(path)
        if match and (isinstance(value, str) or value is None):
            yield match["part"], f"{match['side']} {match['level']}", str(value)


def elsewhere(trial: Trial) -> Iterator[tuple[str, Any]]:
    """What was chosen once for the whole network or its training."""
    for path, value in (trial.decisions or {}).items():
        if not any(step.isdigit() for step in path.split(".")):
            yield path, value


def depth(trial: Trial) -> int | None:
    """How many levels an encoder has, where that was a choice."""
    value = (trial.decisions or {}).get("encoder.length")
    return value + 1 if isinstance(value, int) else None


def places(names: Sequence[str]) -> list[str]:
    """Places in the order of the network."""
    return sorted(set(names), key=lambda name: (not name.startswith("encoder"), _number(name), name))


def _number(name: str) -> int:
    return int(name.rpartition(" ")[2])
