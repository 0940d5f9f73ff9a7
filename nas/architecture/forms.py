"""The forms of a published network, from as published downwards, so that every family fits some budget."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from nas.architecture.encoder_decoder import EncoderDecoder, Mirrored
from nas.architecture.part import DEPTHS, FEWEST, SMALLEST, slim

_RUNGS = 9
"""So many widths has a network that keeps its depth: from 256 down to 16, or from 64 to 4."""
_RUNGS_OF_SHALLOW = 5
"""And a shallower one: down to a quarter, so that depth and width shrink together."""
_FEWEST_STAGES = 3


@dataclass(frozen=True)
class Form:
    """A published network as published, narrower, or shallower and narrower; `name` says so."""

    name: str
    architecture: EncoderDecoder


def forms(name: str, architecture: EncoderDecoder) -> Iterator[Form]:
    """All forms of a network, the nearest to the published proportions first.

    First all widths at full depth; then, depth by depth, the widths down to a quarter; the shallowest at all widths.
    Depth is what a part counts with `depth_field` (layers of a dense block, units), and after those the levels.
    """
    depths = list(_depths(architecture))
    for place, shallow in enumerate(depths):
        is_end = place in (0, len(depths) - 1)
        names: set[str] = set()
        for rungs in range(_RUNGS if is_end else _RUNGS_OF_SHALLOW):
            form = slim(shallow, rungs)
            called = _name(name, architecture, shallow, form)
            if called not in names:
                yield Form(called, form)
            names.add(called)


def _depths(architecture: EncoderDecoder) -> Iterator[EncoderDecoder]:
    """The network as it is, then shallower step by step: its counts first, then its levels."""
    yield architecture
    for shrink in (_with_fewer, _with_fewer_levels):
        while (shallower := shrink(architecture)) != architecture:
            architecture = shallower
            yield architecture


def _with_fewer(part: Any) -> Any:
    """The same part, each count of its depth one rung lower."""
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed: dict[str, Any] = {}
    for item in fields(part):
        value = getattr(part, item.name)
        if FEWEST in item.metadata:
            changed[item.name] = _lower(value, item.metadata[FEWEST])
        elif isinstance(value, tuple):
            changed[item.name] = tuple(map(_with_fewer, value))
        else:
            changed[item.name] = _with_fewer(value)
    return replace(part, **changed)


def _lower(count: int, fewest: int) -> int:
    lower = [depth for depth in DEPTHS if fewest <= depth < count]
    return lower[-1] if lower else count


def _with_fewer_levels(architecture: EncoderDecoder) -> EncoderDecoder:
    """Without the level above the last, which stays the last, and without the decoder's stage that climbs from it."""
    encoder = architecture.encoder
    if len(encoder) <= _FEWEST_STAGES:
        return architecture
    dropped = encoder[-2].down
    decoder = architecture.decoder
    if isinstance(decoder, Mirrored) and dropped is not None and dropped.levels:
        decoder = replace(decoder, stages=decoder.stages[1:])
    return replace(architecture, encoder=(*encoder[:-2], encoder[-1]), decoder=decoder)


def _name(name: str, published: EncoderDecoder, shallow: EncoderDecoder, form: EncoderDecoder) -> str:
    words = [name]
    for field in dict.fromkeys(field for field, _ in _counts(published)):
        before, counts = ([count for other, count in _counts(whole) if other == field] for whole in (published, form))
        if (min(before), max(before)) != (min(counts), max(counts)):
            words.append(_range(field, counts))
    if len(form.encoder) < len(published.encoder):
        words.append(f"{len(form.encoder)} stages")
    if form != shallow:
        words.append(_width(form))
    return ", ".join(words)


def _range(field: str, counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    if low == high:
        return f"{low} {field.removesuffix('s') if low == 1 else field}"
    return f"{low} to {high} {field}"


def _width(architecture: EncoderDecoder) -> str:
    """What names a network's width: its growth if its blocks are dense, else its stem's or its first stage's width."""
    growths = [count for field, count in _numbers(architecture, SMALLEST) if field == "growth"]
    return f"growth {max(growths)}" if growths else f"base {base(architecture)}"


def base(architecture: EncoderDecoder) -> int:
    """The width that names a network's size: its stem's if it has one, else its first stage's."""
    width: int = getattr(architecture.stem, "width", architecture.width)
    return width


def _counts(architecture: EncoderDecoder) -> list[tuple[str, int]]:
    return list(_numbers(architecture, FEWEST))


def _numbers(part: Any, mark: str) -> Iterator[tuple[str, int]]:
    """The fields of all parts that carry a mark, by name, with their numbers."""
    if isinstance(part, tuple):
        for item in part:
            yield from _numbers(item, mark)
    elif is_dataclass(part) and not isinstance(part, type):
        for item in fields(part):
            value = getattr(part, item.name)
            if mark in item.metadata:
                yield item.name, value
            else:
                yield from _numbers(value, mark)


Fits = Callable[[EncoderDecoder], bool]


def largest(name: str, architecture: EncoderDecoder, fits: Fits) -> Form | None:
    """The first form that fits, None if none does."""
    return next((form for form in forms(name, architecture) if fits(form.architecture)), None)
