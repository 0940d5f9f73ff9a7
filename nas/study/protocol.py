"""What a study is to those who work on it: one interface, kept in a database (`sql`) or in memory (`memory`)."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nas.clock import Clock
from nas.errors import InputError
from nas.study.history import Document, Entry, History, Measurement, Origin, Result, RunKey, Split, State, Trial
from nas.study.settings import StudySettings

MOST_FAILURES = 3
"""A run that raised, or whose worker died, so often is failed and not tried again."""
CHECKPOINT = "checkpoint"
"""The kind of file from which a training goes on."""
WEIGHTS = "weights"
"""The kind of file that holds a network's state dict, as safetensors, how it runs in the header."""


@dataclass(frozen=True)
class Worker:
    """A registered worker; `rank` is how many others were at work when it began."""

    id: int
    name: str
    rank: int
    device: str = ""


@dataclass(frozen=True)
class Claim:
    """The right to write to a run, until another worker takes it up, which counts `number` on."""

    run: int
    number: int


@dataclass(frozen=True)
class Busy:
    """Why nothing is to be trained now: as many as are wanted are, or another worker has just begun this run."""

    reason: str


Wanted = Callable[[int, RunKey], bool]
"""Whether a worker takes up a run, by its trial and key."""


def in_the_search(trial: int, key: RunKey) -> bool:
    """The runs that a search takes up: its own, not those of a confirmation."""
    return key.split is Split.SEARCH


@dataclass(frozen=True)
class Orphaned:
    """What a worker does when the process that started it, of this number, has ended: perhaps before it looked."""

    parent: int
    act: Callable[[], None]


class LostClaimError(Exception):
    """This worker was taken for dead and its run was taken up by another; nothing was written."""


def nothing_left(run: int, kind: str, kinds: Iterable[str]) -> InputError:
    """What is said of a file that a run never left, or has no longer."""
    text = f"run {run} left no artifact {kind!r}; it has: {', '.join(sorted(kinds)) or 'none'}"
    if kind == WEIGHTS:
        text += (
            ". Only the best and the published networks keep their weights, while a search goes on and after "
            "nas studies prune-artifacts: nas train --trial NUMBER trains this one again, nas best names one that "
            "has them"
        )
    return InputError(text)


def expect_score(result: Result, metric: str, score: float | None, split: Split) -> None:
    """A complete run has the value that trials rank by, but where no case scores it.

    Raises:
        ValueError: it has none.
    """
    scored = score is not None and math.isfinite(score)
    if result.state is State.COMPLETE and split is not Split.ALL and not scored:
        raise ValueError(f"a complete run has a finite {metric}, not {score}")


@dataclass(frozen=True)
class ArchitectureRecord:
    """One network: its description and graph as JSON documents, and its cost."""

    digest: str
    document: Document
    graph: Document
    parameters: int
    macs: int
    training_bytes: int


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Decisions that are to become a trial, what they describe, and the run that is to train them first.

    `digest` and `architecture` are None where they could not be traced. `refusal` is why they are not trained, if they
    are not; `reason` says so in words.
    """

    decisions: Document
    digest: str | None
    recipe_digest: str | None = None
    architecture: ArchitectureRecord | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    key: RunKey = RunKey()
    parent: int | None = None
    origin: Origin = Origin.STRATEGY
    reference: str | None = None
    refusal: State | None = None
    reason: str | None = None


class Watch(Protocol):
    """Sees which workers have stopped. To be asked now and then: it goes by a steady clock of its own."""

    def look(self, but: int) -> tuple[list[int], list[int]]:
        """The other workers: those that hold runs and are dead or have ended; and those that live."""
        ...


class Study(Protocol):
    """A history of trials and their runs that several workers write to at once.

    Every method is one transaction. Trials are numbered from 0 in the order in which they were proposed.
    """

    @property
    def name(self) -> str:
        """What `--study` calls it."""
        ...

    @property
    def settings(self) -> StudySettings:
        """What it was made with."""
        ...

    @property
    def clock(self) -> Clock:
        """What its records are dated by."""
        ...

    def history(self, since: History | None = None) -> History:
        """All that is known, or an earlier history grown by what is new."""
        ...

    def start(self, proposal: Proposal, worker: Worker, *, most: int) -> Claim | Trial | Busy:
        """Make a proposal a trial: the right to train it, or the trial on record where it is not to be trained.

        Args:
            proposal: what was described. One whose network and recipe are known becomes a duplicate.
            worker: who proposes.
            most: how many trials may be trained or under way in all.
        """
        ...

    def go_on(self, trial: int, key: RunKey, worker: Worker) -> Claim | Busy:
        """Begin another run of a trial: its next rung, or another fold, seed or split."""
        ...

    def take_up(self, worker: Worker, dead: Collection[int], wanted: Wanted = in_the_search) -> Claim | None:
        """The first wanted run that waits, or whose worker is dead or is this one; None if there is none.

        One whose workers died `MOST_FAILURES` times is failed instead.
        """
        ...

    def report(self, claim: Claim, measurements: Iterable[Measurement]) -> None:
        """Put measurements on record, all at once. One made again replaces what it said before.

        Raises:
            LostClaimError: another worker has taken the run up. So do all that write by a claim.
        """
        ...

    def keep(self, claim: Claim, kind: str, path: Path) -> None:
        """Move a file in; of a kind, a run keeps one."""
        ...

    def file(self, run: int, kind: str) -> Path:
        """A run's file, unchanged.

        Raises:
            InputError: there is none, or it is missing or has changed.
        """
        ...

    def checkpoint(self, claim: Claim) -> Path | None:
        """Where to go on from: the run's own checkpoint, else that of the rung before it; None if neither is whole."""
        ...

    def finish(self, claim: Claim, result: Result) -> None:
        """Put a run's result on record. A paused run keeps its checkpoint, any other end drops it."""
        ...

    def give_back(self, claim: Claim) -> None:
        """Let another worker go on with a run, from its last checkpoint. A lost claim is no affair of ours."""
        ...

    def give_up(self, claim: Claim, reason: str) -> State:
        """Note that a run raised: it waits to be tried again, or after `MOST_FAILURES` it is failed."""
        ...

    def at_work(self, device: str, *, lease: float, orphaned: Orphaned | None = None) -> AbstractContextManager[Worker]:
        """Register a worker that is alive until the block ends."""
        ...

    def watch(self, lease: float) -> Watch:
        """Who is alive, where one without a sign of life for a lease of seconds is dead."""
        ...

    def architecture(self, digest: str) -> ArchitectureRecord:
        """A network that was recorded.

        Raises:
            InputError: there is none of that digest.
        """
        ...

    def prune(self, keep: int) -> int:
        """Delete the search's weights but of so many of the best and the published networks; returns how many.

        With several objectives the networks that no other one beats are kept, however many.
        """
        ...

    def write_down(self, kind: str, content: Document) -> Entry:
        """Add a line to the journal, which only grows: what was seen once cannot be unseen."""
        ...

    def journal(self, kind: str) -> tuple[Entry, ...]:
        """The lines of a kind, the first one first."""
        ...

    def is_current(self, space_digest: str) -> bool:
        """Whether the space is still that: another process may have widened it."""
        ...
