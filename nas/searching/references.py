"""The published networks that a search begins with, slimmed where the machine needs it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nas.architecture import EncoderDecoder, slim
from nas.catalog import published
from nas.graph import Graph, Task, trace
from nas.space import Reference, Space

_MOST_RUNGS = 9
"""From a width of 256 down to 16, or from 64 to 4."""


@dataclass(frozen=True)
class Entry:
    """A published network as it enters a search; `name` says by how much it was slimmed."""

    name: str
    architecture: EncoderDecoder


def entries(
    space: Space[EncoderDecoder], task: Task, fits: Callable[[Graph], bool], *, full_size: bool, most: int
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The references of a space that enter a search, and the names of those that fit at no width.

    Args:
        space: whose members are taken in their order.
        task: what they are traced for.
        fits: whether a network is within the limits.
        full_size: take every member as published.
        most: how many at most.
    """
    taken: list[Entry] = []
    left_out: list[str] = []
    for member in space.members:
        if len(taken) == most:
            break
        entry = Entry(member.name, member.architecture) if full_size else _slimmed(member, task, fits)
        if entry is None:
            left_out.append(member.name)
        else:
            taken.append(entry)
    return tuple(taken), tuple(left_out)


def base(architecture: EncoderDecoder) -> int:
    """The width that names a network's size: its stem's if it has one, else its first stage's."""
    return getattr(architecture.stem, "width", architecture.width)


def _slimmed(member: Reference[EncoderDecoder], task: Task, fits: Callable[[Graph], bool]) -> Entry | None:
    """The widest form of a member that fits."""
    rungs = rungs_that_fit(member.architecture, task, fits)
    if rungs is None:
        return None
    architecture = slim(member.architecture, rungs)
    return Entry(_label(member.name, rungs, architecture), architecture)


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
    for rungs in range(_MOST_RUNGS):
        if fits(trace(slim(architecture, rungs), task)):
            return rungs
    return None


def _label(name: str, rungs: int, architecture: EncoderDecoder) -> str:
    """The name of a published network, with its width where it is narrower than published."""
    return name if rungs == 0 else f"{name}, base {base(architecture)}"
