"""The one walk over a template, taken in three ways: deciding it, reading decisions back, and counting them.

A path grows by `.field` into a part, by `.index` into a tuple and by `.kind` into the option taken, so that
`encoder.2.block` says which block stands there and `encoder.2.block.dense.growth` how fast it grows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any

from nas.errors import InputError, own_code
from nas.space.choices import Choice, Chooser, Integer, OneOf, Real, Repeated, Scalar, Shared, Tally, Weighted, kind


def is_part(value: object) -> bool:
    """Whether `value` is a frozen dataclass that belongs to the architecture, not to the language."""
    return is_dataclass(value) and not isinstance(value, type | OneOf | Integer | Real | Shared | Repeated)


def _constructor_fields(part: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(part) if field.init)


field_names: Callable[[type], tuple[str, ...]] = cache(_constructor_fields)
"""The names of a part's constructor fields, in order."""


def check_answer(path: str, choice: Choice, value: Scalar) -> None:
    """Refuse a value that the choice at `path` does not have.

    Raises:
        InputError: with what was found and what was expected.
    """
    if isinstance(choice, OneOf):
        if not any(type(value) is type(label) and value == label for label in choice.labels):
            raise InputError(f"{path}: found {value!r}, expected one of {list(choice.labels)}")
        return
    number = isinstance(value, int if isinstance(choice, Integer) else int | float) and not isinstance(value, bool)
    if not number or not choice.low <= value <= choice.high:  # type: ignore[operator]
        what = "a whole number" if isinstance(choice, Integer) else "a number"
        raise InputError(f"{path}: found {value!r}, expected {what} from {choice.low} to {choice.high}")


class Decide:
    """One walk that asks a chooser at every open choice. `decisions` fills as it goes.

    Args:
        chooser: who is asked.
        attributes: the `tally_attributes` of the template.
    """

    def __init__(self, chooser: Chooser, attributes: tuple[str, ...]):
        self.chooser = chooser
        self.decisions: dict[str, Scalar] = {}
        self._tallies: Counter[str] = Counter()
        self._attributes = attributes

    def template(self, template: Any) -> Any:
        """The finished value of a whole template."""
        return self._value(template, "")

    def _ask(self, path: str, choice: Choice) -> Scalar:
        if path not in self.decisions:
            value = self.chooser(path, choice)
            check_answer(path, choice, value)
            self.decisions[path] = value
        return self.decisions[path]

    def _value(self, template: Any, path: str) -> Any:
        if isinstance(template, OneOf):
            label = self._ask(path, template)
            option = pick(template, label)
            return self._value(option, f"{path}.{label}") if is_part(option) else option
        if isinstance(template, Integer | Real):
            return self._ask(path, template)
        if isinstance(template, Shared):
            return self._value(template.choice, template.name)
        if isinstance(template, tuple):
            return self._items(template, path)
        if is_part(template):
            return self._part(template, path)
        return template

    def _part(self, template: Any, path: str) -> Any:
        values = {name: self._value(getattr(template, name), join(path, name)) for name in field_names(type(template))}
        for attribute in self._attributes:
            self._tallies[attribute] += getattr(template, attribute, 0)
        with own_code(lambda: f"{type(template).__name__} at {path or 'the top'}"):
            return type(template)(**values)

    def _items(self, template: tuple[Any, ...], path: str) -> tuple[Any, ...]:
        values: list[Any] = []
        for item in template:
            for part in [item.part] * self._length(item, path) if isinstance(item, Repeated) else [item]:
                values.append(self._value(part, join(path, len(values))))
        return tuple(values)

    def _length(self, item: Repeated, path: str) -> int:
        if isinstance(item.length, Tally):
            return self._tallies[item.length.attribute]
        if isinstance(item.length, Integer):
            return int(self._ask(join(path, "length"), item.length))  # type: ignore[arg-type]
        return item.length


class MismatchError(Exception):
    """A value left its template at `path`; the deepest of several is the useful one to report."""

    def __init__(self, path: str, found: object, expected: str, depth: int):
        self.path, self.found, self.expected, self.depth = path, found, expected, depth
        super().__init__(f"{path or 'the whole'}: found {describe(found)}, expected {expected}")


