"""A named search space: a template with choices left open, and the published members it must contain."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from nas.errors import InputError
from nas.space import choosers
from nas.space.choices import Choice, Chooser, Integer, OneOf, Repeated, Scalar, Weighted
from nas.space.choices import kind as kind_of
from nas.space.knobs import check_knobs
from nas.space.notebook import space_html
from nas.space.walk import (
    Count,
    Decide,
    MismatchError,
    Read,
    field_names,
    inner,
    is_part,
    open_choices,
    tally_attributes,
)

A = TypeVar("A")

Decisions = Mapping[str, Scalar]
"""The value taken at each choice's path: exactly an Optuna trial's `params`."""


@dataclass(frozen=True)
class Reference(Generic[A]):
    """A published network as a member of a space, with the facts that identify it.

    `parameters` is the published number of trainable parameters of `part` of the network ("" for all of it,
    "encoder" for the encoder alone) for `axes` spatial axes, `channels` input channels and `classes` outputs, and for
    the `strides` and `kernels` of a task whose levels are planned; `source` says where the number comes from.
    """

    name: str
    architecture: A
    parameters: int
    axes: int
    channels: int
    classes: int
    source: str
    part: str = ""
    strides: tuple[tuple[int, ...], ...] | None = None
    kernels: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True)
class Space(Generic[A]):
    """An architecture with choices left open.

    Args:
        name: what `--space` calls it.
        template: a frozen dataclass in whose fields choices may stand.
        members: published networks that must be members; they are the first trials of a search.
        description: one sentence for `nas spaces list`.

    Raises:
        TypeError: the template is no frozen dataclass, or a tuple in it has two parts of open length.
        InputError: a knob in it holds, or offers, what it does not take.
    """

    name: str
    template: A
    members: tuple[Reference[A], ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if not is_part(self.template):
            raise TypeError(f"space {self.name!r}: the template must be a frozen dataclass, not {self.template!r}")
        check_knobs(self.template)
        waiting: list[Any] = [self.template]
        while waiting:
            item = waiting.pop()
            if isinstance(item, tuple):
                lengths = [i for i in item if isinstance(i, Repeated) and not isinstance(i.length, int)]
                if len(lengths) > 1:
                    raise TypeError(f"space {self.name!r}: a tuple can hold only one part of open length")
            waiting.extend(inner(item))

    @cached_property
    def _attributes(self) -> tuple[str, ...]:
        """What lengths follow, looked for once: a space is walked for each proposal, and again for each trial."""
        return tally_attributes(self.template)

    @property
    def references(self) -> Mapping[str, A]:
        """The published networks by name, as architectures."""
        return MappingProxyType({member.name: member.architecture for member in self.members})

    def decide(self, chooser: "Chooser | Decisions | random.Random") -> A:
        """Close every choice and return the architecture.

        Args:
            chooser: a random generator, decisions made before, or a function from path and choice to a value
                (`nas.space.choosers.from_trial` makes one from an Optuna trial).

        Raises:
            InputError: decisions lack a path, name one the space does not have, or hold a value it does not offer.
        """
        if not isinstance(chooser, Mapping):
            answer = choosers.from_random(chooser) if isinstance(chooser, random.Random) else chooser
            return self.walked(answer)[0]
        architecture, taken = self.walked(choosers.from_mapping(chooser))
        unknown = sorted(set(chooser) - set(taken))
        if unknown:
            raise InputError(f"{unknown[0]}: space {self.name!r} has no such choice beside the other decisions")
        return architecture

    def walked(self, chooser: Chooser) -> tuple[A, dict[str, Scalar]]:
        """The architecture that a chooser decides, and the decisions that it took on the way.

        Raises:
            InputError: it answered with a value that a choice does not offer.
        """
        walk = Decide(chooser, self._attributes)
        architecture: A = walk.template(self.template)
        return architecture, walk.decisions

    def sample(self, generator: random.Random) -> Decisions:
        """Random decisions."""
        return self.walked(choosers.from_random(generator))[1]

    def read(self, architecture: A | Mapping[str, Any]) -> Decisions:
        """The decisions that lead to an architecture, or to its JSON document: the inverse of `decide`.

        Where options overlap the first that fits is taken, so that `decide(read(a)) == a` holds always, and
        `read(decide(d)) == d` where no two options describe the same part.

        Raises:
            InputError: it is no member; the message names the path where it leaves the space.
        """
        try:
            return Read(self._attributes).template(self.template, architecture)
        except MismatchError as mismatch:
            raise InputError(f"not a member of space {self.name!r}: {mismatch}") from None

    def load(self, document: Mapping[str, Any]) -> A:
        """The architecture of a JSON document, if it is a member; see `read`. Nothing in it is executed."""
        if not isinstance(document, Mapping) or "kind" not in document:
            content = type(document).__name__ if not isinstance(document, Mapping) else f"fields {sorted(document)}"
            raise InputError(f"not a member of space {self.name!r}: expected an object with a 'kind', found {content}")
        return self.decide(self.read(document))

    def mutate(self, decisions: Decisions, generator: random.Random) -> Decisions:
        """Change one decision at random; what becomes open by it is decided at random, the rest stays."""
        known: dict[str, Choice] = {}

        def repeat(path: str, choice: Choice) -> Scalar:
            known[path] = choice
            return decisions[path]

        self.walked(repeat)
        paths = sorted(path for path, choice in known.items() if not _is_settled(choice))
        if not paths:
            return dict(decisions)
        changed = generator.choice(paths)
        at_random = choosers.from_random(generator)

        def choose(path: str, choice: Choice) -> Scalar:
            if path == changed:
                return _another(choice, decisions[path], generator)
            if known.get(path) == choice:
                return decisions[path]
            return at_random(path, choice)

        return self.walked(choose)[1]

    def size(self) -> int | None:
        """How many different decisions there are, exactly; None when a real number is open."""
        return Count(self.template).total

    def choices(self) -> Mapping[str, Choice]:
        """Every choice by its path, the index of a repeated part written `*`."""
        return open_choices(self.template)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return space_html(self.name, self.description, self.size(), self.references, self.choices())

    def document(self) -> dict[str, Any]:
        """The space itself as JSON: what a study stores to know whether it is continued with the same space."""
        return {"name": self.name, "template": to_document(self.template)}

    def digest(self) -> str:
        """A hash of the template; two spaces with the same choices have the same one."""
        text = json.dumps(to_document(self.template), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def to_document(value: Any) -> Any:
    """A part, architecture or template as plain JSON: parts as objects with their `kind`, tuples as lists."""
    if isinstance(value, tuple):
        return [to_document(item) for item in value]
    if isinstance(value, OneOf):  # a weighted one offers the same: only what is proposed differs
        return {"kind": "one_of", "options": to_document(value.options), "labels": to_document(value.labels)}
    if is_part(value) or hasattr(value, "__dataclass_fields__"):
        names = field_names(type(value))
        return {"kind": kind_of(value)} | {name: to_document(getattr(value, name)) for name in names}
    return value


def _is_settled(choice: Choice) -> bool:
    if isinstance(choice, Weighted):
        return len(choice.proposed) == 1
    return len(choice.labels) == 1 if isinstance(choice, OneOf) else choice.low == choice.high


def _another(choice: Choice, value: Scalar, generator: random.Random) -> Scalar:
    if isinstance(choice, OneOf):
        labels = choice.proposed if isinstance(choice, Weighted) else choice.labels
        return generator.choice([label for label in labels if (type(label), label) != (type(value), value)])
    draw = choosers.from_random(generator)
    while (other := draw("", choice)) == value:
        pass
    return other


__all__ = ["Decisions", "Integer", "Reference", "Space", "to_document"]
