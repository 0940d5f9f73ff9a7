"""The identity of a network: one function of the image, one digest, whatever its parts are called."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields, replace
from functools import cache
from typing import Any

from nas.graph.nodes import Traced
from nas.graph.operations import (
    ADDED,
    Convolution,
    Dropout,
    Foreign,
    Normalisation,
    Operation,
    TransposedConvolution,
)

_SIZE = 16
_fields: Callable[[type], tuple[Field[Any], ...]] = cache(fields)


@dataclass(frozen=True)
class Value:
    """What a node makes: a hash of all that leads to it, as if nothing were used twice, and the values it is made of.

    `inputs` are places in the list of values.
    """

    hash: bytes
    inputs: tuple[int, ...]


def digest(graph: Traced) -> str:
    """32 hexadecimal digits, equal for equal networks; nodes that lead to no output are no part of it.

    Studies are keyed by it, so it must not change from release to release.
    """
    values, places = _values(graph)
    outputs = tuple(places[position] for position in graph.outputs)
    whole = hashlib.blake2b(f"{graph.task.axes} axes".encode(), digest_size=_SIZE)
    for output in outputs:
        whole.update(values[output].hash)
    whole.update(_sharing(values, outputs))
    return whole.hexdigest()


def _values(graph: Traced) -> tuple[list[Value], list[int]]:
    """The values of a graph, and the place among them of what each node makes.

    Two nodes make one value where they do the same to the same and neither has weights or chance of its own.
    """
    values: list[Value] = []
    places: list[int] = []
    known: dict[tuple[str, tuple[int, ...]], int] = {}
    cancelled = _cancelled_biases(graph)
    for position, node in enumerate(graph.nodes):
        operation = _without_bias(node.operation) if position in cancelled else node.operation
        inputs = tuple(places[source] for source in node.inputs)
        text = _text(operation)
        step = hashlib.blake2b(text.encode(), digest_size=_SIZE)
        step.update(node.channels.to_bytes(4, "big"))
        for place in inputs:
            step.update(values[place].hash)
        is_pure = not isinstance(operation, Dropout | Foreign) and not operation.shapes((1,) * len(inputs))
        place = known.get((text, inputs), len(values)) if is_pure else len(values)
        if place == len(values):
            values.append(Value(step.digest(), inputs))
        known[text, inputs] = place
        places.append(place)
    return values, places


def _without_bias(operation: Operation) -> Operation:
    """A convolution without its bias."""
    assert isinstance(operation, Convolution | TransposedConvolution)
    return replace(operation, bias=False)


def _text(operation: Operation) -> str:
    """An operation as text, without the fields that came after digests were first stored, where they are as before."""
    items = [(field, getattr(operation, field.name)) for field in _fields(type(operation))]
    values = [
        f"{field.name}={value!r}" for field, value in items if ADDED not in field.metadata or value != field.default
    ]
    return f"{type(operation).__name__}({', '.join(values)})"


def _cancelled_biases(graph: Traced) -> set[int]:
    """The convolutions whose bias no output can show: all that uses them is a norm that takes each channel's mean."""
    users: dict[int, list[Operation | None]] = defaultdict(list)
    for node in graph.nodes:
        for source in node.inputs:
            users[source].append(node.operation)
    for output in graph.outputs:
        users[output].append(None)
    return {
        position
        for position, node in enumerate(graph.nodes)
        if isinstance(node.operation, Convolution | TransposedConvolution)
        and all(isinstance(user, Normalisation) and user.centres_channels for user in users[position])
    }


def _sharing(values: Sequence[Value], outputs: tuple[int, ...]) -> bytes:
    """What the hashes of values do not tell: where equal ones are one value and where two.

    Nothing, if the network is what one would take it for: equal values are two where one operation is given both
    (query and key of an attention), else one.
    """
    order = _order(values, outputs)
    twins: dict[bytes, list[int]] = defaultdict(list)
    for place in order:
        twins[values[place].hash].append(place)
    rows = [outputs, *(values[place].inputs for place in order)]
    if all(row == _expected(row, values, twins) for row in rows):
        return b""
    return repr([[order[place] for place in row] for row in rows]).encode()


def _order(values: Sequence[Value], outputs: tuple[int, ...]) -> dict[int, int]:
    """The values that lead to an output, numbered as they are met on the way back from the outputs."""
    order: dict[int, int] = {}
    waiting = [*reversed(outputs)]
    while waiting:
        place = waiting.pop()
        if place not in order:
            order[place] = len(order)
            waiting.extend(reversed(values[place].inputs))
    return order


def _expected(row: tuple[int, ...], values: Sequence[Value], twins: dict[bytes, list[int]]) -> tuple[int | None, ...]:
    counts: Counter[bytes] = Counter()
    expected: list[int | None] = []
    for place in row:
        equal = twins[values[place].hash]
        rank = counts[values[place].hash]
        expected.append(equal[rank] if rank < len(equal) else None)
        counts[values[place].hash] += 1
    return tuple(expected)
