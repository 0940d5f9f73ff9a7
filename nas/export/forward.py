"""The lines of a module's `forward`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nas.export.code import Call, Code, Piece
from nas.export.loops import Loop, with_loops
from nas.export.members import Members, is_attribute
from nas.export.operations import function
from nas.export.tree import Module, Step
from nas.export.variables import Variables
from nas.graph import operations as op

LONGEST_CHAIN = 5
"""How many operations may stand in one line, each around the one before."""


@dataclass(frozen=True)
class Line:
    """One line of source and how deep it stands."""

    depth: int
    code: Code


def parameters(module: Module) -> tuple[str, ...]:
    """What `forward` calls what it is given: first what the module works on, then what joins it from elsewhere."""
    skips = ("skip", *(f"skip_{number}" for number in range(2, len(module.inputs))))
    return ("x", *skips)[: len(module.inputs)]


def forward(module: Module, members: Members, is_network: bool) -> tuple[Line, ...]:
    """The body of the method. That of the network returns all its outputs in training alone."""
    writer = _Writer(module, members, is_network and len(module.outputs) > 1)
    writer.write()
    return tuple(writer.lines)


class _Writer:
    def __init__(self, module: Module, members: Members, is_supervised: bool):
        self.module = module
        self.members = members
        self.is_supervised = is_supervised
        self.lines: list[Line] = []
        self.depth = 0
        self.item = ""  # what the loop that is being written calls its items
        self.has_left = False  # whether a return in evaluation mode has been written
        self.chain: list[Step] = []  # the operations of the expression that is being put together
        self.carried: dict[int, str] = {}  # the variable in which a loop hands a value on
        self.collected: dict[int, str] = {}  # the list to which a loop appends a value
        self.plan = [step for found in with_loops(module.steps) for step in self._whole(found)]
        self.variables = Variables(module)

    def write(self) -> None:
        for name, value in zip(parameters(self.module), self.module.inputs, strict=True):
            self.variables.hold(name, value)
        self._steps(self.plan)
        self._return()

    def _whole(self, found: Step | Loop) -> Sequence[Step | Loop]:
        """A loop over all items of a list, or else the steps that it stands for: torch.jit goes through whole lists."""
        if isinstance(found, Step) or self.members.is_whole(found.items, found.first, found.first + len(found.rounds)):
            return (found,)
        return [step for turn in found.rounds for step in turn]

    def _steps(self, steps: Sequence[Step | Loop]) -> None:
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            if isinstance(step, Loop):
                self._loop(step)
            else:
                self._step(step, following)
                self.variables.position += 1

    def _step(self, step: Step, following: Step | Loop | None) -> None:
        expression = self._expression(step)
        self.chain.append(step)
        is_returned = following is None and self.depth == 0 and step.outputs == self.module.outputs[-1:]
        if is_returned or (isinstance(following, Step) and self._continues(step, following)):
            self.variables[step.outputs[0]] = expression
            return
        names = [self._assign(value) for value in step.outputs]
        self._line(", ".join(names), " = ", *expression)
        self.chain.clear()
        for name, value in zip(names, step.outputs, strict=True):
            if value in self.collected:
                self._line(f"{self.collected[value]}.append({name})")
            if self.is_supervised and value == self.module.outputs[0] and self.depth == 0:
                self._line("if not self.training:")
                self._line(f"    return {name}")
                self.has_left = True

    def _continues(self, step: Step, following: Step) -> bool:
        """Whether the following step is written around this one, in one expression."""
        resizing = op.MaxPool | op.AveragePool | op.Resize
        if len(self.chain[0].inputs) > 1 and isinstance(following.does, op.Convolution):
            return False
        return (
            following.inputs == step.outputs
            and self.variables.uses[step.outputs[0]] == 1
            and not isinstance(step.does, Module)
            and not isinstance(following.does, Module | resizing)
            and all(type(following.does) is not type(earlier.does) for earlier in self.chain)
            and len(self.chain) < LONGEST_CHAIN
        )

    def _expression(self, step: Step) -> Code:
        arguments = tuple(self.variables[value] for value in step.inputs)
        if step.is_kept:
            return (Call(self.item or self.members.reference(step.name), arguments),)
        assert isinstance(step.does, op.Operation)
        if isinstance(step.does, op.Concatenate):
            arguments = (self.variables.sequence(step.inputs),)
        return function(step.does, arguments)

    def _assign(self, value: int) -> str:
        """The variable that takes a value which the last step of the chain has made."""
        if value in self.carried:
            name = self.carried[value]
        elif self.is_supervised and value in self.module.outputs:
            name = self.variables.fresh("scores")
        elif value != self.chain[-1].outputs[-1]:
            name = self.variables.fresh("feature")
        else:
            name = self.variables.name(self.chain, value)
        self.variables.hold(name, value)
        return name

    def _loop(self, loop: Loop) -> None:
        variables = self.variables
        end = variables.position + loop.steps
        lists = {value: series for value, series in loop.made.items() if variables.outlive(series, end)}
        variables.enter(loop, end)
        if lists and len(loop.body) == 1 and not loop.carried:
            (value,) = lists
            is_output = self.is_supervised and value in self.module.outputs
            self.collected[value] = variables.fresh("coarser" if is_output else "branches")
            header = self._header(loop)
            self._line(self.collected[value], " = [", *self._expression(loop.body[0]), " ", *header, "]")
        else:
            for value in lists:
                self._start_list(loop, value)
            self._carry(loop)
            self._line(*self._header(loop), ":")
            self.depth += 1
            self._steps(loop.body)
            self.depth -= 1
        self.item = ""
        variables.position = end
        variables.leave(loop)
        for value, series in lists.items():
            variables.collect(self.collected[value], series)

    def _carry(self, loop: Loop) -> None:
        """Give what goes from round to round a variable: the one it starts in, unless that is needed later."""
        for variable, (initial, made) in loop.carried.items():
            name = self.variables.variable(initial)
            if name is None or not self.variables.is_done(initial, within=len(loop.rounds[0])):
                name = self.variables.fresh("x")
                self._line(name, " = ", *self.variables[initial])
            self.variables.hold(name, variable)
            self.carried[made] = name

    def _header(self, loop: Loop) -> Code:
        """The loop's `for ... in ...`; from here on its variables stand for what the round takes from other lists.

        By their index, since torch.jit goes through a list of modules and one of tensors together in no other way.
        """
        self.item = self.variables.fresh(_item_name(loop.body[0]))
        items: Code = (self.members.sequence(loop.items, loop.first, loop.first + len(loop.rounds)),)
        if not loop.columns:
            return ("for ", self.item, " in ", *items)
        index = self.variables.fresh("index")
        for variable, column in loop.columns.items():
            self.variables[variable] = self.variables.indexed(column, index) or self._listed(column, index)
        return ("for ", f"{index}, {self.item}", " in ", Call("enumerate", (items,)))

    def _listed(self, column: Sequence[int], index: str) -> Code:
        """The item of a list that is written out for it, before the loop."""
        name = self.variables.fresh("inputs")
        self._line(f"{name} = [", *self.variables.listed(column), "]")
        self.variables.reserve(name)
        return (f"{name}[{index}]",)

    def _start_list(self, loop: Loop, value: int) -> None:
        """A list for what every round makes, begun with what comes before it wherever the two are gone through."""
        columns = [column for other in self.plan if isinstance(other, Loop) for column in other.columns.values()]
        before = [b for column in columns for a, b in pairwise(column) if a == loop.made[value][0]]
        seeds = [seed for seed in before[:1] if self.variables.is_alone(seed)]
        is_carried = any(value == made for _, made in loop.carried.values())
        name = self.variables.fresh("made" if not is_carried else "outputs" if self.collected else "features")
        self._line(f"{name} = [", *(piece for seed in seeds for piece in self.variables[seed]), "]")
        self.variables.collect(name, seeds)
        self.collected[value] = name

    def _return(self) -> None:
        outputs = self.module.outputs
        if self.is_supervised and not self.has_left:
            self._line("if not self.training:")
            self._line("    return ", *self.variables[outputs[0]])
        self._line("return ", *self.variables.listed(outputs))

    def _line(self, *code: Piece) -> None:
        self.lines.append(Line(self.depth, code))


def _item_name(step: Step) -> str:
    """What a loop calls an item: the last word of its kind, "stage" for `UpStage`."""
    words = re.findall("[A-Z][a-z]+", step.does.kind) if isinstance(step.does, Module) else []
    name = words[-1].lower() if words else "layer"
    return name if is_attribute(name) and name != "skip" else "layer"
