"""The published networks that a search begins with, slimmed where the machine needs it."""

from collections.abc import Callable
from dataclasses import replace

from nas.architecture import EncoderDecoder, slim
from nas.architecture.forms import Form as Entry
from nas.architecture.forms import base, largest
from nas.catalog import published
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.space import Reference, Space

__all__ = ["MOST_RUNGS", "Entry", "alone", "base", "entries", "rungs_that_fit"]

MOST_RUNGS = 9
"""From a width of 256 down to 16, or from 64 to 4."""


def entries(
    space: Space[EncoderDecoder],
    task: Task,
    fits: Callable[[Graph], bool],
    *,
    full_size: bool,
    most: int,
    begins: Callable[[Graph], bool] | None = None,
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The references of a space that enter a search, and the names of those that fit in no form.

    Args:
        space: whose members are taken in their order.
        task: what they are traced for.
        fits: whether a network is within the limits.
        full_size: take every member as published.
        most: how many at most.
        begins: whether a network begins with published weights; those that do come first, and at their full width.
            None where there are no weights: then only members that enter are traced.
    """
    taken: list[Entry] = []
    left_out: list[str] = []
    known = [member for member in space.members if begins is not None and _traced(member.architecture, task, begins)]
    for member in [*known, *(member for member in space.members if member not in known)]:
        if len(taken) == most:
            break
        whole = Entry(member.name, member.architecture)
        if member in known and not full_size:
            entry = whole if _traced(member.architecture, task, fits) else None
        else:
            entry = whole if full_size else _fitting(member, task, fits)
        if entry is None:
            left_out.append(member.name)
        else:
            taken.append(entry)
    return tuple(taken), tuple(left_out)


def _fitting(member: Reference[EncoderDecoder], task: Task, fits: Callable[[Graph], bool]) -> Entry | None:
    """The form of a member that fits and is nearest to what was published."""
    return largest(member.name, member.architecture, lambda architecture: _traced(architecture, task, fits))


def _traced(architecture: EncoderDecoder, task: Task, holds: Callable[[Graph], bool]) -> bool:
    """Whether a network can be traced for a task, and something holds for it."""
    try:
        graph = trace(architecture, task)
    except InputError:
        return False
    return holds(graph)


def alone(space: Space[EncoderDecoder], name: str, rungs: int) -> Space[EncoderDecoder]:
    """The space of one member and nothing else, so many rungs narrower than published.

    Raises:
        InputError: the space has no such member.
    """
    architecture = slim(published(space, name), rungs)
    label = _label(name, rungs, architecture)
    member = next(member for member in space.members if member.name == name)
    return replace(space, template=architecture, members=(replace(member, name=label, architecture=architecture),))


def rungs_that_fit(architecture: EncoderDecoder, task: Task, fits: Callable[[Graph], bool]) -> int | None:
    """How many rungs narrower a network must be to fit, 0 if it fits as it is; None if it fits at no width."""
    for rungs in range(MOST_RUNGS):
        if fits(trace(slim(architecture, rungs), task)):
            return rungs
    return None


def _label(name: str, rungs: int, architecture: EncoderDecoder) -> str:
    """The name of a published network, with its width where it is narrower than published."""
    return name if rungs == 0 else f"{name}, base {base(architecture)}"
