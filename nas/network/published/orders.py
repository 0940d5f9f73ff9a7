"""The order of channels in a network whose concatenations are in another order."""

from collections.abc import Callable, Sequence

from nas.errors import InputError
from nas.graph import Graph, Node
from nas.graph import operations as op

Order = Sequence[int]
"""For each channel there, its place here."""

_CHANNELWISE = (
    op.Normalisation,
    op.Activation,
    op.Dropout,
    op.MaxPool,
    op.AveragePool,
    op.GlobalPool,
    op.Resize,
    op.Pad,
    op.Add,
)


def channel_orders(graph: Graph, is_reversed: Callable[[str], bool]) -> list[Order]:
    """Of each node's tensor, where the inputs of the nodes whose names are `is_reversed` stand in opposite order there.

    A concatenation says the order of its channels, and what works on each channel alone keeps it. A tensor that is
    added to one of another order was made in that order.

    Raises:
        InputError: a tensor would have to be in two orders at once.
    """
    return _Orders(graph, is_reversed).all()


def is_channelwise(node: Node, inputs: int) -> bool:
    """Whether each channel that a node makes comes from the one of the same place alone."""
    operation = node.operation
    if isinstance(operation, op.Convolution | op.TransposedConvolution):
        return operation.groups == inputs == node.channels > 1
    return isinstance(operation, _CHANNELWISE)


class _Orders:
    def __init__(self, graph: Graph, is_reversed: Callable[[str], bool]):
        self.graph = graph
        self.is_reversed = is_reversed
        self.groups = _groups_of_one_order(graph)
        self.known: dict[int, Order] = {}
        self.concatenations: dict[int, list[int]] = {}
        for position, node in enumerate(graph.nodes):
            if isinstance(node.operation, op.Concatenate):
                self.concatenations.setdefault(self.groups[position], []).append(position)

    def all(self) -> list[Order]:
        orders = [self._order(position) for position in range(len(self.graph.nodes))]
        for node, order in zip(self.graph.nodes, orders, strict=True):
            groups = node.operation.groups if isinstance(node.operation, op.Normalisation) else 1
            if groups > 1 and list(order) != sorted(order):
                raise InputError(f"{node.name} norms groups of channels that are in another order there")
        return orders

    def _order(self, position: int) -> Order:
        group = self.groups[position]
        if group not in self.known:
            self.known[group] = range(self.graph.nodes[position].channels)  # for what leads back to itself
            orders = [self._joined(self.graph.nodes[place]) for place in self.concatenations.get(group, ())]
            if any(list(order) != list(orders[0]) for order in orders[1:]):
                name = self.graph.nodes[position].name
                raise InputError(f"the channels of {name} are in two orders at once in this structure")
            if orders:
                self.known[group] = orders[0]
        return self.known[group]

    def _joined(self, node: Node) -> Order:
        nodes = self.graph.nodes
        offsets, total = [], 0
        for source in node.inputs:
            offsets.append(total)
            total += nodes[source].channels
        parts = [[start + place for place in self._order(i)] for i, start in zip(node.inputs, offsets, strict=True)]
        if self.is_reversed(node.name):
            parts.reverse()
        return [place for part in parts for place in part]


def _groups_of_one_order(graph: Graph) -> list[int]:
    """For each node the first of those whose channels are in one order with its own."""
    groups: list[int] = []
    for position, node in enumerate(graph.nodes):
        groups.append(position)
        partners: tuple[int, ...] = ()
        if node.inputs and is_channelwise(node, graph.nodes[node.inputs[0]].channels):
            partners = node.inputs
        elif isinstance(node.operation, op.Expand):
            partners = node.inputs[:1]
        elif isinstance(node.operation, op.Multiply):
            partners = tuple(source for source in node.inputs if graph.nodes[source].channels == node.channels)
        for source in partners:
            old, new = sorted((groups[source], groups[position]), reverse=True)
            groups = [new if group == old else group for group in groups]
    return groups
