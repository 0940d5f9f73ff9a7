"""The one error that a user's input raises, wherever it enters, and advice on names."""

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Something the user gave cannot be used.

    The message names the file or field, what was found, what was expected and what to do.
    The command line prints it alone, without a traceback, and ends with exit code 2.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice on a name that is not known: the nearest one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(names) or 'none: there are none'}"
