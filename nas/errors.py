"""The one error that a user's input raises, wherever it enters, and advice on names."""

import difflib
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

_NOT_THEIRS = {"nas", "torch", "numpy"} | sys.stdlib_module_names
"""Packages in whose code an error of a user's block may come to light, but does not arise."""


_FIELD = re.compile("\ue000([^\ue001]*)\ue001")


class InputError(Exception):
    """Something the user gave cannot be used.

    The message names the file or field, what was found, what was expected and what to do.
    The command line prints it alone, without a traceback, and ends with exit code 2.
    """

    def __str__(self) -> str:
        """The message as the Python interface speaks: of fields."""
        return _FIELD.sub(r"\1", super().__str__())

    @property
    def for_the_command_line(self) -> str:
        """The message as the command line speaks: of options."""
        return _FIELD.sub(lambda name: f"--{name[1].replace('_', '-')}", super().__str__())


def field_named(name: str) -> str:
    """A field's name in a message: `trials` in Python, `--trials` on the command line.

    The marks around it are characters for private use, which no name from outside has.
    """
    return f"\ue000{name}\ue001"


class OwnCodeError(InputError):
    """Code of the user's own, a block of theirs, raised something; what that was is the cause."""


@contextmanager
def own_code(what: Callable[[], str]) -> Iterator[None]:
    """Around each call of code that may be the user's own: what it raises becomes `OwnCodeError`.

    What arises in the code of nas alone is a bug of ours and goes on as it is, as does an `InputError`.

    Args:
        what: what was called, in words; asked only where it raised.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        theirs = [
            f"{frame.f_code.co_filename}, line {line}"
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_globals.get("__name__", "").partition(".")[0] not in _NOT_THEIRS
        ]
        if not theirs:
            raise
        raise OwnCodeError(
            f"{theirs[-1]}: {what()} raised {type(error).__name__}: {error}; mend it and give the same command again"
        ) from error


def did_you_mean(name: str, known: Iterable[str], expected: str | None = None) -> str:
    """Advice on a name that is not known: the nearest one, or else what is `expected`, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if expected is None and not names:
        return "there is none"
    return f"expected {expected or 'one of ' + ', '.join(names)}"