class Read:
    """One walk along a finished value (or its JSON document) that notes which decisions lead to it.

    Args:
        attributes: the `tally_attributes` of the template.
    """

    def __init__(self, attributes: tuple[str, ...]) -> None:
        self.decisions: dict[str, Scalar] = {}
        self._tallies: Counter[str] = Counter()
        self._attributes = attributes

    def template(self, template: Any, value: Any) -> dict[str, Scalar]:
        """The decisions that turn `template` into `value`; raises MismatchError where it is no member."""
        self._match(template, value, "", 0)
        return self.decisions

    def _note(self, path: str, value: Scalar, depth: int) -> None:
        known = self.decisions.setdefault(path, value)
        if known != value or type(known) is not type(value):
            raise MismatchError(path, value, f"{known!r} as everywhere else, since this decision is shared", depth)

    def _match(self, template: Any, value: Any, path: str, depth: int) -> None:
        if isinstance(template, OneOf):
            self._match_option(template, value, path, depth)
        elif isinstance(template, Integer | Real):
            try:
                check_answer(path, template, value)
            except InputError as error:
                raise MismatchError(path, value, str(error).rpartition("expected ")[2], depth) from None
            self._note(path, value, depth)
        elif isinstance(template, Shared):
            self._match(template.choice, value, template.name, depth)
        elif isinstance(template, tuple):
            self._match_items(template, value, path, depth)
        elif is_part(template):
            self._match_part(template, value, path, depth)
        elif type(template) is not type(value) or template != value:
            raise MismatchError(path, value, describe(template), depth)

    def _match_option(self, template: OneOf, value: Any, path: str, depth: int) -> None:
        deepest = MismatchError(path, value, f"one of {list(template.labels)}", depth)
        before = dict(self.decisions), Counter(self._tallies)
        for option, label in zip(template.options, template.labels, strict=True):
            try:
                self._note(path, label, depth)
                self._match(option, value, f"{path}.{label}" if is_part(option) else path, depth + 1)
                return
            except MismatchError as mismatch:
                if mismatch.depth > deepest.depth + 1:
                    deepest = mismatch
                self.decisions, self._tallies = dict(before[0]), Counter(before[1])
        raise deepest

    def _match_part(self, template: Any, value: Any, path: str, depth: int) -> None:
        values = part_fields(value)
        if values is None or not same_kind(template, value):
            raise MismatchError(path, value, kind(template), depth)
        names = field_names(type(template))
        unknown = [name for name in values if name not in names]
        if unknown:
            raise MismatchError(
                join(path, unknown[0]), values[unknown[0]], f"one of the fields {list(names)}", depth + 1
            )
        for name in names:
            part = values.get(name, default_of(type(template), name))
            self._match(getattr(template, name), part, join(path, name), depth + 2)
        for attribute in self._attributes:
            self._tallies[attribute] += getattr(template, attribute, 0)

    def _match_items(self, template: tuple[Any, ...], value: Any, path: str, depth: int) -> None:
        if not isinstance(value, tuple | list):
            raise MismatchError(path, value, "a list", depth)
        parts: list[Any] = []
        for item in template:
            if not isinstance(item, Repeated):
                parts.append(item)
                continue
            length = self._length(item, len(value) - fixed_length(template), path, depth)
            parts.extend([item.part] * length)
        for index, part in enumerate(parts[: len(value)]):
            self._match(part, value[index], join(path, index), depth + 1)
        if len(parts) != len(value):
            raise MismatchError(path, f"{len(value)} items", f"{len(parts)}", depth)

    def _length(self, item: Repeated, left: int, path: str, depth: int) -> int:
        if isinstance(item.length, Tally):
            return self._tallies[item.length.attribute]
        if isinstance(item.length, Integer):
            self._match(item.length, left, join(path, "length"), depth)
            return left
        return item.length


def join(path: str, step: str | int) -> str:
    """One step further down a path."""
    return f"{path}.{step}" if path else str(step)


def pick(choice: OneOf, label: Scalar) -> Any:
    """The option that a decision names. `True` and `1` are different labels."""
    for option, name in zip(choice.options, choice.labels, strict=True):
        if name == label and type(name) is type(label):
            return option
    raise KeyError(label)


def part_fields(value: Any) -> Mapping[str, Any] | None:
    """The fields of a part or of a part's JSON document; None for anything else."""
    if isinstance(value, Mapping) and "kind" in value:
        return {name: item for name, item in value.items() if name != "kind"}
    if is_part(value):
        return {name: getattr(value, name) for name in field_names(type(value))}
    return None


def same_kind(template: Any, value: Any) -> bool:
    """Whether a value, or its document, is of the template's class."""
    return value["kind"] == kind(template) if isinstance(value, Mapping) else type(value) is type(template)


def default_of(part: type, name: str) -> Any:
    """A field's default, so that documents written before the field existed can still be read."""
    field = next(field for field in fields(part) if field.name == name)
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else "nothing"


def describe(value: object) -> str:
    """A value as an error message shows it: short."""
    if isinstance(value, Mapping) and "kind" in value:
        return str(value["kind"])
    text = kind(value) if is_part(value) else repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 80 else text[:77] + "..."


def fixed_length(items: tuple[Any, ...]) -> int:
    """How many items of a tuple stand in it whatever is decided; at most one part of it is of open length."""
    return sum(
        (item.length if isinstance(item.length, int) else 0) if isinstance(item, Repeated) else 1 for item in items
    )


