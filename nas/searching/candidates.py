"""What a trial decides: a network and, where the recipe leaves something open, how it is trained."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from nas.architecture import EncoderDecoder
from nas.errors import InputError, OwnCodeError
from nas.graph import Graph, Task, trace
from nas.space import Choice, Chooser, Scalar, Space
from nas.space.choices import Integer, OneOf
from nas.space.choosers import from_mapping
from nas.study.history import Document, joined, parted, recipe_path
from nas.training import Recipe

_MOST_MISSES = 200
"""So many random networks in a row that do not suit a task are a space that does not."""


@dataclass(frozen=True)
class Candidate:
    """A network and its training, decided."""

    architecture: EncoderDecoder
    recipe: Recipe


@dataclass(frozen=True)
class Candidates:
    """A space of architectures beside a space of recipes; often the recipe is decided, and its space one point."""

    architectures: Space[EncoderDecoder]
    recipes: Space[Recipe]

    def decide(self, chooser: Chooser | Mapping[str, Scalar]) -> Candidate:
        """Close every choice of both.

        Raises:
            InputError: decisions that do not fit (see `Space.decide`), or a recipe with a value out of range.
        """
        if isinstance(chooser, Mapping):
            ours, theirs = parted(chooser)
            return Candidate(self.architectures.decide(ours), self.recipes.decide(theirs))
        architecture = self.architectures.decide(chooser)
        return Candidate(architecture, self.recipes.decide(lambda path, choice: chooser(recipe_path(path), choice)))

    def read(self, architecture: EncoderDecoder) -> Document:
        """The decisions that lead to an architecture, trained by the typical recipe."""
        return joined(self.architectures.read(architecture), self.recipes.read(self.typical_recipe))

    def read_again(self, document: Document, before: Mapping[str, Scalar]) -> Document:
        """The decisions that lead to an architecture's document, those of its training as they were before."""
        return joined(self.architectures.read(document), parted(before)[1])

    def mutate(self, decisions: Mapping[str, Scalar], generator: random.Random) -> Document:
        """Change one decision at random, of the network or of its training."""
        ours, theirs = parted(decisions)
        if generator.randrange(len(decisions)) < len(theirs):
            return joined(ours, self.recipes.mutate(theirs, generator))
        return joined(self.architectures.mutate(ours, generator), theirs)

    @cached_property
    def typical_recipe(self) -> Recipe:
        """First options and the middle of ranges: what published networks are trained by, and speed is timed with."""
        return self.recipes.decide(lambda _, choice: _typical(choice))

    @property
    def is_single(self) -> bool:
        """Whether nothing is open: one network, trained in one way."""
        return self.architectures.size() == self.recipes.size() == 1

    def distributions(self, decisions: Mapping[str, Scalar]) -> dict[str, Choice]:
        """The choice behind each decision.

        Raises:
            InputError: there are no such decisions (any more).
        """
        choices: dict[str, Choice] = {}
        answer = from_mapping(decisions)

        def choose(path: str, choice: Choice) -> Scalar:
            value = answer(path, choice)
            choices[path] = choice
            return value

        self.decide(choose)
        return choices


def candidates_of(space: Space[EncoderDecoder], recipe: Recipe) -> Candidates:
    """The networks of a space, trained by a recipe that may have open choices."""
    return Candidates(space, Space("recipe", recipe))


def graph_of(architecture: EncoderDecoder, task: Task) -> tuple[Graph | None, str]:
    """The graph of a member for a task, or None and why there is none: not every member suits every task."""
    try:
        return trace(architecture, task), ""
    except OwnCodeError:  # no fault of the network, but a bug that the user wants to hear of
        raise
    except InputError as error:
        return None, str(error)


def random_members(
    space: Space[EncoderDecoder], task: Task, generator: random.Random
) -> Iterator[tuple[EncoderDecoder, Graph]]:
    """Random members of a space that suit a task, with their graphs, without end.

    Raises:
        InputError: none of many suits it.
    """
    misses = 0
    while True:
        architecture = space.decide(generator)
        graph, reason = graph_of(architecture, task)
        if graph is not None:
            misses = 0
            yield architecture, graph
            continue
        misses += 1
        if misses == _MOST_MISSES:
            raise InputError(
                f"space {space.name!r}: of {misses} random networks none suits this data; the last one: {reason}"
            )


def _typical(choice: Choice) -> Scalar:
    if isinstance(choice, OneOf):
        return choice.labels[0]
    middle = math.sqrt(choice.low * choice.high) if choice.log else (choice.low + choice.high) / 2
    return round(middle) if isinstance(choice, Integer) else middle
