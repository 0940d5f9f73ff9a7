"""The published networks that a search begins with, slimmed where the machine needs it."""

from collections.abc import Callable
from dataclasses import dataclass

from nas.architecture import EncoderDecoder, slim
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
    return architecture.width if architecture.stem is None else architecture.stem.width


def _slimmed(member: Reference[EncoderDecoder], task: Task, fits: Callable[[Graph], bool]) -> Entry | None:
    """The widest form of a member that fits."""
    for rungs in range(_MOST_RUNGS):
        architecture = slim(member.architecture, rungs)
        if fits(trace(architecture, task)):
            name = member.name if rungs == 0 else f"{member.name}, base {base(architecture)}"
            return Entry(name, architecture)
    return None
