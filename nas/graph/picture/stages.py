"""What of a graph is drawn: its stages, and how each joins what it is given. Read off nodes and scopes alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from nas.graph.nodes import Node, Traced
from nas.graph.operations import (
    Add,
    Attend,
    Concatenate,
    Convolution,
    Foreign,
    Input,
    Multiply,
    TransposedConvolution,
)
from nas.graph.picture.words import branch_words, convolution_words, dilation_words, joined, kernel_words, step_words
from nas.graph.task import Axes

_FEWEST_BRANCHES = 3
"""Paths side by side that are drawn as such."""
_WORKING = (Convolution, TransposedConvolution, Attend, Foreign)
"""Operations that make a stage more than a step between two resolutions."""


@dataclass(frozen=True)
class Stage:
    """What is drawn as one block: the nodes that one part wrote and that leave at one resolution.

    `level` are the strides of what it makes. `units` is what its block repeats, `convolutions` how many stand on its
    longest path, `step` how it comes from its input's resolution, `branches` what it does side by side, `notes` what
    else is special. `index` is its place among its graph's stages.
    """

    index: int
    name: str
    kind: str
    level: Axes
    channels: int
    units: int
    convolutions: int
    parameters: int
    step: str = ""
    branches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_input: bool = False
    is_output: bool = False

    @property
    def heading(self) -> str:
        """Its kind, and how often its unit is repeated."""
        return f"{self.kind} × {self.units}" if self.units > 1 else self.kind

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below its block."""
        numbers = [f"{self.channels} ch"]
        if self.convolutions and not self.is_input:
            numbers.append(f"{self.convolutions} conv")
        return (self.heading, " · ".join(numbers), *self.notes)


@dataclass(frozen=True)
class Link:
    """What one stage makes and another uses; `source` and `target` are indices.

    The main one is the way through the network, the others are skips. `joins` says how a skip meets the main one:
    "add", "concatenate", and before them "gate" where it is weighed; `is_late` that this is after the stage's own
    convolutions; `through` what is done to it on the way.
    """

    source: int
    target: int
    is_main: bool
    joins: tuple[str, ...] = ()
    is_late: bool = False
    through: str = ""


@dataclass(frozen=True)
class Outline:
    """A graph as it is drawn."""

    graph: Traced
    stages: tuple[Stage, ...]
    links: tuple[Link, ...]


def outline(graph: Traced) -> Outline:
    """The stages of a graph in the order in which they begin, and their links."""
    groups = _groups(graph)
    members = _members(groups)
    index = {name: place for place, name in enumerate(members)}
    links: list[Link] = []
    stages: list[Stage] = []
    for name, positions in members.items():
        sources = _sources(graph, groups, positions)
        level = _level(graph, groups, name, positions)
        main = _main(graph, sources, level)
        stages.append(_stage(graph, index[name], name, positions, level, _reached(graph, positions, sources.get(main))))
        for source, used in sources.items():
            link = Link(index[source], index[name], source == main)
            links.append(link if link.is_main else _join(graph, link, positions, used, sources[main]))
    return Outline(graph, tuple(stages), tuple(links))


def coarseness(level: Axes) -> tuple[bool, int, Axes]:
    """What levels are sorted by, fine first; what is pooled over all positions has no strides."""
    return not level, prod(level), level


# Which nodes stand together -----------------------------------------------------------------------------------------


def _groups(graph: Traced) -> list[str]:
    """The stage of each node: the outermost part that wrote it, parted where it is used at several resolutions."""
    parts = [_part(graph, node.name) for node in graph.nodes]
    leaving = _leaving(graph, parts)
    groups = _parted(graph, parts, leaving)
    # A pooling that stands alone is the way to the stage after it.
    for name, positions in reversed(_members(groups).items()):
        users = {groups[i] for i, node in enumerate(graph.nodes) for source in node.inputs if groups[source] == name}
        users.discard(name)
        if len(users) == 1 and not any(_works(graph, position) for position in positions):
            for position in positions:
                groups[position] = next(iter(users))
    return groups


def _part(graph: Traced, name: str) -> str:
    """The outermost scope of a path that a part wrote; without any, its first step, and the number behind it."""
    steps = name.split(".")
    for count in range(1, len(steps)):
        path = ".".join(steps[:count])
        if path in graph.scopes:
            return path
    return ".".join(steps[:2]) if len(steps) > 2 and steps[1].isdigit() else steps[0]


