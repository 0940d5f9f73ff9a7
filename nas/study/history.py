"""What a study knows, as frozen values: trials, their runs, and what was measured. Nothing here reads or writes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

Document = dict[str, Any]
"""What JSON can hold: strings as keys; numbers, strings, lists and documents as values."""
_RECIPE = "recipe."
"""The beginning of the paths of a recipe's decisions; those of an architecture stand for themselves."""


class State(StrEnum):
    """Where a run stands, or why a trial has none."""

    WAITING = "waiting"
    """To be trained, or trained further from its checkpoint, by whichever worker comes next."""
    RUNNING = "running"
    PAUSED = "paused"
    """Trained to its rung, its checkpoint kept: it may go on to the next one."""
    COMPLETE = "complete"
    INFEASIBLE = "infeasible"
    """Over a limit or out of memory: the network's fault, and final."""
    DIVERGED = "diverged"
    """Its loss was no longer a number: a bad result, and final."""
    DUPLICATE = "duplicate"
    """A network and training that this study has already: a trial without a run of its own."""
    FAILED = "failed"
    """A bug or an interruption: says nothing about the network."""


ENDED = frozenset({State.PAUSED, State.COMPLETE, State.INFEASIBLE, State.DIVERGED, State.FAILED})
TRAINED = frozenset({State.PAUSED, State.COMPLETE, State.DIVERGED})
UNDERWAY = frozenset({State.WAITING, State.RUNNING})


class Origin(StrEnum):
    """Where a trial's decisions come from."""

    PUBLISHED = "published"
    STRATEGY = "strategy"
    USER = "user"


class Split(StrEnum):
    """Which cases a run trains on, and which it is scored on."""

    SEARCH = "search"
    """The fold's training cases, scored on those that validate it."""
    CONFIRM = "confirm"
    """The same cases, trained after the search to confirm what it found."""
    HOLDOUT = "holdout"
    """All cases that the search saw, scored on those it never saw."""
    ALL = "all"
    """Every case, scored on none."""


@dataclass(frozen=True)
class Entry:
    """A line of a study's journal: what was done with it beside proposing and training. `number` counts from 1."""

    number: int
    kind: str
    moment: datetime
    content: Document


