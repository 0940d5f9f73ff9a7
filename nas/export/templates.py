"""What the class of a module looks like, before it is known which of its numbers differ from instance to instance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from nas.export.code import Call, Code, Number, Value, numbers
from nas.export.forward import Line, forward, parameters
from nas.export.members import Held, Members, is_attribute, members
from nas.export.tree import NETWORK, Module, Step

Constructor = Callable[[Step], Call]
"""Says how the layer or the submodule of a step is made."""


@dataclass(frozen=True)
class Run:
    """Consecutive numbered members made by one constructor, whose numbers grow by equal steps.

    `stop` is the number after the last one's. The steps of a single one are unknown: their value is None.
    """

    constructor: Call
    steps: tuple[Number, ...]
    stop: Number


@dataclass(frozen=True)
class Template:
    """A class with its numbers left open: equal for modules that one class can stand for."""

    kind: str
    base: str
    runs: tuple[Run, ...]
    attributes: tuple[Line, ...]
    parameters: tuple[str, ...]
    outputs: int
    forward: tuple[Line, ...]

    def made(self) -> Iterator[Number]:
        """The numbers in its constructor, in the order in which they are written."""
        for run in self.runs:
            yield from (*numbers((run.constructor,)), *run.steps, run.stop)
        for line in self.attributes:
            yield from numbers(line.code)

    def used(self) -> Iterator[Number]:
        """The numbers in its `forward`."""
        for line in self.forward:
            yield from numbers(line.code)


def template(module: Module, constructor: Constructor) -> Template:
    """The class of a module."""
    kept = members(module.steps)
    attributes = tuple(Line(0, _attribute(name, held, constructor)) for name, held in kept.others.items())
    runs = _runs([constructor(step) for step in kept.items])
    is_network = module.kind == NETWORK
    names = parameters(module)
    if not attributes and _is_chain(module, kept):
        return Template(module.kind, "nn.Sequential", runs, (), names, 1, ())
    base = "nn.ModuleList" if runs else "nn.Module"
    lines = forward(module, kept, is_network)
    return Template(module.kind, base, runs, attributes, names, len(module.outputs), lines)


def _is_chain(module: Module, kept: Members) -> bool:
    """Whether a module does nothing but pass a value through its items."""
    values = [*module.inputs, *(value for step in module.steps for value in step.outputs)]
    chained = [((before,), (after,)) for before, after in pairwise(values)]
    wired = [(step.inputs, step.outputs) for step in module.steps]
    return list(module.steps) == kept.items and wired == chained and module.outputs == (values[-1],)


def _attribute(name: str, held: Held, constructor: Constructor) -> Code:
    if is_attribute(name):
        return (f"self.{name} = ", *_made(held, constructor))
    return (Call("self.add_module", ((f'"{name}"',), _made(held, constructor))),)


def _made(held: Held, constructor: Constructor) -> Code:
    if isinstance(held, Step):
        return (constructor(held),)
    made = [(name, _made(below, constructor)) for name, below in held.held.items()]
    if held.is_list:
        return (Call("nn.ModuleList", (("[", *_joined([code for _, code in made]), "]"),)),)
    return (Call("nn.ModuleDict", (("{", *_joined([(f'"{name}": ', *code) for name, code in made]), "}"),)),)


def _joined(codes: Sequence[Code]) -> Code:
    return (*codes[0], *(piece for code in codes[1:] for piece in (", ", *code)))


def _runs(made: Sequence[Call]) -> tuple[Run, ...]:
    """The numbered members as runs; the first stands alone, for it often differs from the others."""
    runs = [Run(made[0], (), Number("layers", 1, "layers"))] if made else []
    for _, group in groupby(made[1:]):
        stretch = list(group)
        before = [made[0]] if len(runs) == 1 and made[0] == stretch[0] else []
        steps = _steps(stretch, before)
        parts = [stretch] if steps is not None else [[one] for one in stretch]
        for part in parts:
            known = tuple(Number(number.name, None) for number in numbers((part[0],))) if steps is None else steps
            stop = runs[-1].stop.value
            assert isinstance(stop, int)
            runs.append(Run(part[0], known, Number("layers", stop + len(part), "layers")))
    return tuple(runs)


def _steps(stretch: Sequence[Call], before: Sequence[Call]) -> tuple[Number, ...] | None:
    """By how much each number grows from one to the next; None if one grows unevenly.

    Two alone tell little: where they differ they must go on from the one `before`.
    """
    rows = [list(numbers((call,))) for call in stretch]
    known = [tuple(map(difference, a, b)) for a, b in pairwise(rows)]
    if len(rows) == 2 and any(known[0]):
        known += [tuple(map(difference, numbers((call,)), rows[0])) for call in before] or [()]
    if len(set(known)) > 1 or any(None in row for row in known):
        return None
    steps = known[0] if known else (None,) * len(rows[0])
    return tuple(Number(f"{number.name}_step", step) for number, step in zip(rows[0], steps, strict=True))


def difference(first: Number, second: Number) -> int | None:
    """How much a number grows; None for two different ones that are not whole."""
    a, b = first.value, second.value
    if a == b:
        return 0
    return b - a if type(a) is int and type(b) is int else None


def settle(templates: Sequence[Template]) -> list[Template]:
    """Equal templates; what is unknown in one is filled in from others, and a first member joins the run it begins."""
    settled = list(templates)
    for index in range(len(templates[0].runs)):
        settled = _with_steps(settled, index)
    return _with_first(settled)


def _with_steps(templates: list[Template], index: int) -> list[Template]:
    rows = [item.runs[index].steps for item in templates]
    filled = []
    for item, row in zip(templates, rows, strict=True):
        known = [_only({other[place].value for other in rows} - {None}) for place in range(len(row))]
        steps = tuple(
            replace(number, value=guess if number.value is None else number.value)
            for number, guess in zip(row, known, strict=True)
        )
        runs = (*item.runs[:index], replace(item.runs[index], steps=steps), *item.runs[index + 1 :])
        filled.append(replace(item, runs=runs))
    return filled


def _only(values: set[Value]) -> Value:
    return values.pop() if len(values) == 1 else 0


def _with_first(templates: list[Template]) -> list[Template]:
    model = templates[0].runs
    if len(model) < 2 or model[0].constructor != model[1].constructor:
        return templates
    for item in templates:
        first, second, *_ = item.runs
        grown = tuple(map(difference, numbers((first.constructor,)), numbers((second.constructor,))))
        if grown != tuple(number.value for number in second.steps):
            return templates
    return [
        replace(item, runs=(replace(item.runs[1], constructor=item.runs[0].constructor), *item.runs[2:]))
        for item in templates
    ]
