"""Fields of a recipe's parts checked when the part is made, whether they are decided or still open."""

import math
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from nas.errors import InputError
from nas.space import kind
from nas.space.choices import Integer, OneOf, Real, Shared
from nas.space.walk import field_names

Bounds = tuple[float, float]

ABOVE_ZERO = 1e-12
"""The smallest value of a number that must be above zero."""


def check_fields(part: object, **bounds: Bounds) -> None:
    """Refuse a part one of whose fields has, or may be decided to have, a value of another type or out of bounds.

    Args:
        part: a frozen dataclass; open choices may stand in its fields.
        bounds: the lowest and highest value of numeric fields by name; 0 and infinity for those not named.

    Raises:
        InputError: naming the part and the field.
    """
    hints = get_type_hints(type(part))
    for name in field_names(cast(type, type(part))):
        for value in possible_values(getattr(part, name)):
            expected = _expectation(hints[name], value, *bounds.get(name, (0, math.inf)))
            if expected:
                shown = kind(value) if hasattr(value, "__dataclass_fields__") else repr(value)
                raise InputError(f"{kind(part)} {name}: found {shown}, expected {expected}")


def possible_values(value: Any) -> tuple[Any, ...]:
    """The values that a field may be decided to have; of a range, its ends."""
    if isinstance(value, OneOf):
        return value.options
    if isinstance(value, Integer | Real):
        return (value.low, value.high)
    return possible_values(value.choice) if isinstance(value, Shared) else (value,)


def _expectation(wanted: Any, value: Any, low: float, high: float) -> str:
    """What was expected of a value, in words; empty where it is as expected."""
    if get_origin(wanted) in (Union, UnionType):
        kinds = [_expectation(each, value, low, high) for each in get_args(wanted)]
        return " or ".join(kinds) if all(kinds) else ""
    if get_origin(wanted) is Literal:
        options = get_args(wanted)
        return "" if isinstance(value, str) and value in options else f"one of {', '.join(map(repr, options))}"
    if wanted is NoneType:
        return "" if value is None else "none"
    if wanted is bool:
        return "" if isinstance(value, bool) else "true or false"
    if wanted in (int, float):
        what = "a whole number" if wanted is int else "a number"
        fits = isinstance(value, int if wanted is int else int | float) and not isinstance(value, bool)
        if not fits or not math.isfinite(value):
            return what
        return "" if low <= value <= high else f"{what} {_range(low, high)}"
    return "" if isinstance(value, wanted) else f"a {kind(wanted) if not isinstance(wanted, type) else wanted.__name__}"


def _range(low: float, high: float) -> str:
    if low == ABOVE_ZERO:
        return "above 0" if high == math.inf else f"above 0 and up to {high:g}"
    return f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
