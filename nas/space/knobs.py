"""What the knobs of a part take: said where a field is declared, checked wherever a part enters.

Types are read off the annotations of a part's fields, so that a part of the user's own is checked as well; words and
ranges are said by `knob`, in any frozen dataclass.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from nas.errors import InputError, did_you_mean
from nas.space.choices import Integer, OneOf, Real, Repeated, Shared

T = TypeVar("T")

TAKES = "takes"
"""In a field's metadata: what it takes."""


@dataclass(frozen=True)
class Takes:
    """The values of a knob: some words, or numbers from `low` to `high`, both included, and smaller than `below`.

    For a tuple the numbers are of its items.
    """

    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    below: float | None = None

    def holds(self, number: float) -> bool:
        """Whether a number is in the range."""
        return (
            (self.low is None or number >= self.low)
            and (self.high is None or number <= self.high)
            and (self.below is None or number < self.below)
        )

    @property
    def range(self) -> str:
        """The range in words, with a space before; nothing where all numbers are in it."""
        if self.high is not None and self.low is not None:
            return f" from {self.low} to {self.high}"
        start = "" if self.low is None else f" of at least {self.low}" if self.below is None else f" from {self.low}"
        return start if self.below is None else f"{start} to below {self.below}"


def knob(
    default: T,
    *,
    words: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
) -> T:
    """A field of a part that says what it takes.

    Args:
        default: what it is where nothing is said.
        words: of a string, all that it may be.
        low: of a number, the smallest; of a tuple, its fewest items.
        high: the largest.
        below: what it must be smaller than.
    """
    value: T = field(default=default, metadata={TAKES: Takes(tuple(words), low, high, below)})
    return value


def check_knobs(part: Any, path: str = "") -> None:
    """Refuse a part, or a template with open choices, in which any knob holds what it does not take.

    Raises:
        InputError: with the path of the part, the field, what was found and what is expected.
    """
    kind: Any = type(part)
    hints = _hints(kind)
    for item in fields(part):
        if not item.init:
            continue
        takes = item.metadata.get(TAKES, Takes())
        for value in _values(getattr(part, item.name)):
            if value is None and TAKES not in item.metadata:
                continue  # annotations of fields that may be left empty are often looser than that
            problem = _problem(value, hints.get(item.name, Any), takes)
            if problem:
                where = f"{path}: " if path else ""
                raise InputError(f"{where}{kind.__name__} {item.name}: found {_shown(value)}, {problem}")
        for step, below in _parts(getattr(part, item.name)):
            check_knobs(below, f"{path}.{item.name}{step}" if path else f"{item.name}{step}")


def _values(value: Any) -> Iterator[Any]:
    """All that may stand in a field: the value itself, or what an open choice may become."""
    if isinstance(value, OneOf):
        yield from value.options
    elif isinstance(value, Integer | Real):
        yield from (value.low, value.high)
    elif isinstance(value, Shared):
        yield from _values(value.choice)
    else:
        yield value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts in a field, with their step below it."""
    for option in _values(value):
        if isinstance(option, tuple):
            for index, item in enumerate(option):
                for step, part in _parts(item.part if isinstance(item, Repeated) else item):
                    yield f".{index}{step}", part
        elif is_dataclass(option) and not isinstance(option, type):
            yield "", option


def _problem(value: Any, hint: Any, takes: Takes) -> str:
    """Why a field does not take a value, as what is expected instead; nothing if it does."""
    if takes.words:
        if value in takes.words:
            return ""
        known = f"expected one of {', '.join(takes.words)}"
        near = did_you_mean(value, takes.words) if isinstance(value, str) else known
        return known if near.startswith("expected") else f"{known}; {near}"
    kinds = [kind for kind in _kinds(hint) if kind is not Any]
    if not kinds or any(_suits(value, kind, takes) for kind in kinds):
        return ""
    return f"expected {' or '.join(dict.fromkeys(_told(kind, takes) for kind in kinds))}"


def _suits(value: Any, kind: Any, takes: Takes) -> bool:
    if kind in _NUMBERS:
        return _NUMBERS[kind].suits(value) and (kind is bool or takes.holds(value))
    if kind in (str, NoneType):
        return isinstance(value, kind)
    if kind is tuple:
        return isinstance(value, tuple) and takes.holds(len(value))
    return is_dataclass(value) and not isinstance(value, type)  # of any class: a user's own fits as well as ours


def _told(kind: Any, takes: Takes) -> str:
    if kind in _NUMBERS:
        return _NUMBERS[kind].told + ("" if kind is bool else takes.range)
    if kind is tuple:
        return f"a tuple of parts, {takes.range.strip().removeprefix('of ')}" if takes.range else "a tuple of parts"
    return {str: "a string", NoneType: "None"}.get(kind, "a part, which is a frozen dataclass")


@dataclass(frozen=True)
class _Number:
    told: str
    suits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_NUMBERS = {
    bool: _Number("True or False", lambda value: isinstance(value, bool)),
    int: _Number("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    float: _Number("a number", _is_number),
}


def _kinds(hint: Any) -> Iterator[Any]:
    """The types that an annotation allows; `Any` for one that says nothing."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for option in get_args(hint):
            yield from _kinds(option)
    elif origin is tuple or hint is tuple:
        yield tuple
    elif isinstance(hint, type) and origin is None and (hint in (bool, int, float, str, NoneType) or _is_part(hint)):
        yield hint
    else:
        yield Any


def _is_part(hint: type) -> bool:
    return is_dataclass(hint) or getattr(hint, "_is_protocol", False)


def _shown(value: Any) -> str:
    text = type(value).__name__ if is_dataclass(value) and not isinstance(value, type) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@cache
def _hints(part: type) -> dict[str, Any]:
    try:
        return get_type_hints(part)
    except Exception:  # annotations of a user's own that do not resolve say nothing
        return {}
