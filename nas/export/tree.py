"""A graph as a tree of modules: what each one is given, what it does in order, and what it returns.

Values are known by the position of the node that made them; the image is value 0.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc
from itertools import groupby

from nas.export.operations import is_layer
from nas.graph import Graph, Scope
from nas.graph.operations import Concatenate, Operation

NETWORK = "Network"
"""The kind of the module that is the whole network."""


@dataclass(frozen=True, eq=False)
class Step:
    """One operation, or the call of one submodule, `name` being its path below the module that takes the step."""

    name: str
    does: "Operation | Module"
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def is_kept(self) -> bool:
        """Whether the module keeps something under the step's name: a submodule, or a layer of torch's."""
        return isinstance(self.does, Module) or is_layer(self.does)


@dataclass(frozen=True, eq=False)
class Module:
    """What a scope becomes: its steps in order, the values it is given, the latest first, and those it returns.

    `kind` is the class of the part that wrote it, or made up of that around it and its own step.
    """

    kind: str
    description: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    steps: tuple[Step, ...]
    is_described: bool = True
    """Whether a part of the user's or ours has written it, and says in its docstring what it is."""

    @cached_property
    def submodules(self) -> tuple["Module", ...]:
        """The modules it calls."""
        return tuple(step.does for step in self.steps if isinstance(step.does, Module))

    @cached_property
    def height(self) -> int:
        """How many modules lie below it at most; one without submodules has height 0."""
        return 1 + max((module.height for module in self.submodules), default=-1)


def module_tree(graph: Graph) -> Module:
    """The whole network as a module."""
    return _Builder(graph).module("", Scope(NETWORK, ""), range(1, len(graph.nodes)))


class _Builder:
    def __init__(self, graph: Graph):
        self.graph = graph
        self.homes = _homes(graph)
        self.lists = _lists(graph.scopes, self.homes)
        self.users: dict[int, set[int]] = defaultdict(set)
        for position, node in enumerate(graph.nodes):
            for source in node.inputs:
                self.users[source].add(position)
        for output in graph.outputs:
            self.users[output].add(len(graph.nodes))
        self._move_joins()

    def module(self, path: str, part: Scope, nodes: Sequence[int]) -> Module:
        """The module at a path, written by `part` or by a nameless group of steps in it."""
        scope = self.graph.scopes.get(path) or (_nameless(part.kind, path) if path else part)
        inner = scope if path in self.graph.scopes else part
        steps: list[Step] = []
        for child, group in groupby(nodes, key=lambda node: self._child(path, node)):
            members = list(group)
            if child is None:
                steps += [self._operation(path, node) for node in members]
            else:
                submodule = self.module(child, inner, members)
                steps.append(Step(_below(path, child), submodule, submodule.inputs, submodule.outputs))
        outputs = self._returned(nodes) if path else self.graph.outputs
        kind = f"Inner{NETWORK}" if path and scope.kind == NETWORK else scope.kind
        is_described = not path or path in self.graph.scopes
        return Module(kind, cleandoc(scope.description), self._given(nodes), outputs, tuple(steps), is_described)

    def _operation(self, path: str, position: int) -> Step:
        node = self.graph.nodes[position]
        home = self.homes[position]
        name = node.name.rpartition(".")[2]
        return Step(_below(path, f"{home}.{name}" if home else name), node.operation, node.inputs, (position,))

    def _child(self, path: str, position: int) -> str | None:
        """The module directly below `path` to which a node belongs; None for the module at `path` itself."""
        home = self.homes[position]
        deeper = [scope for scope in _ancestors(home) if len(scope) > len(path) and scope not in self.lists]
        return deeper[0] if deeper else None

    def _given(self, nodes: Sequence[int]) -> tuple[int, ...]:
        inside = set(nodes)
        used = {source for node in nodes for source in self.graph.nodes[node].inputs}
        return tuple(sorted(used - inside, reverse=True))

    def _returned(self, nodes: Sequence[int]) -> tuple[int, ...]:
        inside = set(nodes)
        return tuple(node for node in nodes if self.users[node] - inside) or (nodes[-1],)

    def _move_joins(self) -> None:
        """Let the parent concatenate what it gives to a nameless group of layers, and what it makes of its result.

        So a dense layer returns what it adds, and a branch's last convolution is given one tensor.
        """
        for position, node in enumerate(self.graph.nodes):
            home = self.homes[position]
            if not isinstance(node.operation, Concatenate) or not home or home in self.graph.scopes:
                continue
            inside = [other for other, path in enumerate(self.homes) if f"{path}.".startswith(f"{home}.")]
            own = [source for source in node.inputs if source in inside]
            if not own or (position == inside[-1] and len(own) == 1 and len(own) < len(node.inputs)):
                parents = [path for path in ("", *_ancestors(home)[:-1]) if path not in self.lists]
                self.homes[position] = parents[-1]


def _homes(graph: Graph) -> list[str]:
    """The scope of each node. A scope without layers is written in the one around it: there is nothing to keep."""
    kept = {""}
    for node in graph.nodes:
        if is_layer(node.operation):
            kept.update(_ancestors(node.name)[:-1])
    return [next(path for path in ("", *_ancestors(node.name)[:-1])[::-1] if path in kept) for node in graph.nodes]


def _lists(scopes: Mapping[str, Scope], homes: list[str]) -> frozenset[str]:
    """The scopes that only hold others, such as "encoder": nameless ones with numbers below.

    So are scopes that were entered again after other work, which no single call can stand for.
    """
    nodes: dict[str, list[int]] = defaultdict(list)
    for position, home in enumerate(homes):
        for path in _ancestors(home):
            nodes[path].append(position)
    return frozenset(
        path
        for path, positions in nodes.items()
        if positions[-1] - positions[0] >= len(positions)
        or (path not in scopes and all(homes[i][len(path) + 1 :].split(".")[0].isdigit() for i in positions))
    )


def _ancestors(path: str) -> list[str]:
    """The paths of all scopes that hold `path`, outermost first, and itself."""
    steps = path.split(".") if path else []
    return [".".join(steps[: index + 1]) for index in range(len(steps))]


def _below(path: str, deeper: str) -> str:
    return deeper[len(path) + 1 :] if path else deeper


def _nameless(part: str, path: str) -> Scope:
    """What a scope is called that no part wrote: it is a layer of the part around it, or named by its own step."""
    step = path.rpartition(".")[2]
    prefix = "" if part == NETWORK else part
    if step.isdigit():
        return Scope(f"{part}Layer", f"One layer of `{part}`.")
    return Scope(prefix + "".join(word.capitalize() for word in step.split("_")), f"The {step} of `{part}`.")