def inner(template: Any) -> Iterator[Any]:
    """The templates directly inside one."""
    if isinstance(template, OneOf):
        yield from template.options
    elif isinstance(template, Shared):
        yield template.choice
    elif isinstance(template, Repeated):
        yield from (template.part, template.length)
    elif isinstance(template, tuple):
        yield from template
    elif is_part(template):
        yield from (getattr(template, name) for name in field_names(type(template)))


def tally_attributes(template: Any) -> tuple[str, ...]:
    """The class attributes that lengths in this template follow."""
    names: set[str] = set()
    waiting = [template]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tally):
            names.add(item.attribute)
        waiting.extend(inner(item))
    return tuple(sorted(names))


State = tuple[tuple[int, ...], frozenset[str]]
"""What counting has to remember: the tallies so far and the shared choices already made."""


class Count:
    """One walk over all decisions at once, which counts them without listing them."""

    def __init__(self, template: Any):
        self._attributes = tally_attributes(template)
        start: State = ((0,) * len(self._attributes), frozenset())
        self.total: int | None = None
        self._continuous = False
        ways = self._ways(template, Counter({start: 1}))
        if not self._continuous:
            self.total = sum(ways.values())

    def _ways(self, template: Any, states: "Counter[State]") -> "Counter[State]":
        if isinstance(template, Weighted):
            proposed = [option for option, weight in zip(template.options, template.weights, strict=True) if weight]
            return total(self._ways(option, states) for option in proposed)
        if isinstance(template, OneOf):
            return total(self._ways(option, states) for option in template.options)
        if isinstance(template, Real):
            self._continuous = self._continuous or template.low < template.high
            return states
        if isinstance(template, Integer):
            return Counter({state: n * (template.high - template.low + 1) for state, n in states.items()})
        if isinstance(template, Shared):
            return self._shared(template, states)
        if isinstance(template, Repeated):
            return self._repeated(template, states)
        for item in inner(template):
            states = self._ways(item, states)
        return self._tallied(template, states) if is_part(template) else states

    def _shared(self, template: Shared, states: "Counter[State]") -> "Counter[State]":
        decided: Counter[State] = Counter()
        for (tallies, names), n in states.items():
            if template.name in names:
                decided[tallies, names] += n
            else:
                ways: Counter[State] = Counter({(tallies, names | {template.name}): n})
                decided.update(self._ways(template.choice, ways))
        return decided

    def _repeated(self, template: Repeated, states: "Counter[State]") -> "Counter[State]":
        if isinstance(template.length, Tally):
            index = self._attributes.index(template.length.attribute)
            groups: dict[int, Counter[State]] = {}
            for state, n in states.items():
                groups.setdefault(state[0][index], Counter())[state] += n
            return total(self._powers(template.part, group, length) for length, group in groups.items())
        if isinstance(template.length, Integer):
            lengths = range(template.length.low, template.length.high + 1)
            return total(self._powers(template.part, states, length) for length in lengths)
        return self._powers(template.part, states, template.length)

    def _powers(self, part: Any, states: "Counter[State]", times: int) -> "Counter[State]":
        for _ in range(times):
            states = self._ways(part, states)
        return states

    def _tallied(self, part: Any, states: "Counter[State]") -> "Counter[State]":
        more = tuple(getattr(part, attribute, 0) for attribute in self._attributes)
        if not any(more):
            return states
        return Counter(
            {
                (tuple(a + b for a, b in zip(tallies, more, strict=True)), names): n
                for (tallies, names), n in states.items()
            }
        )


def total(counters: "Iterable[Counter[State]]") -> "Counter[State]":
    """The sum of several counters."""
    result: Counter[State] = Counter()
    for counter in counters:
        result.update(counter)
    return result


def open_choices(template: Any) -> dict[str, Choice]:
    """Every choice of a template by its path; the index of a repeated part is written `*`."""
    choices: dict[str, Choice] = {}

    def visit(item: Any, path: str) -> None:
        if isinstance(item, OneOf):
            choices[path] = item
            for option, label in zip(item.options, item.labels, strict=True):
                if is_part(option):
                    visit(option, f"{path}.{label}")
        elif isinstance(item, Integer | Real):
            choices[path] = item
        elif isinstance(item, Shared):
            visit(item.choice, item.name)
        elif isinstance(item, tuple):
            for index, element in enumerate(item):
                if isinstance(element, Repeated):
                    if isinstance(element.length, Integer):
                        choices[join(path, "length")] = element.length
                    visit(element.part, join(path, "*"))
                else:
                    visit(element, join(path, index))
        elif is_part(item):
            for name in field_names(type(item)):
                visit(getattr(item, name), join(path, name))

    visit(template, "")
    return choices
