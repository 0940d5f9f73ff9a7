"""Which variable of a `forward` holds which value, for how long, and what it should be called."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from nas.export.code import Code
from nas.export.loops import Loop
from nas.export.members import is_attribute
from nas.export.operations import HELPERS
from nas.export.tree import Module, Step
from nas.graph import operations as op

PLAIN_STEPS = frozenset(
    {"conv", "norm", "act", "dropout", "pool", "up", "resize", "expand", "add", "multiply", "concat", "sum", "softmax"}
    | {"attend", "depthwise", "pointwise"}
)
"""The names that `Ops` gives by itself, which say no more than the operation does."""

RESERVED = frozenset(
    {"F", "Tensor", "any", "enumerate", "getattr", "list", "nn", "range", "self", "torch", "tuple", "zip", *HELPERS}
)
"""Names that a variable would hide from the code that needs them."""


class Variables:
    """The variables of one `forward`, while it is written from its first step to its last."""

    def __init__(self, module: Module):
        self.position = 0
        self.uses = Counter(value for step in module.steps for value in step.inputs) + Counter(module.outputs)
        self.last_use = {value: position for position, step in enumerate(module.steps) for value in step.inputs}
        self.last_use.update(dict.fromkeys(module.outputs, len(module.steps)))
        self._users: dict[int, list[Step]] = defaultdict(list)
        for step in module.steps:
            for value in step.inputs:
                self._users[value].append(step)
        self._names: dict[int, Code] = {}
        self._held: dict[str, int] = {}
        self._elements: dict[int, tuple[str, int]] = {}
        self._lengths: dict[str, int] = {}

    def __getitem__(self, value: int) -> Code:
        """The expression of a value made before."""
        return self._names[value]

    def __setitem__(self, value: int, expression: Code) -> None:
        self._names[value] = expression

    def hold(self, name: str, value: int) -> None:
        """Assign a value to a variable. What it held before may still be found in a list."""
        before = self._held.get(name)
        if before in self._elements:
            self._names[before] = self._element(before)
        self._names[value] = (name,)
        self._held[name] = value

    def collect(self, name: str, values: Sequence[int]) -> None:
        """Put values, in this order, at the end of a list."""
        length = self._lengths.setdefault(name, 0)
        for index, value in enumerate(values, length):
            self._elements[value] = (name, index)
            if self.variable(value) is None:
                self._names[value] = self._element(value)
        self._lengths[name] = length + len(values)

    def is_done(self, value: int, within: int = 1) -> bool:
        """Whether nobody needs a variable for a value after the present step, or after so many steps."""
        return value in self._elements or self.last_use.get(value, -1) < self.position + within

    def _element(self, value: int) -> Code:
        name, index = self._elements[value]
        return (f"{name}[{index}]",)

    def is_alone(self, value: int) -> bool:
        """Whether a value is made already and in no list."""
        return value in self._names and value not in self._elements

    def enter(self, loop: Loop, end: int) -> None:
        """Begin to write the body of a loop that ends before the step `end`: how long its values are needed."""
        for value, series in loop.made.items():
            self.uses[value] = max(self.uses[each] for each in series)
            if self.last_use.get(series[-1], -1) >= end:
                self.last_use[value] = end
        for column in loop.columns.values():
            self.last_use.update({value: max(self.last_use[value], self.position + 1) for value in column})
        for position, step in enumerate(loop.body, self.position):
            self.last_use.update({value: position for value in step.inputs if value < 0})

    def leave(self, loop: Loop) -> None:
        """What the variables of a loop hold after its last round."""
        for value, series in loop.made.items():
            name = self.variable(value)
            if name is not None and len(series) == len(loop.rounds):
                self.hold(name, series[-1])

    def outlive(self, series: Sequence[int], end: int) -> bool:
        """Whether more than the last of the values that the rounds of a loop make is used after it."""
        return any(self.last_use.get(value, -1) >= end for value in series[:-1])

    def variable(self, value: int) -> str | None:
        """The variable that holds a value."""
        expression = self._names.get(value, ())
        name = expression[0] if len(expression) == 1 else None
        return name if isinstance(name, str) and self._held.get(name) == value else None

    def fresh(self, wanted: str) -> str:
        """A name that holds nothing still needed: the wanted one, if need be with a number."""
        name, number = wanted, 2
        while self._is_taken(name):
            name, number = f"{wanted}_{number}", number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        return name in RESERVED or name in self._lengths or (name in self._held and not self.is_done(self._held[name]))

    def name(self, chain: Sequence[Step], value: int) -> str:
        """A good name for the value that a chain of operations makes.

        What weighs something is called so; a step with a telling name gives it; else what is no longer needed is
        replaced; else what it is made for, or the operation, says what it is.
        """
        purpose = self._purpose(value)
        first = chain[0]
        done = [name for value in first.inputs if self.is_done(value) and (name := self.variable(value))]
        replaced = [name for name in done if len(first.inputs) == 1 or name in ("x", "branch", "skip")]
        telling = next(filter(None, map(_telling_name, chain)), None)
        if purpose == "weights":
            return self.fresh(purpose)
        if telling and (not isinstance(first.does, Module) or self.uses[first.inputs[0]] > 1):
            return self.fresh(telling)
        if replaced:
            return max(replaced, key=lambda name: name == "x")
        is_pooled = any(isinstance(step.does, op.GlobalPool) for step in chain)
        return self.fresh("pooled" if is_pooled else telling or purpose or "x")

    def _purpose(self, value: int) -> str | None:
        """Follow a value through what is done to it alone, to where it meets another."""
        users = self._users[value]
        while len(users) == 1 and len(users[0].inputs) == 1 and users[0].outputs:
            value = users[0].outputs[0]
            users = self._users[value]
        for user in users:
            if isinstance(user.does, op.Multiply) and user.inputs[1] == value:
                return "weights"
        return next((name for user in users for kind, name in _PURPOSES.items() if isinstance(user.does, kind)), None)

    def sequence(self, values: Sequence[int]) -> Code:
        """Several values as one list: one known before, part of it, one written out, or their sum."""
        lists: list[Code] = []
        alone: list[int] = []
        for run in self._runs(values):
            if len(run) > 1 and self._elements[run[0]][1] < self._elements[run[-1]][1]:
                lists += [("[", *self.listed(alone), "]")] if alone else []
                lists.append(self._part(run))
                alone = []
            else:
                alone += run
        lists += [("[", *self.listed(alone), "]")] if alone else []
        return (*lists[0], *(piece for part in lists[1:] for piece in (" + ", *part)))

    def listed(self, values: Sequence[int]) -> Code:
        """Several values between commas."""
        first, *others = (self._names[value] for value in values)
        return (*first, *(piece for part in others for piece in (", ", *part)))

    def indexed(self, values: Sequence[int], index: str) -> Code | None:
        """The value of each round of a loop by its index, where all are in one list, next to each other."""
        runs = self._runs(values)
        if len(runs) > 1 or len(values) < 2:
            return None
        name, first = self._elements[values[0]]
        if self._elements[values[-1]][1] < first:
            return (f"{name}[{first} - {index}]",)
        return (f"{name}[{f'{first} + ' if first else ''}{index}]",)

    def reserve(self, name: str) -> None:
        """Keep a name for a list that is no series of values made here."""
        self._lengths[name] = 0

    def _part(self, run: Sequence[int]) -> Code:
        name, first = self._elements[run[0]]
        high, length = self._elements[run[-1]][1] + 1, self._lengths[name]
        end = "" if high == length else high - length if length - high < 3 else high
        return (name if high - first == length else f"{name}[{first or ''}:{end}]",)

    def _runs(self, values: Sequence[int]) -> list[list[int]]:
        """Values that stand next to each other in one list, in one direction, drawn together."""
        runs = [[values[0]]]
        direction = 0
        for before, value in pairwise(values):
            step = self._distance(before, value)
            if step in (1, -1) and direction in (0, step):
                runs[-1].append(value)
                direction = step
            else:
                runs.append([value])
                direction = 0
        return runs

    def _distance(self, before: int, value: int) -> int:
        (name, here), (other, there) = (self._elements.get(each, ("", 0)) for each in (before, value))
        return there - here if name == other else 0


_PURPOSES: dict[type[op.Operation], str] = {op.Add: "branch", op.Concatenate: "new"}


def _telling_name(step: Step) -> str | None:
    """The last part of a step's name, if it says more than what the operation does."""
    name = step.name.rpartition(".")[2]
    base, _, number = name.rpartition("_")
    name = base if number.isdigit() else name
    is_telling = isinstance(step.does, Module) or name not in PLAIN_STEPS
    return name if is_telling and is_attribute(name) else None