@dataclass(frozen=True)
class RunKey:
    """What tells a trial's runs apart. Runs of one fold, seed and split go on from each other, rung by rung."""

    fold: int = 0
    seed: int = 0
    split: Split = Split.SEARCH
    rung: int = 0


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


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a run ended. `values` by metric, where it was scored; `constraints` over 0 make its trial infeasible."""

    state: State
    values: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    steps: int | None = None
    seconds: float | None = None
    peak_bytes: int | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training of a trial's network. `curve` holds what was measured over all classes and cases, by epoch."""

    id: int
    trial: int
    key: RunKey
    state: State
    reason: str | None
    values: Mapping[str, float]
    steps: int | None
    seconds: float | None
    peak_bytes: int | None
    device: str | None
    worker: str | None
    started: datetime
    finished: datetime | None
    worker_id: int | None = None
    claim: int = 0
    failures: int = 0
    curve: tuple[Measurement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Decisions with a number, and what follows from them before anything is trained.

    `digest` and costs are None where the decisions could not be traced; `parent` is the trial that it was changed from;
    `reference` names the published network that it is; `refusal` says why it has no run: infeasible or duplicate, of
    the trial `twin`. `constraints` are feasible where all are 0 or less.
    """

    number: int
    decisions: Document | None
    digest: str | None
    recipe_digest: str | None
    parameters: int | None = None
    macs: int | None = None
    training_bytes: int | None = None
    parent: int | None = None
    origin: Origin = Origin.STRATEGY
    reference: str | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    refusal: State | None = None
    reason: str | None = None
    twin: int | None = None
    created: datetime | None = None
    runs: tuple[Run, ...] = ()

    @property
    def training(self) -> tuple[str | None, str | None]:
        """What makes two trials one: network and recipe."""
        return self.digest, self.recipe_digest

    @cached_property
    def latest(self) -> Run | None:
        """The run of the search that is furthest; runs of other folds, seeds and splits do not speak for a trial."""
        searched = [run for run in self.runs if run.key.split is Split.SEARCH]
        if not searched:
            return None
        first = min(searched, key=lambda run: run.id).key
        return max((run for run in searched if _same_line(run.key, first)), key=lambda run: run.key.rung)

    @property
    def state(self) -> State:
        """Where it stands: its refusal, else the state of its latest run of the search."""
        return self.refusal or (self.latest.state if self.latest else State.WAITING)

    @property
    def values(self) -> Mapping[str, float]:
        """Its latest run's values by metric; empty until there are some."""
        return self.latest.values if self.latest else {}

    @property
    def seconds(self) -> float:
        """Seconds of training and validation, of all its runs in the search together."""
        return sum(run.seconds or 0.0 for run in self.runs if run.key.split is Split.SEARCH)

    @property
    def failures(self) -> int:
        """How often its runs raised or lost their worker."""
        return sum(run.failures for run in self.runs)

    @cached_property
    def moment(self) -> float:
        """When its latest run ended, or it was proposed where it has no run that has: seconds of an era."""
        ended = self.latest.finished if self.latest else None
        moment = ended or self.created
        return moment.timestamp() if moment else 0.0

    @property
    def feasible(self) -> bool:
        """Whether it is within all limits, as far as is known."""
        return all(value <= 0 for value in self.constraints.values())

    @property
    def explanation(self) -> str | None:
        """Why it stands where it does, in full."""
        if self.refusal is not None or self.latest is None:
            return self.reason
        return self.latest.reason

    @property
    def cause(self) -> str:
        """The explanation in one line; of a traceback, the line that says what was raised."""
        lines = [line for line in (self.explanation or "").splitlines() if line.strip()]
        stacks = [number for number, line in enumerate(lines) if line.startswith("Traceback (")]
        after = lines[stacks[-1] + 1 :] if stacks else lines
        return next((line for line in after if not line[0].isspace()), "no reason given")

    @property
    def recipe_decisions(self) -> Document:
        """What was decided of the recipe's open choices, by field; empty where it leaves nothing open."""
        return parted(self.decisions or {})[1]

    def as_of(self, rung: int) -> "Trial":
        """The trial as it stood when its run of the search had ended at a rung, whatever came after."""
        if self.latest is None or (len(self.runs) == 1 and self.latest.key.rung <= rung):
            return self
        runs = tuple(self.runs_at(replace(self.latest.key, rung=rung)))
        return self if len(runs) == len(self.runs) else replace(self, runs=runs)

    @cached_property
    def line(self) -> tuple[Run, ...]:
        """The runs that lead to its latest one of the search, rung after rung."""
        if self.latest is None:
            return ()
        return tuple(sorted(self.runs_at(self.latest.key), key=lambda run: run.key.rung))

    @property
    def is_beside_the_search(self) -> bool:
        """Whether only a confirmation has runs of it, so that a search knows nothing of it yet."""
        return self.refusal is None and bool(self.runs) and self.latest is None

    @property
    def settled(self) -> "Trial":
        """The trial as it stood when it was last scored: while it is trained further, what it reached before."""
        if self.state in UNDERWAY and self.latest is not None and self.latest.key.rung > 0:
            return self.as_of(self.latest.key.rung - 1)
        return self

    def runs_at(self, key: RunKey) -> Iterator[Run]:
        """The runs of a fold, seed and split, up to a rung."""
        return (run for run in self.runs if _same_line(run.key, key) and run.key.rung <= key.rung)


@dataclass(frozen=True)
class History:
    """All trials of a study in the order of their numbers. `cursor` is the moment that it was read at."""

    trials: tuple[Trial, ...] = ()
    cursor: int = 0

    def grown(self, changed: Iterable[Trial], cursor: int) -> "History":
        """The history with trials that are new or have changed since."""
        by_number = {trial.number: trial for trial in self.trials}
        by_number.update((trial.number, trial) for trial in changed)
        return History(tuple(by_number[number] for number in sorted(by_number)), cursor)

    @cached_property
    def by_number(self) -> Mapping[int, Trial]:
        """The trials by their numbers."""
        return {trial.number: trial for trial in self.trials}

    def in_state(self, *states: State) -> tuple[Trial, ...]:
        """The trials that stand so."""
        return tuple(trial for trial in self.trials if trial.state in states)

    def ended_runs(self) -> list[tuple[Trial, Run]]:
        """The runs of the search that have ended, with their trials, in the order in which they did."""
        ended = [
            (run.finished, run.id, trial, run)
            for trial in self.trials
            for run in trial.line
            if run.finished is not None
        ]
        return [(trial, run) for _, _, trial, run in sorted(ended, key=lambda entry: entry[:2])]

    @property
    def of_the_search(self) -> "History":
        """The history without trials of which only a confirmation has runs."""
        kept = tuple(trial for trial in self.trials if not trial.is_beside_the_search)
        return self if len(kept) == len(self.trials) else History(kept, self.cursor)

    @property
    def published(self) -> tuple[Trial, ...]:
        """The trials of published networks, whatever became of them."""
        return tuple(trial for trial in self.trials if trial.reference is not None)

    def of_training(self, digest: str, recipe_digest: str | None) -> Trial | None:
        """The trial of a network and recipe that was admitted and has not failed, if there is one."""
        same = (trial for trial in self.trials if trial.training == (digest, recipe_digest))
        return next((trial for trial in same if trial.refusal is not State.DUPLICATE and not _failed(trial)), None)

    def in_the_order_of_results(self) -> list[Trial]:
        """Trials that have ended, in the order in which they did; what was refused ended when it was proposed."""
        ended = [trial for trial in self.trials if trial.state not in UNDERWAY]
        return sorted(ended, key=lambda trial: (trial.moment, trial.number))


def recipe_path(name: str) -> str:
    """The path at which a recipe's decision stands among those of a trial."""
    return f"{_RECIPE}{name}"


def joined(architecture: Mapping[str, Any], recipe: Mapping[str, Any]) -> Document:
    """The decisions of a trial: those of its network, and those of its recipe by field."""
    return {**architecture, **{recipe_path(name): value for name, value in recipe.items()}}


def parted(decisions: Mapping[str, Any]) -> tuple[Document, Document]:
    """The decisions of a trial's network and those of its recipe; takes apart what `joined` put together."""
    architecture = {path: value for path, value in decisions.items() if not path.startswith(_RECIPE)}
    recipe = {path.removeprefix(_RECIPE): value for path, value in decisions.items() if path.startswith(_RECIPE)}
    return architecture, recipe


def _same_line(one: RunKey, other: RunKey) -> bool:
    return (one.fold, one.seed, one.split) == (other.fold, other.seed, other.split)


def _failed(trial: Trial) -> bool:
    return bool(trial.runs) and all(run.state is State.FAILED for run in trial.runs)
