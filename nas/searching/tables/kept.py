"""Replays in a file of JSON lines, each added as soon as it is done, so that a contest can be stopped at any moment."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nas.errors import InputError, field_named
from nas.searching.tables.replaying import Moment
from nas.study.history import Document

ENDING = ".jsonl"
Job = tuple[str, int, int]
"""A strategy, what it may spend in trainings, and a seed."""
Outcome = tuple[Moment, ...]
_FORMAT = 1


def kept(file: Path, contest: Document) -> dict[Job, Outcome]:
    """Begin a file, or read what it holds already; a line that was cut short is cut off.

    Args:
        file: of the replays.
        contest: what all of them have in common; replays of another one are not gone on with.

    Raises:
        InputError: it cannot be used, or holds replays of something else.
    """
    first = {"format": _FORMAT, **contest}
    try:
        if not file.exists():
            file.write_text(_line(first), encoding="utf-8")
            return {}
        text = file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            file.write_text(whole, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{field_named('runs')}: {file} cannot be used ({error}); name another file") from None
    return _read(file, whole.splitlines(), first)


def keep(file: Path, job: Job, moments: Iterable[Moment]) -> None:
    """Add a replay."""
    strategy, budget, seed = job
    rows = [[round(value, 6) for value in (one.spent, one.time, one.dice, one.volume)] for one in moments]
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(_line({"strategy": strategy, "budget": budget, "seed": seed, "moments": rows}))
    except OSError as error:
        raise InputError(
            f"{field_named('runs')}: {file} cannot be written ({error.strerror}); make room there, and give the same "
            "command again: what is done is kept"
        ) from None


def _read(file: Path, lines: list[str], first: Document) -> dict[Job, Outcome]:
    try:
        header = json.loads(lines[0])
        differs = next((name for name in first if header.get(name) != first[name]), None)
        if differs is None:
            return dict(_replay(json.loads(line)) for line in lines[1:])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise InputError(
            f"{field_named('runs')}: {file}: found {type(error).__name__} {error}, expected what nas replay wrote; "
            "name another file"
        ) from None
    raise InputError(
        f"{field_named('runs')}: {file} holds replays of another contest (its {differs}: {header.get(differs)}, now "
        f"{first[differs]}); name another file"
    )


def _replay(document: Any) -> tuple[Job, Outcome]:
    job = (str(document["strategy"]), int(document["budget"]), int(document["seed"]))
    moments = tuple(Moment(*(float(value) for value in row)) for row in document["moments"])
    if not all(math.isfinite(value) for moment in moments for value in vars(moment).values()):
        raise ValueError("a number that is not finite")
    return job, moments


def _line(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"
