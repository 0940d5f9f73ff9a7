"""Pieces of source code in which numbers are still open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Value = int | float | tuple[int, ...] | tuple[float, ...] | None


@dataclass(frozen=True)
class Number:
    """A number in the source of a class.

    Its value is no part of the class's identity: code that differs in numbers alone is equal, and a number that
    differs from one instance of the class to the next becomes a parameter, called `name`. It is left out where it
    is its `default`, and given by `keyword` or by position.
    """

    name: str
    value: Value = field(compare=False)
    keyword: str = ""
    default: Value = field(default=None, compare=False)


@dataclass(frozen=True)
class ClassName:
    """The name of a class of the exported file, by its place in the list of them; it is found last."""

    index: int


@dataclass(frozen=True)
class Call:
    """A function, method or class and what it is given."""

    function: str | ClassName
    arguments: tuple["Code", ...]


Piece = str | Number | ClassName | Call

Code = tuple[Piece, ...]
"""Pieces that stand one after the other."""


def numbers(code: Code) -> Iterator[Number]:
    """The numbers in it, in the order in which `text` writes them."""
    for piece in code:
        if isinstance(piece, Number):
            yield piece
        elif isinstance(piece, Call):
            for argument in piece.arguments:
                yield from numbers(argument)


def text(code: Code, written: Iterator[str | None], classes: Sequence[str]) -> str:
    """The source.

    Args:
        code: what to write.
        written: for each number what stands for it, or None where it is left out.
        classes: the names of the classes.
    """
    return "".join(_piece(piece, written, classes) for piece in code)


def _piece(piece: Piece, written: Iterator[str | None], classes: Sequence[str]) -> str:
    if isinstance(piece, Call):
        arguments = [text(argument, written, classes) for argument in piece.arguments]
        function = _piece(piece.function, written, classes)
        return f"{function}({', '.join(argument for argument in arguments if argument)})"
    if isinstance(piece, Number):
        value = next(written)
        return "" if value is None else f"{piece.keyword}={value}" if piece.keyword else value
    return classes[piece.index] if isinstance(piece, ClassName) else piece
