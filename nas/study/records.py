"""What a study hands out and takes in: frozen records, free of the database they are kept in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
"""What JSON can hold: strings as keys; numbers, strings, lists and documents as values."""


class State(StrEnum):
    """Where an evaluation stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    INFEASIBLE = "infeasible"
    """Over a limit or out of memory: the network's fault, and final."""
    DUPLICATE = "duplicate"
    """A network that this study knew already; the result it had is told again, nothing was trained."""
    FAILED = "failed"
    """A bug or an interruption: says nothing about the network."""


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Everything that fixes what a study searches, on which data and how.

    `plan` is what was fitted to the machine (patch, batch, calibration, limits), `versions` the software it ran with.
    """

    name: str
    space: str
    space_document: Document
    space_digest: str
    data: str
    data_fingerprint: Document
    data_digest: str
    synthetic: bool
    task: Document
    recipe: Document
    plan: Document
    objective: str
    seed: int
    versions: Document
    device: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One training of one network, or why there was none.

    `digest`, `parameters` and `macs` are None where the proposal could not even be traced; `reference` names the
    published network that this is; `dice` is the mean over the foreground classes.
    """

    id: int
    trial: int
    digest: str | None
    parameters: int | None
    macs: int | None
    reference: str | None
    state: State
    reason: str | None
    fold: int
    seed: int
    rung: int
    device: str | None
    worker: str | None
    started: datetime
    finished: datetime | None
    seconds: float | None
    peak_bytes: int | None
    epochs: int | None
    dice: float | None


@dataclass(frozen=True)
class Measurement:
    """One number measured while training: a metric at an epoch, of one class or all, of one case or all.

    A value that is not finite (the loss that diverged) reads back as NaN.
    """

    epoch: int
    metric: str
    value: float
    class_index: int | None = None
    case: str | None = None


@dataclass(frozen=True)
class ArchitectureRecord:
    """One network: its description and graph as JSON documents, and its cost."""

    digest: str
    document: Document
    graph: Document
    parameters: int
    macs: int
    training_bytes: int


@dataclass(frozen=True)
class Counts:
    """How far a study is: trials, different networks trained among them, and evaluations by state."""

    trials: int
    distinct: int
    complete: int
    infeasible: int
    duplicate: int
    failed: int
    running: int
