"""Finding the loops in what a module does: the same steps, once for each item of a list of submodules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from nas.export.tree import Step
from nas.graph.operations import Concatenate

T = TypeVar("T")

Round = tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class Loop:
    """Steps that repeat for consecutive items of a list.

    `body` is the first round. Negative values in it are the loop's variables: those in `columns` take the given
    values round by round; those in `carried` start as the first value given and from then on are the second,
    as the round before made it. `made` has, for each value that the body makes, what it is in every round.
    """

    items: str
    first: int
    rounds: tuple[Round, ...]
    body: Round
    columns: Mapping[int, tuple[int, ...]]
    carried: Mapping[int, tuple[int, int]]
    made: Mapping[int, tuple[int, ...]]

    @property
    def steps(self) -> int:
        """How many steps of the module it stands for."""
        return sum(len(turn) for turn in self.rounds)


def with_loops(steps: Sequence[Step]) -> list[Step | Loop]:
    """The steps, those that repeat drawn together, as many as possible at a time."""
    found: list[Step | Loop] = []
    position = 0
    while position < len(steps):
        loop = _longest(steps, position)
        found.append(loop or steps[position])
        position += loop.steps if loop else 1
    return found


def _longest(steps: Sequence[Step], start: int) -> Loop | None:
    place = _place(steps[start])
    if place is None:
        return None
    items, first = place
    positions = {_place(step): position for position, step in enumerate(steps)}
    starts = [start]
    while (following := positions.get((items, first + len(starts)), -1)) > start:
        starts.append(following)
    period = starts[1] - start if len(starts) > 1 else 0
    regular = [position for index, position in enumerate(starts) if position == start + index * period]
    for count in range(len(regular), 1, -1):
        # The last round may be a shorter one.
        for length in range(period, 0, -1):
            lengths = [period] * (count - 1) + [length]
            rounds = tuple(tuple(steps[a : a + n]) for a, n in zip(regular, lengths, strict=False))
            if loop := _loop(items, first, rounds):
                return loop
    return None


def _place(step: Step) -> tuple[str, int] | None:
    """The list and index of an item: ("encoder", 0) for "encoder.0", ("", 0) for "0"; None for other steps."""
    items, _, index = step.name.rpartition(".")
    return (items, int(index)) if step.is_kept and index.isdigit() else None


def _loop(items: str, first: int, rounds: tuple[Round, ...]) -> Loop | None:
    """These rounds as a loop, if they are the same; the last may lack concatenations that nothing would use."""
    model = rounds[0]
    lacking = model[len(rounds[-1]) :]
    if any(step.is_kept for step in model[1:]) or not all(_alike(model, turn) for turn in rounds):
        return None
    if not all(isinstance(step.does, Concatenate) for step in lacking):
        return None
    wiring = _Wiring({value: _series(rounds, index, which) for index, which, value in _outputs(model)})
    body = tuple(
        replace(step, inputs=tuple(wiring.variable(_inputs(rounds, index, which)) for which in range(len(step.inputs))))
        for index, step in enumerate(model)
    )
    if not wiring.is_regular or any(_is_late(body, variable, made) for variable, (_, made) in wiring.carried.items()):
        return None
    return Loop(items, first, rounds, body, wiring.columns, wiring.carried, wiring.made)


@dataclass
class _Wiring:
    """Tells what the inputs of a round are, seen over all rounds."""

    made: Mapping[int, tuple[int, ...]]
    columns: dict[int, tuple[int, ...]] = field(default_factory=dict)
    carried: dict[int, tuple[int, int]] = field(default_factory=dict)
    is_regular: bool = True

    def variable(self, values: tuple[int, ...]) -> int:
        """What takes these values round by round: one of the body's own, a loop's variable, or one from outside."""
        for value, series in self.made.items():
            start = (values[0], value)
            if values == series[: len(values)]:
                return value
            if values[1:] == series[: len(values) - 1] and (len(values) > 1 or start in self.carried.values()):
                # One variable can go on from one value only.
                self.is_regular &= all(known == start for known in self.carried.values() if known[1] == value)
                return self._known(self.carried, start)
        if any(value in series for series in self.made.values() for value in values):
            self.is_regular = False
        return values[0] if len(set(values)) == 1 else self._known(self.columns, values)

    def _known(self, variables: dict[int, T], what: T) -> int:
        """The loop's variable for something, a new one if it has none."""
        new = -1 - len(self.columns) - len(self.carried)
        found = next((variable for variable, known in variables.items() if known == what), new)
        variables[found] = what
        return found


def _alike(model: Round, turn: Round) -> bool:
    return all(
        len(step.inputs) == len(other.inputs)
        and len(step.outputs) == len(other.outputs)
        and (step.is_kept or step.does == other.does)
        for step, other in zip(model, turn, strict=False)
    )


def _outputs(model: Round) -> list[tuple[int, int, int]]:
    return [(index, which, value) for index, step in enumerate(model) for which, value in enumerate(step.outputs)]


def _series(rounds: tuple[Round, ...], index: int, which: int) -> tuple[int, ...]:
    return tuple(turn[index].outputs[which] for turn in rounds if index < len(turn))


def _inputs(rounds: tuple[Round, ...], index: int, which: int) -> tuple[int, ...]:
    return tuple(turn[index].inputs[which] for turn in rounds if index < len(turn))


def _is_late(body: Round, variable: int, made: int) -> bool:
    """Whether a carried variable is still used after its next value has been made."""
    makes = next(index for index, step in enumerate(body) if made in step.outputs)
    return any(variable in step.inputs for step in body[makes + 1 :])
