"""The value that segmenting, exporting and describing take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from torch import Tensor

from nas.data import Preprocessing, Region
from nas.errors import InputError
from nas.graph import Axes, Graph, Task
from nas.network import Network, StepPlan, build
from nas.training import EACH_CLASS, Recipe, Slicing, Targets, Window

State = Mapping[str, Tensor]
"""A state dict."""


WHOLE_PATCHES = 64
"""An image of more voxels than so many patches is never seen at once: memory is bounded, whatever image comes."""


@dataclass(frozen=True)
class Windows:
    """Windows over images: of a size, or whole images, as a multiple of the network's strides, up to so many voxels."""

    size: Axes | None
    overlap: float
    patch: Axes
    multiple: Axes

    def over(self, image: Axes) -> Axes:
        """The window over an image of a size."""
        if self.size is not None:
            return self.size
        whole = tuple(-(-along // step) * step for along, step in zip(image, self.multiple, strict=True))
        return whole if prod(whole) <= self.most else self.patch

    @property
    def most(self) -> int:
        """Voxels of the largest image that is seen at once."""
        return WHOLE_PATCHES * prod(self.patch)

    def to_json(self) -> dict[str, Any]:
        """What a program without nas needs to know."""
        size = None if self.size is None else list(self.size)
        return {"size": size, "overlap": self.overlap, "multiple": list(self.multiple), "most": self.most}


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network with its weights, and all that belongs to segmenting an image with it.

    Args:
        graph: the network.
        states: one state dict for each member of an ensemble; usually one.
        preprocessing: what is done to an image first.
        channels: the names of an image's channels.
        classes: the names of the classes, the background first.
        recipe: how it was trained.
        regions: structures that several classes make together, where those were trained.
        values: what stands for each class in a file of labels; the class's index where nothing is said.
        slicing: how a network of two axes sees a volume; None where it sees images as they are.
        window: what is seen of an image at once, as in validation; by default the patch's size, half overlapping.
        plan: how the network runs; what it says of training is not used.
        provenance: where it comes from, as JSON: data, folds, seeds, results, versions.
        graphs: the network of each member, where they are different ones; empty where all are `graph`.

    Raises:
        InputError: the parts do not fit one another.
    """

    graph: Graph
    states: tuple[State, ...]
    preprocessing: Preprocessing
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    recipe: Recipe
    regions: tuple[Region, ...] = ()
    values: tuple[int, ...] = ()
    slicing: Slicing | None = None
    window: Window | None = None
    plan: StepPlan = StepPlan()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    graphs: tuple[Graph, ...] = ()

    def __post_init__(self) -> None:
        if not self.values:
            object.__setattr__(self, "values", tuple(range(len(self.classes))))
        seen = len(self.channels) * (2 * self.slicing.neighbours + 1 if self.slicing else 1)
        _expect("members", len(self.states), max(len(self.states), 1))
        _expect("networks", len(self.graphs) or len(self.states), len(self.states))
        _expect("classes", len(self.classes), self.task.classes)
        _expect("values", len(self.values), len(self.classes))
        _expect("channels", seen, self.task.channels)
        _expect("channels with a normalisation", len(self.preprocessing.channels), len(self.channels))

    @property
    def of_each(self) -> tuple[Graph, ...]:
        """The network of each member."""
        return self.graphs or (self.graph,) * len(self.states)

    @property
    def task(self) -> Task:
        """What the network was traced for; its patch is the window that images are seen through."""
        return self.graph.task

    @property
    def axes(self) -> int:
        """Of the images: 3 also where a volume is seen slice by slice."""
        return self.task.axes if self.slicing is None else 3

    @property
    def mirrored(self) -> Axes:
        """Axes of the window along which it is mirrored, and the results averaged."""
        return self.recipe.averaged_axes(self.task.axes)

    @property
    def windows(self) -> Windows:
        """What is seen at once of an image of any size."""
        window, strides = self.window or Window(self.task.patch), self.task.strides
        multiple = self.graph.total_stride
        if strides is not None:
            multiple = tuple(prod(stride[axis] for stride in strides) for axis in range(self.task.axes))
        return Windows(window.size, window.overlap, self.task.patch, multiple)

    @property
    def targets(self) -> Targets:
        """What is scored: the classes, or the regions that they make."""
        return Targets(tuple(region.classes for region in self.regions)) if self.regions else EACH_CLASS

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of what is scored."""
        return tuple(region.name for region in self.regions) or self.classes[1:]

    @property
    def in_float32(self) -> "TrainedModel":
        """The same, run in the precision that exports have."""
        return replace(self, plan=replace(self.plan, precision="float32"))

    def networks(self) -> tuple[Network, ...]:
        """The members as modules in evaluation mode, on the CPU.

        Raises:
            InputError: the weights are another network's.
        """
        return tuple(_network(graph, state) for graph, state in zip(self.of_each, self.states, strict=True))


def ensemble(models: Sequence[TrainedModel]) -> TrainedModel:
    """Several trainings as one model, whose probabilities are the mean of theirs; of one network or of different ones.

    Raises:
        InputError: what they see of an image, or what they say of it, differs.
    """
    first = models[0]
    for other in models[1:]:
        for name in ("channels", "classes", "values", "regions", "preprocessing", "slicing", "window", "mirrored"):
            if getattr(other, name) != getattr(first, name):
                raise InputError(f"ensemble: its members differ in their {name}; put together those of one kind alone")
        if other.task != first.task:
            raise InputError("ensemble: its members see different patches; put together those of one study")
    graphs = tuple(graph for model in models for graph in model.of_each)
    alike = all(graph.digest == first.graph.digest for graph in graphs)
    members = [dict(model.provenance) for model in models]
    states = tuple(state for model in models for state in model.states)
    provenance = {**first.provenance, "members": members}
    return replace(first, states=states, graphs=() if alike else graphs, provenance=provenance)


def _network(graph: Graph, state: State) -> Network:
    network = build(graph)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    there = {name: tuple(tensor.shape) for name, tensor in state.items()}
    wrong = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if wrong:
        name = wrong[0]
        raise InputError(
            f"weights: {len(wrong)} tensors are not this network's, such as {name}: found {there.get(name, 'none')}, "
            f"expected {wanted.get(name, 'none')}; give the weights that belong to graph {graph.digest[:12]}"
        )
    network.load_state_dict(dict(state))
    return network.eval()


def _expect(what: str, count: int, expected: int) -> None:
    if count != expected:
        raise InputError(f"model: found {count} {what}, expected {expected}; its parts belong to different models")
