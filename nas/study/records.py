"""What a study hands out and takes in: frozen records, free of the database they are kept in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
"""What JSON can hold: strings as keys; numbers, strings, lists and documents as values."""
_RECIPE = "recipe."
"""The beginning of the paths of a recipe's decisions; those of an architecture stand for themselves."""


def recipe_path(field: str) -> str:
    """The path at which a recipe's decision stands among those of a trial."""
    return f"{_RECIPE}{field}"


def joined(architecture: Mapping[str, Any], recipe: Mapping[str, Any]) -> Document:
    """The decisions of a trial: those of its network, and those of its recipe by field."""
    return {**architecture, **{recipe_path(field): value for field, value in recipe.items()}}


def parted(decisions: Mapping[str, Any]) -> tuple[Document, Document]:
    """The decisions of a trial's network and those of its recipe; takes apart what `joined` put together."""
    architecture = {path: value for path, value in decisions.items() if not path.startswith(_RECIPE)}
    recipe = {path.removeprefix(_RECIPE): value for path, value in decisions.items() if path.startswith(_RECIPE)}
    return architecture, recipe


class State(StrEnum):
    """Where an evaluation stands."""

    WAITING = "waiting"
    """To be trained, or trained further from its checkpoint, by whichever worker comes next."""
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

    `plan` is what was fitted to the machine (patch, batch, calibration, limits), `versions` the software it ran with,
    `data_source` the folder of the data (None: built in), `fold` the part of it that validates.
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
    data_source: str | None = None
    fold: int = 0


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One training of one network, or why there was none.

    `digest`, `parameters` and `macs` are None where the proposal could not even be traced; `reference` names the
    published network that this is; `dice` is the mean over the foreground classes, or over regions where the data
    declare such.
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
    worker_id: int | None = None
    claim: int = 0
    failures: int = 0
    decisions: Document | None = None
    constraints: Document | None = None
    recipe: Document | None = None
    recipe_digest: str | None = None

    @property
    def decided_recipe(self) -> Document:
        """What was decided of the open choices of the recipe, by field; empty where it leaves nothing open."""
        return parted(self.decisions or {})[1]

    @property
    def cause(self) -> str:
        """The reason in one line; of a traceback, the line that says what was raised."""
        lines = [line for line in (self.reason or "").splitlines() if line.strip()]
        stacks = [number for number, line in enumerate(lines) if line.startswith("Traceback (")]
        after = lines[stacks[-1] + 1 :] if stacks else lines
        return next((line for line in after if not line[0].isspace()), "no reason given")


@dataclass(frozen=True)
class Claim:
    """The right to write to an evaluation, until another worker takes it up, which counts `number` on."""

    evaluation: int
    number: int


class LostClaimError(Exception):
    """This worker was taken for dead and its evaluation was taken up by another; nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What one trial is about: the choices made, and the network and training that follow from them.

    `digest` is None where the proposal could not be traced. `constraints` are what Optuna is told: feasible where all
    are 0 or less.
    """

    decisions: Document
    digest: str | None
    reference: str | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    fold: int = 0
    seed: int = 0
    recipe: Document | None = None
    recipe_digest: str | None = None


@dataclass(frozen=True)
class Measurement:
    """One number measured while training: a metric at an epoch, of one class or all, of one case or all.

    `class_index` counts foreground classes from 1, or regions in the order in which the data declare them.
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
    waiting: int = 0