def _leaving(graph: Traced, parts: Sequence[str]) -> dict[str, set[Axes]]:
    """The resolutions of what each part makes and others use."""
    leaving: dict[str, set[Axes]] = {part: set() for part in parts}
    for position, node in enumerate(graph.nodes):
        for source in node.inputs:
            if parts[source] != parts[position]:
                leaving[parts[source]].add(graph.nodes[source].strides)
    for output in graph.outputs:
        leaving[parts[output]].add(graph.nodes[output].strides)
    return leaving


def _parted(graph: Traced, parts: Sequence[str], leaving: Mapping[str, set[Axes]]) -> list[str]:
    """Nodes of a part that others use at several resolutions stand with the next of those."""
    groups = list(parts)
    latest: dict[str, Axes] = {}
    for position in range(len(parts) - 1, -1, -1):
        part, strides = parts[position], graph.nodes[position].strides
        if len(leaving[part]) > 1:
            if strides in leaving[part]:
                latest[part] = strides
            order = sorted(leaving[part], key=coarseness)
            place = order.index(latest.get(part, order[-1]))
            groups[position] = f"{part}:{place}" if place else part
    return groups


def _members(groups: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for position, name in enumerate(groups):
        members.setdefault(name, []).append(position)
    return members


def _works(graph: Traced, position: int) -> bool:
    return isinstance(graph.nodes[position].operation, (Input, *_WORKING)) or position in graph.outputs


def _sources(graph: Traced, groups: Sequence[str], positions: Sequence[int]) -> dict[str, list[int]]:
    """What a stage is given: the nodes, by the stage that makes them."""
    own = groups[positions[0]]
    used = sorted({source for position in positions for source in graph.nodes[position].inputs})
    sources: dict[str, list[int]] = {}
    for source in used:
        if groups[source] != own:
            sources.setdefault(groups[source], []).append(source)
    return sources


def _level(graph: Traced, groups: Sequence[str], name: str, positions: Sequence[int]) -> Axes:
    """The resolution of what leaves a stage."""
    used = {source for i, node in enumerate(graph.nodes) if groups[i] != name for source in node.inputs}
    leaving = [graph.nodes[i].strides for i in positions if i in used or i in graph.outputs]
    return min(leaving or [graph.nodes[positions[-1]].strides], key=coarseness)


def _main(graph: Traced, sources: Mapping[str, Sequence[int]], level: Axes) -> str:
    """The source that is the way through the network: the latest one of those that are coarser, else of all."""

    def rank(name: str) -> tuple[bool, int]:
        strides = graph.nodes[sources[name][-1]].strides
        return coarseness(strides) > coarseness(level), sources[name][-1]

    return max(sources, key=rank, default="")


# What a stage is ----------------------------------------------------------------------------------------------------


def _reached(graph: Traced, positions: Sequence[int], start: Sequence[int] | None) -> set[int]:
    """The nodes of a stage to which what begins at `start` leads."""
    reached: set[int] = set()
    for position in positions:
        inputs = graph.nodes[position].inputs
        if any(source in reached or source in (start or ()) for source in inputs):
            reached.add(position)
    return reached


def _stage(graph: Traced, index: int, name: str, positions: Sequence[int], level: Axes, on_main_way: set[int]) -> Stage:
    part = name.partition(":")[0]
    block = f"{part}.block"
    home = block if block in graph.scopes else part
    working = [i for i in positions if graph.nodes[i].name.startswith(f"{home}.") or home != block]
    depths = _depths(graph, positions, set(working))
    last = positions[-1]
    kind = graph.scopes[home].kind if home in graph.scopes else type(graph.nodes[last].operation).__name__
    branches = _branches(graph, positions)
    steps = [graph.nodes[i].name.removeprefix(f"{home}.").split(".")[0] for i in working]
    stage = Stage(
        index=index,
        name=name,
        kind=kind,
        level=level,
        channels=graph.nodes[last].channels,
        units=max(len({step for step in steps if step.isdigit()}), 1),
        convolutions=depths[last],
        parameters=_parameters(graph, positions),
        step=_step(graph, positions, on_main_way),
        branches=branches,
        notes=() if branches else _notes(graph, home, working),
        is_output=any(position in graph.outputs for position in positions),
    )
    if isinstance(graph.nodes[positions[0]].operation, Input):
        return replace(stage, kind="Image", is_input=True)
    return stage


def _parameters(graph: Traced, positions: Sequence[int]) -> int:
    nodes = [graph.nodes[position] for position in positions]
    inputs = [tuple(graph.nodes[source].channels for source in node.inputs) for node in nodes]
    return sum(
        prod(shape)
        for node, channels in zip(nodes, inputs, strict=True)
        for shape in node.operation.shapes(channels).values()
    )


def _depths(graph: Traced, positions: Sequence[int], counted: set[int]) -> dict[int, int]:
    """How many convolutions over positions stand on the longest path to each node, those of `counted` alone."""
    depths: dict[int, int] = {}
    for position in positions:
        node = graph.nodes[position]
        is_one = position in counted and isinstance(node.operation, _WORKING) and bool(node.strides)
        depths[position] = max((depths.get(source, 0) for source in node.inputs), default=0) + is_one
    return depths


def _step(graph: Traced, positions: Sequence[int], on_main_way: set[int]) -> str:
    """How a stage comes from its main input's resolution, along its longest path."""
    depths = _depths(graph, positions, set(positions))
    steps: list[str] = []
    position: int | None = positions[-1]
    while position is not None:
        node = graph.nodes[position]
        if node.inputs and node.strides and graph.nodes[node.inputs[0]].strides not in ((), node.strides):
            steps.insert(0, step_words(node.operation))
        before = [source for source in node.inputs if source in on_main_way]
        position = max(before, key=lambda source: depths[source], default=None)
    return joined(dict.fromkeys(step for step in steps if step))


def _branches(graph: Traced, positions: Sequence[int]) -> tuple[str, ...]:
    """What a stage does side by side, where it joins many paths that share nothing but its input."""
    own = set(positions)
    for position in positions:
        inputs, joins = graph.nodes[position].inputs, isinstance(graph.nodes[position].operation, Add | Concatenate)
        if joins and len(set(inputs)) >= _FEWEST_BRANCHES and own.issuperset(inputs):
            paths = [_before(graph, source, own) for source in inputs]
            if sum(map(len, paths)) == len(set[int]().union(*paths)):
                return tuple(branch_words([graph.nodes[i].operation for i in sorted(path)]) for path in paths)
    return ()


def _before(graph: Traced, position: int, own: set[int]) -> set[int]:
    """A node and all nodes of its stage that lead to it."""
    before: set[int] = set()
    waiting = [position]
    while waiting:
        place = waiting.pop()
        if place not in before:
            before.add(place)
            waiting += [source for source in graph.nodes[place].inputs if source in own]
    return before


def _notes(graph: Traced, home: str, working: Sequence[int]) -> tuple[str, ...]:
    """What else is special about a block: kernels, dilations, groups, and the parts within it."""
    convolutions = [node.operation for node in _nodes(graph, working) if isinstance(node.operation, Convolution)]
    inner = [scope.kind for path, scope in graph.scopes.items() if path.startswith(f"{home}.")]
    notes = [kernel_words(convolutions), dilation_words(convolutions)] + (inner if home.endswith(".block") else [])
    return tuple(dict.fromkeys(note for note in notes if note))


def _nodes(graph: Traced, positions: Sequence[int]) -> list[Node]:
    return [graph.nodes[position] for position in positions]


# How it is joined ---------------------------------------------------------------------------------------------------


def _join(graph: Traced, link: Link, positions: Sequence[int], skip: Sequence[int], main: Sequence[int]) -> Link:
    """A skip with how it meets the main way."""
    by_skip, by_main = _reached(graph, positions, skip), _reached(graph, positions, main)

    def side(position: int) -> tuple[bool, bool]:
        return position in by_skip or position in skip, position in by_main or position in main

    merges = []
    for position in positions:
        sides = {side(source) for source in graph.nodes[position].inputs} - {(False, False)}
        if len(sides) > 1:
            merges.append(position)
    if not merges:
        return link
    kinds = [type(graph.nodes[position].operation).__name__.lower() for position in merges]
    gated = any(isinstance(graph.nodes[position].operation, Multiply) for position in merges)
    own = [graph.nodes[i].operation for i in positions if side(i) == (True, False)]
    depths = _depths(graph, positions, set(positions))
    before = max((depths.get(source, 0) for source in graph.nodes[merges[-1]].inputs), default=0)
    return replace(
        link,
        joins=(("gate",) if gated else ()) + ((kinds[-1],) if kinds[-1] in ("add", "concatenate") else ()),
        is_late=not gated and before > depths[positions[-1]] - before,
        through="" if gated else convolution_words(own),
    )
