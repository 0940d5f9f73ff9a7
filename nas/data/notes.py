"""What a reader decided about a file and a person should know."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST_NAMED = 5


@dataclass(frozen=True)
class Note:
    """A sentence that may hold for many files, and the figures of this one."""

    text: str
    figures: str = ""


def sentences(notes: Iterable[tuple[str, Note]]) -> Iterator[str]:
    """One sentence for each text, with the names of the cases that it is about and the figures of the first."""
    about: dict[str, list[tuple[str, Note]]] = {}
    for name, note in notes:
        about.setdefault(note.text, []).append((name, note))
    for text, group in about.items():
        names = list(dict.fromkeys(name for name, _ in group))
        name, first = group[0]
        example = f" ({f'in {name}: ' if len(names) > 1 else ''}{first.figures})" if first.figures else ""
        yield f"{listed(names)}: {text}{example}"


def listed(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
