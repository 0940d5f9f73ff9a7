"""What cannot be meant alike in all cases: refused, with cases on both sides."""

from collections.abc import Iterator, Sequence

from nas.data.notes import listed
from nas.data.observing import Observation


def disagreements(cases: Sequence[Observation]) -> Iterator[str]:
    """A line for each thing that cases say differently."""
    yield from _palettes(cases)
    yield from _unmeasured(cases)


def _palettes(cases: Sequence[Observation]) -> Iterator[str]:
    """Masks whose palettes give one value different colours show something else than their values say."""
    owners: dict[int, dict[tuple[int, ...], list[str]]] = {}
    for case in cases:
        for value, colour in case.palette or ():
            owners.setdefault(value, {}).setdefault(colour, []).append(case.name)
    for value, colours in owners.items():
        if len(colours) > 1:
            (first, names), (second, others), *_ = colours.items()
            yield (
                f"palettes: value {value} is shown as {_hex(first)} in {listed(names)} and as {_hex(second)} in "
                f"{listed(others)}; export the masks with one palette, or as grey with a value a class"
            )
            return


def _unmeasured(cases: Sequence[Observation]) -> Iterator[str]:
    unknown, known = ([case for case in cases if case.measured is measured] for measured in (False, True))
    if unknown and known:
        yield (
            f"spacing: unknown in {listed([case.name for case in unknown])}, but given in "
            f"{listed([case.name for case in known])}; give it to all, in the files or as NAME.json beside them with "
            '{"spacing": [...]} in mm, or to none'
        )


def _hex(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
