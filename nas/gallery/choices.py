"""The choices of a space with what they mean and where they come from: the docstrings of the parts that offer them."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from nas.space import Space
from nas.space.choices import Choice, Integer, OneOf, Real, Repeated, Shared, Weighted
from nas.space.walk import field_names, is_part

_LENGTH = "How many stages there are here."
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z`])")


@dataclass(frozen=True)
class Option:
    """One thing that a choice offers: its name, what it means, and how often it is proposed beside the others."""

    label: str
    meaning: str
    weight: int = 1


@dataclass(frozen=True)
class ShownChoice:
    """A choice: the paths at which it stands, what it offers, and what it means, by the part that it is a knob of."""

    paths: tuple[str, ...]
    part: str
    knob: str
    meaning: str
    options: tuple[Option, ...]
    range: str = ""


def shown_choices(space: Space[Any]) -> list[ShownChoice]:
    """All choices of a space in the order in which they stand, each once, with all of its paths."""
    shown: dict[tuple[int, str, str], ShownChoice] = {}
    for path, part, knob, choice in _walk(space.template, "", None, ""):
        key = id(choice), part.__name__ if part else "", knob
        if key in shown:
            paths = dict.fromkeys([*shown[key].paths, path])
            shown[key] = replace(shown[key], paths=tuple(paths))
        else:
            shown[key] = _shown(path, part, knob, choice)
    return list(shown.values())


def documentation(part: type) -> str:
    """A part's docstring as plain paragraphs; "" where it has none of its own."""
    text = inspect.cleandoc(part.__doc__ or "")
    return "" if text.startswith(f"{part.__name__}(") else text  # which dataclass writes where there is none


def about_knob(part: type, knob: str) -> str:
    """What a part's docstring says of one of its knobs, or else of the part."""
    named = re.compile(rf"`{re.escape(knob)}`")
    sentences = _SENTENCE.split(" ".join(documentation(part).split()))
    return " ".join(sentence for sentence in sentences if named.search(sentence)) or sentences[0]


def _walk(item: Any, path: str, part: type | None, knob: str) -> Iterator[tuple[str, type | None, str, Choice]]:
    match item:
        case OneOf():
            yield path, part, knob, item
            for option, label in zip(item.options, item.labels, strict=True):
                if is_part(option):
                    yield from _walk(option, f"{path}.{label}", part, knob)
        case Integer() | Real():
            yield path, part, knob, item
        case Shared():
            yield from _walk(item.choice, item.name, part, knob)
        case Repeated():
            if isinstance(item.length, Integer):
                yield f"{path.removesuffix('.*')}.length", part, "length", item.length
            yield from _walk(item.part, path, part, knob)
        case tuple():
            for index, element in enumerate(item):
                place = "*" if isinstance(element, Repeated) else index
                yield from _walk(element, f"{path}.{place}", part, knob)
        case _ if is_part(item):
            for name in field_names(type(item)):
                yield from _walk(getattr(item, name), f"{path}.{name}".lstrip("."), type(item), name)


def _shown(path: str, part: type | None, knob: str, choice: Choice) -> ShownChoice:
    meaning = _LENGTH if knob == "length" else about_knob(part, knob) if part else ""
    shown = ShownChoice((path,), part.__name__ if part else "", knob, meaning, ())
    if not isinstance(choice, OneOf):
        spread = ", spread evenly over magnitudes" if choice.log else ""
        return replace(shown, range=f"{choice.low} to {choice.high}{spread}")
    weights = choice.weights if isinstance(choice, Weighted) else (1,) * len(choice.labels)
    options = zip(choice.options, choice.labels, weights, strict=True)
    return replace(
        shown,
        options=tuple(
            Option(str(label), documentation(type(option)) if is_part(option) else "", weight)
            for option, label, weight in options
        ),
    )
