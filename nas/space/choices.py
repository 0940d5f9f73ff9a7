"""Open choices: what may stand in any field of a frozen dataclass until a space is decided.

A type checker sees the type of the options (`one_of(16, 32)` is an `int`), so that templates are written with
the same constructors as finished architectures; at run time the value is still open.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any, TypeVar, cast, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
K = TypeVar("K")
J = TypeVar("J")
T = TypeVar("T")

Scalar = bool | int | float | str | None
"""A value that a decision can hold: what Optuna stores as a categorical value, an integer or a float."""


@dataclass(frozen=True)
class OneOf:
    """One of several options; `labels` are what a decision holds: scalars themselves, parts by their kind."""

    options: tuple[Any, ...]
    labels: tuple[Scalar, ...]


@dataclass(frozen=True)
class Weighted(OneOf):
    """One of several options that are drawn at random as often as their weights say.

    One of weight 0 is never proposed, but members and earlier studies may hold it.
    """

    weights: tuple[int, ...]

    @property
    def proposed(self) -> tuple[Scalar, ...]:
        """The labels that may be proposed."""
        return tuple(label for label, weight in zip(self.labels, self.weights, strict=True) if weight)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both included; `log` spreads proposals evenly over magnitudes."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Real:
    """A real number from `low` to `high`; `log` spreads proposals evenly over magnitudes."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Shared:
    """One decision used at every place that names it; its path is its name."""

    name: str
    choice: "OneOf | Integer | Real"


@dataclass(frozen=True)
class Tally:
    """A length that follows from what was decided before: the sum of a class attribute over all parts so far."""

    attribute: str


@dataclass(frozen=True)
class Repeated:
    """A part repeated inside a tuple, spliced into it; each repetition is decided on its own."""

    part: Any
    length: "int | Integer | Tally"


Choice = OneOf | Integer | Real
"""What a chooser is asked for."""


def kind(part: object) -> str:
    """The name of a part in paths and decisions: its class name in snake case (`NonLocal` is `non_local`)."""
    name = type(part).__name__
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@overload
def one_of(a: A, /) -> A: ...
@overload
def one_of(a: A, b: B, /) -> A | B: ...
@overload
def one_of(a: A, b: B, c: C, /) -> A | B | C: ...
@overload
def one_of(a: A, b: B, c: C, d: D, /) -> A | B | C | D: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, /) -> A | B | C | D | E: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, f: F, /) -> A | B | C | D | E | F: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, f: F, g: G, /) -> A | B | C | D | E | F | G: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, /) -> A | B | C | D | E | F | G | H: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: K, /) -> A | B | C | D | E | F | G | H | K: ...
@overload
def one_of(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: K, j: J, /) -> A | B | C | D | E | F | G | H | K | J: ...
@overload
def one_of(*options: T) -> T: ...
def one_of(*options: Any) -> Any:
    """Leave open which of `options` stands here.

    Options are scalars, `None`, or parts (frozen dataclasses), which may hold further choices. In a decision a
    scalar is itself and a part is named by its kind; two options that look the same there are an error.

    Raises:
        TypeError: no option at all, an option of another type, or two options with one name.
    """
    if not options:
        raise TypeError("one_of() needs at least one option")
    holds_parts = any(is_dataclass(option) for option in options)
    labels = tuple(_label(option, holds_parts) for option in options)
    if len({(type(label), label) for label in labels}) < len(labels):
        raise TypeError(f"one_of() has two options with the same name among {list(labels)}")
    return OneOf(options, labels)


@overload
def settled(a: A, /) -> A: ...
@overload
def settled(a: A, b: B, /) -> A | B: ...
@overload
def settled(*options: T) -> T: ...
def settled(*options: Any) -> Any:
    """Put the first of `options` here wherever something is proposed, and read the others where they stand already.

    For what nobody needs to search, but a published network has, or an earlier study has tried.

    Raises:
        TypeError: as `one_of`.
    """
    return weighted(one_of(*options), 1, *(0 for _ in options[1:]))


def weighted(choice: T, *weights: int) -> T:
    """A choice whose options are drawn at random in these proportions; what it offers stays the same.

    Raises:
        TypeError: it is no `one_of`, or there is not one weight of at least 0 for each option, and one above.
    """
    if not isinstance(choice, OneOf):
        raise TypeError(f"weighted() takes one_of(), not {choice!r}")
    if len(weights) != len(choice.options) or min(weights) < 0 or not max(weights):
        raise TypeError(f"weighted() takes one weight for each of {list(choice.labels)}, not {list(weights)}")
    return cast(T, Weighted(choice.options, choice.labels, weights))


def _label(option: object, holds_parts: bool) -> Scalar:
    if isinstance(option, OneOf | Integer | Real | Shared | Repeated):
        raise TypeError("one_of() takes scalars and parts, not another choice: list all options in one one_of()")
    if option is None and holds_parts:
        return "none"
    if option is None or isinstance(option, bool | int | float | str):
        return option
    if is_dataclass(option) and not isinstance(option, type):
        return kind(option)
    raise TypeError(f"one_of() takes scalars and frozen dataclasses, not {option!r}")


def integer(low: int, high: int, *, log: bool = False) -> int:
    """Leave open a whole number from `low` to `high`, both included.

    Raises:
        TypeError: the range is empty, or logarithmic and not positive.
    """
    _check_range(low, high, log)
    return cast(int, Integer(low, high, log))


def real(low: float, high: float, *, log: bool = False) -> float:
    """Leave open a real number from `low` to `high`.

    Raises:
        TypeError: the range is empty, or logarithmic and not positive.
    """
    _check_range(low, high, log)
    return cast(float, Real(low, high, log))


def _check_range(low: float, high: float, log: bool) -> None:
    if low > high:
        raise TypeError(f"the range {low}..{high} is empty")
    if log and low <= 0:
        raise TypeError(f"a logarithmic range must start above zero, not at {low}")


def shared(name: str, choice: T) -> T:
    """Make one decision, called `name`, wherever this stands.

    Only choices between scalars can be shared: a part at several places may hold choices that differ.

    Raises:
        TypeError: `choice` is not `one_of` scalars, `integer` or `real`.
    """
    scalars = isinstance(choice, OneOf) and not any(is_dataclass(option) for option in choice.options)
    if not (scalars or isinstance(choice, Integer | Real)):
        raise TypeError(f"shared({name!r}, ...) takes one_of() scalars, integer() or real(), not {choice!r}")
    return cast(T, Shared(name, cast(Any, choice)))


def repeated(part: T, length: int) -> tuple[T, ...]:
    """Repeat `part`, each repetition decided on its own; `length` may be open (`integer(2, 6)`).

    The result is a tuple and adds up with others: `(first,) + repeated(part, integer(1, 5))`.
    """
    return (cast(T, Repeated(part, length)),)


def following(part: T, attribute: str) -> tuple[T, ...]:
    """Repeat `part` as often as the parts decided before say: the sum of their class attribute `attribute`."""
    return (cast(T, Repeated(part, Tally(attribute))),)


Chooser = Callable[[str, Choice], Scalar]
"""Answers one choice at a path: with an option's label, a whole number or a real number."""
