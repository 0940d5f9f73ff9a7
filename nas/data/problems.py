"""Many problems, one error: the user sees them together and can mend them together."""

from collections.abc import Iterable

from nas.errors import InputError

SHOWN = 20


def refuse(problems: Iterable[str]) -> None:
    """Raise one InputError with a line per problem, the first 20 of them; do nothing where there are none."""
    lines = list(problems)
    if not lines:
        return
    hidden = len(lines) - SHOWN
    raise InputError("\n".join(lines[:SHOWN] + ([f"and {hidden} more"] if hidden > 0 else [])))
