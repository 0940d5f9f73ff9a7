"""A space whose walks are remembered: a replay asks a small space the same things thousands of times."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from nas.searching.candidates import Candidates
from nas.space import Choice, Chooser, Decisions, Scalar, Space
from nas.space.walk import check_answer

A = TypeVar("A")


@dataclass
class _Node:
    """A place on the way through a space: what is asked there, or what all answers have led to."""

    path: str = ""
    choice: Choice | None = None
    architecture: Any = None
    branches: dict[tuple[type, Scalar], "_Node"] = field(default_factory=dict)

    @property
    def is_reached(self) -> bool:
        """Whether somebody was here before."""
        return self.choice is not None or self.architecture is not None


class Remembered(Space[A]):
    """A space that answers as it did before, without walking over its template again.

    What is asked next follows from the answers so far alone, so that walks are the branches of a tree.
    """

    def walked(self, chooser: Chooser) -> tuple[A, dict[str, Scalar]]:
        """The architecture that a chooser decides, and the decisions that it took on the way."""
        node, decisions = self._root, dict[str, Scalar]()
        while node.choice is not None:
            value = chooser(node.path, node.choice)
            check_answer(node.path, node.choice, value)
            decisions[node.path] = value
            node = node.branches.setdefault((type(value), value), _Node())
        if node.is_reached:
            return node.architecture, decisions
        return self._explored(node, chooser, decisions)

    def read(self, architecture: Any) -> Decisions:
        """The decisions that lead to an architecture."""
        key = id(architecture)
        if key not in self._read:
            self._read[key] = architecture, super().read(architecture)  # what is held keeps its number
        return self._read[key][1]

    def _explored(self, node: _Node, chooser: Chooser, decisions: dict[str, Scalar]) -> tuple[A, dict[str, Scalar]]:
        """Walk on from a place where nobody was before."""

        def choose(path: str, choice: Choice) -> Scalar:
            nonlocal node
            if path in decisions:
                return decisions[path]
            node.path, node.choice = path, choice
            value = chooser(path, choice)
            check_answer(path, choice, value)
            node = node.branches.setdefault((type(value), value), _Node())
            return value

        architecture, taken = super().walked(choose)
        node.architecture = architecture
        return architecture, taken

    @cached_property
    def _root(self) -> _Node:
        return _Node()

    @cached_property
    def _read(self) -> dict[int, tuple[Any, Decisions]]:
        return {}


def remembered(candidates: Candidates) -> Candidates:
    """The same candidates, quicker to ask."""
    return Candidates(_remembered(candidates.architectures), _remembered(candidates.recipes))


def _remembered(space: Space[A]) -> Remembered[A]:
    return Remembered(space.name, space.template, space.members, space.description)
