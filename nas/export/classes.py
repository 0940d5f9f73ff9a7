"""The classes of an exported network: which modules share one, and what each is given."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from nas.export.code import Call, ClassName, Number, Piece
from nas.export.operations import layer
from nas.export.parameters import JOINED, Parameter, Parameters, Values, columns
from nas.export.templates import Template, settle, template
from nas.export.tree import Module, Step
from nas.graph import Graph
from nas.graph.operations import Concatenate


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the exported file, with what stands for each number in its constructor and in its `forward`.

    None stands for a number that is left out, as it is the default. `uses` are the classes of its submodules.
    """

    template: Template
    modules: tuple[Module, ...]
    parameters: tuple[Parameter, ...]
    made: tuple[str | None, ...]
    used: tuple[str | None, ...]
    uses: tuple[int, ...]


def find_classes(network: Module, graph: Graph) -> list[Class]:
    """The classes, each after those that it uses; the network's own is the last."""
    finder = _Finder(network, graph)
    for height in range(network.height + 1):
        finder.add_all([module for module in finder.modules if module.height == height])
    return finder.classes


class _Finder:
    def __init__(self, network: Module, graph: Graph):
        self.graph = graph
        self.modules = _with_submodules(network)
        self.classes: list[Class] = []
        self.calls: dict[Module, Call] = {}
        channels: dict[tuple[str, str], set[int]] = defaultdict(set)
        for module in self.modules:
            for role, count in self._roles(module).items():
                channels[module.kind, role].add(count)
        self.varying = {key for key, counts in channels.items() if len(counts) > 1}
        # What ends a network is told its channels, as a person would write it, although there is one of it.
        heads = [step.does.kind for step in network.steps if step.name == "head" and isinstance(step.does, Module)]
        self.varying |= {(kind, role) for kind in heads for role in ("inputs", "channels")}

    def add_all(self, modules: Sequence[Module]) -> None:
        """Find the classes of modules whose submodules have theirs."""
        groups: dict[Template, list[tuple[Module, Template]]] = defaultdict(list)
        for module in modules:
            made = template(module, partial(self._constructor, module))
            groups[made].append((module, made))
        for group in groups.values():
            self._add(tuple(module for module, _ in group), settle([made for _, made in group]))

    def _add(self, modules: tuple[Module, ...], templates: Sequence[Template]) -> None:
        made = columns([item.made() for item in templates])
        used = columns([item.used() for item in templates])
        found = Parameters([*made, *used], *self._all_roles(modules))
        parameters = tuple(found.ordered())
        names = [parameter.name for parameter in parameters]
        written = [found.text(column) for column in used]
        kept = tuple(f"self.{value}" if value in names else value for value in written)
        uses = tuple(dict.fromkeys(_class_of(self.calls[submodule]) for submodule in modules[0].submodules))
        for index, module in enumerate(modules):
            arguments = [(Number(p.name, p.values[index], p.keyword, p.default),) for p in parameters]
            self.calls[module] = Call(ClassName(len(self.classes)), tuple(arguments))
        self.classes.append(Class(templates[0], modules, parameters, tuple(map(found.text, made)), kept, uses))

    def _constructor(self, module: Module, step: Step) -> Call:
        call = self._call(step)
        is_item = step.name.rpartition(".")[2].isdigit()  # items of a list are told alike
        if is_item or not self._is_joined(module, step.inputs[0]):
            return call
        return replace(call, arguments=tuple(tuple(_joined(piece) for piece in code) for code in call.arguments))

    def _is_joined(self, module: Module, value: int) -> bool:
        """Whether a module makes a value by putting others side by side, whatever is done to each channel after."""
        while value not in module.inputs and len(sources := self.graph.nodes[value].inputs) == 1:
            if self.graph.nodes[sources[0]].channels != self.graph.nodes[value].channels:
                return False
            value = sources[0]
        return value not in module.inputs and isinstance(self.graph.nodes[value].operation, Concatenate)

    def _call(self, step: Step) -> Call:
        if not isinstance(step.does, Module):
            return layer(step.does, self.graph.nodes[step.inputs[0]].channels, self.graph.task.axes)
        # Channels that mean nothing to the module around it are called after the submodule they are for.
        call = self.calls[step.does]
        # The items of a list, with a name or without, are called nothing.
        prefix = "" if step.name.rpartition(".")[2].isdigit() else f"{step.name}_"
        return replace(
            call, arguments=tuple(tuple(_renamed(piece, prefix) for piece in code) for code in call.arguments)
        )

    def _roles(self, module: Module) -> dict[str, int]:
        """The channels of what a module is given, first and second, and of what it returns."""
        values = dict(zip(("inputs", "skip_channels"), module.inputs, strict=False)) | {"channels": module.outputs[-1]}
        return {role: self.graph.nodes[value].channels for role, value in values.items()}

    def _all_roles(self, modules: Sequence[Module]) -> tuple[dict[str, Values], set[str]]:
        rows = [self._roles(module) for module in modules]
        varying = {role for role in rows[0] if (modules[0].kind, role) in self.varying}
        return {role: tuple(row[role] for row in rows) for role in rows[0]}, varying


def _with_submodules(module: Module) -> list[Module]:
    return [*(inner for submodule in module.submodules for inner in _with_submodules(submodule)), module]


def _renamed(piece: Piece, prefix: str) -> Piece:
    if isinstance(piece, Number) and piece.name.endswith(("inputs", "inside", "channels")):
        return replace(piece, name=f"{prefix}{piece.name}")
    return piece


def _joined(piece: Piece) -> Piece:
    """The number of a tensor's channels, if it is that, as the sum which it is."""
    is_input = isinstance(piece, Number) and piece.name.rpartition("_")[2] == "inputs"
    return replace(piece, name=f"{piece.name.removesuffix('inputs')}{JOINED}") if is_input else piece  # type: ignore[union-attr,type-var]


def _class_of(call: Call) -> int:
    assert isinstance(call.function, ClassName)
    return call.function.index
