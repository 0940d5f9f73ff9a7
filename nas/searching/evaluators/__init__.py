"""Evaluators: what describes decisions and carries out runs. A real one trains; others look results up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nas.study.history import Document, Measurement, Result, RunKey
from nas.study.protocol import ArchitectureRecord


@dataclass(frozen=True)
class Description:
    """What is known of decisions before anything is trained.

    `digest` and `architecture` are None where they could not be traced. `constraints` are feasible where all are 0 or
    less; `refusal` says in words why the network is not to be trained, if it is not. `waste` says why it is not worth
    being trained, if it is not: published networks are all the same, as others are held against them.
    """

    digest: str | None
    recipe_digest: str
    architecture: ArchitectureRecord | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    refusal: str | None = None
    waste: str | None = None


@dataclass(frozen=True)
class Fresh:
    """A training from the beginning."""


@dataclass(frozen=True)
class Resume:
    """A training from a checkpoint of the same training."""

    checkpoint: Path


@dataclass(frozen=True)
class Warm:
    """A training from the beginning, with as many of another trial's weights as fit."""

    weights: Path


Beginning = Fresh | Resume | Warm


@dataclass(frozen=True)
class Training:
    """What is to be trained: a trial's decisions, as a run of this key."""

    trial: int
    decisions: Document
    key: RunKey
    reference: str | None = None


class Recorder(Protocol):
    """Takes what a run leaves on its way.

    Every method raises `LostClaimError` where another worker has taken the run up.
    """

    def measured(self, measurements: Iterable[Measurement]) -> None:
        """Numbers that were measured."""
        ...

    def keep(self, kind: str, path: Path) -> None:
        """A file that is to be kept; it is moved."""
        ...

    def working(self, what: str, done: int, total: int) -> None:
        """Part of a longer step is done."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line."""
        ...


class Evaluator(Protocol):
    """Describes decisions, and carries out runs."""

    def describe(self, decisions: Document) -> Description:
        """What decisions lead to: milliseconds, nothing built."""
        ...

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """Carry out a run.

        Raises:
            KeyboardInterrupt: stopped; a checkpoint of the last step is kept.
            InputError: what the user must mend, such as a full disk.
            Exception: a bug, of the network's or ours.
        """
        ...
