"""One small graph from which module, source, cost, picture and identity of a network are read. Needs no torch."""

from nas.graph.graph import Graph
from nas.graph.nodes import Node, Scope
from nas.graph.ops import Ops, Style, Tensor, trace
from nas.graph.task import Axes, Task

__all__ = ["Axes", "Graph", "Node", "Ops", "Scope", "Style", "Task", "Tensor", "trace"]
