"""A study in memory: the same promises as one in a database, for replays and fast tests. Threads may share it."""

import math
import shutil
import tempfile
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nas.clock import SYSTEM, Clock
from nas.errors import InputError
from nas.study.history import (
    TRAINED,
    UNDERWAY,
    Document,
    Entry,
    History,
    Measurement,
    Result,
    Run,
    RunKey,
    Split,
    State,
    Trial,
)
from nas.study.objective import best_runs
from nas.study.protocol import (
    CHECKPOINT,
    MOST_FAILURES,
    ArchitectureRecord,
    Busy,
    Claim,
    LostClaimError,
    Orphaned,
    Proposal,
    Wanted,
    Worker,
    expect_score,
    in_the_search,
    nothing_left,
)
from nas.study.settings import StudySettings


@dataclass
class MemoryStudy:
    """A study that is gone with the process; see `nas.study.protocol.Study`."""

    settings: StudySettings
    clock: Clock = SYSTEM
    _history: History = field(default_factory=History)
    _architectures: dict[str, ArchitectureRecord] = field(default_factory=dict)
    _measured: dict[int, dict[tuple[object, ...], Measurement]] = field(default_factory=dict)
    _files: dict[tuple[int, str], Path] = field(default_factory=dict)
    _workers: dict[int, bool] = field(default_factory=dict)
    _journal: list[Entry] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _folder: Path | None = field(default=None, repr=False)
    _runs: int = 0

    @property
    def name(self) -> str:
        """What `--study` calls it."""
        return self.settings.name

    def history(self, since: History | None = None) -> History:
        """All that is known."""
        return self._history

    def start(self, proposal: Proposal, worker: Worker, *, most: int) -> Claim | Trial | Busy:
        """Make a proposal a trial: the right to train it, or the trial on record where it is not to be trained."""
        with self._lock:
            trial = Trial(
                number=len(self._history.trials),
                created=self.clock.now(),
                refusal=proposal.refusal,
                reason=proposal.reason,
                **_proposed(proposal),
            )
            twin = self._twin(proposal)
            if twin is not None and twin.is_beside_the_search and proposal.key.split is Split.SEARCH:
                return self._begin(twin, proposal.key, worker)
            if twin is not None:
                same_reference = proposal.reference is not None and proposal.reference == twin.reference
                if same_reference or any(run.state in UNDERWAY for run in twin.runs):
                    return Busy(f"another worker has the network of trial {twin.number}")
                return self._put(_duplicate(trial, twin))
            if proposal.refusal is None and self._number_of_networks() >= most:
                return Busy(f"{most} networks are trained or in hand")
            if proposal.architecture is not None:
                self._architectures.setdefault(proposal.architecture.digest, proposal.architecture)
            self._put(trial)
            return trial if trial.refusal else self._begin(trial, proposal.key, worker)

    def go_on(self, trial: int, key: RunKey, worker: Worker) -> Claim | Busy:
        """Begin another run of a trial: its next rung, or another fold, seed or split."""
        with self._lock:
            continued = self._history.by_number[trial]
            begun = next((run for run in continued.runs if run.key == key), None)
            if begun is not None:
                return Busy(f"{begun.worker} has begun this run of trial {trial}")
            return self._begin(continued, key, worker)

    def take_up(self, worker: Worker, dead: Collection[int], wanted: Wanted = in_the_search) -> Claim | None:
        """The first run that waits, or whose worker is dead or is this one."""
        with self._lock:
            for run in [run for trial in self._history.trials for run in trial.runs]:
                left_behind = run.state is State.RUNNING and run.worker_id in {*dead, worker.id, None}
                if not (left_behind or run.state is State.WAITING) or not wanted(run.trial, run.key):
                    continue
                died = run.state is State.RUNNING and run.worker_id != worker.id
                if died and run.failures + 1 >= MOST_FAILURES:
                    self._set(
                        run,
                        state=State.FAILED,
                        failures=run.failures + 1,
                        claim=run.claim + 1,
                        finished=self.clock.now(),
                        reason=f"its worker ended without a word; last {run.worker}",
                    )
                    continue
                claim = Claim(run.id, run.claim + 1)
                self._set(
                    run,
                    state=State.RUNNING,
                    claim=claim.number,
                    failures=run.failures + died,
                    reason=None,
                    worker=worker.name,
                    worker_id=worker.id,
                    device=worker.device,
                )
                return claim
        return None

    def report(self, claim: Claim, measurements: Iterable[Measurement]) -> None:
        """Put measurements on record, all at once."""
        with self._lock:
            run = self._held(claim)
            kept = self._measured.setdefault(run.id, {})
            for measurement in measurements:
                value = measurement.value if math.isfinite(measurement.value) else math.nan
                key = (measurement.epoch, measurement.metric, measurement.class_index or -1, measurement.case or "")
                kept[key] = replace(measurement, value=value)
            whole = [kept[key] for key in sorted(kept) if kept[key].class_index is None and kept[key].case is None]
            self._set(run, curve=tuple(whole))

    def measurements(self, run: int, metric: str | None = None) -> list[Measurement]:
        """All that a run has measured, or one metric, by epoch, class and case."""
        kept = self._measured.get(run, {})
        return [kept[key] for key in sorted(kept) if metric in (None, kept[key].metric)]

    def keep(self, claim: Claim, kind: str, path: Path) -> None:
        """Move a file in; of a kind, a run keeps one."""
        with self._lock:
            run = self._held(claim)
            target = self._place() / f"{run.id}-{kind}{path.suffix}"
            self._files[run.id, kind] = Path(shutil.move(path, target))

    def file(self, run: int, kind: str) -> Path:
        """A run's file."""
        if (run, kind) not in self._files:
            raise nothing_left(run, kind, (name for of, name in self._files if of == run))
        return self._files[run, kind]

    def checkpoint(self, claim: Claim) -> Path | None:
        """Where to go on from: the run's own checkpoint, else that of the rung before it."""
        line = self._line(self._run(claim.run))
        return next((self._files[run.id, CHECKPOINT] for run in line if (run.id, CHECKPOINT) in self._files), None)

    def finish(self, claim: Claim, result: Result) -> None:
        """Put a run's result on record. A paused run keeps its checkpoint, any other end drops it."""
        metric = self.settings.goals[0].metric
        score = result.values.get(metric)
        with self._lock:
            run = self._run(claim.run)
            expect_score(result, metric, score, run.key.split)
            if (run.claim, run.state) == (claim.number, result.state):
                return
            run = self._held(claim)
            values = {name: value for name, value in result.values.items() if math.isfinite(value)}
            self._set(
                run,
                state=result.state,
                values=values,
                reason=result.reason,
                steps=result.steps,
                seconds=result.seconds,
                peak_bytes=result.peak_bytes,
                finished=self.clock.now(),
            )
            if result.constraints:
                trial = self._history.by_number[run.trial]
                self._put(replace(trial, constraints={**trial.constraints, **result.constraints}))
            self._drop_checkpoints(run, also_own=result.state is not State.PAUSED)

    def give_back(self, claim: Claim) -> None:
        """Let another worker go on with a run, from its last checkpoint."""
        with self._lock:
            run = self._run(claim.run)
            if (run.state, run.claim) == (State.RUNNING, claim.number):
                self._set(run, state=State.WAITING, worker_id=None)

    def give_up(self, claim: Claim, reason: str) -> State:
        """Note that a run raised: it waits to be tried again, or after several times it is failed."""
        with self._lock:
            run = self._held(claim)
            failures = run.failures + 1
            state = State.FAILED if failures >= MOST_FAILURES else State.WAITING
            finished = self.clock.now() if state is State.FAILED else None
            self._set(run, state=state, failures=failures, reason=reason, worker_id=None, finished=finished)
            if state is State.FAILED:
                self._drop_checkpoints(run, also_own=True)
            return state

    @contextmanager
    def at_work(self, device: str, *, lease: float, orphaned: Orphaned | None = None) -> Iterator[Worker]:
        """Register a worker that is alive until the block ends."""
        with self._lock:
            number = len(self._workers) + 1
            worker = Worker(number, f"worker {number}", sum(self._workers.values()), device)
            self._workers[number] = True
        try:
            yield worker
        finally:
            self._workers[number] = False

    def watch(self, lease: float) -> "MemoryWatch":
        """Who is alive: in memory, who has not ended."""
        return MemoryWatch(self)

    def architecture(self, digest: str) -> ArchitectureRecord:
        """A network that was recorded."""
        if digest not in self._architectures:
            raise InputError(f"there is no architecture {digest!r}")
        return self._architectures[digest]

    def prune(self, keep: int) -> int:
        """Delete the weights of all but so many of the best and the published networks."""
        kept = best_runs(self._history, self.settings.goals, keep)
        losers = [trial for trial in self._history.trials if trial.reference is None]
        ended = [run for trial in losers for run in trial.runs if run.state not in UNDERWAY]
        ids = {run.id for run in ended if run.key.split is Split.SEARCH} - kept
        names = [name for name in self._files if name[0] in ids]
        for name in names:
            self._files.pop(name).unlink()
        return len(names)

    def write_down(self, kind: str, content: Document) -> Entry:
        """Add a line to the journal."""
        with self._lock:
            entry = Entry(len(self._journal) + 1, kind, self.clock.now(), content)
            self._journal.append(entry)
            return entry

    def journal(self, kind: str) -> tuple[Entry, ...]:
        """The lines of a kind, the first one first."""
        return tuple(entry for entry in self._journal if entry.kind == kind)

    def is_current(self, space_digest: str) -> bool:
        """Whether the space is that."""
        return self.settings.space_digest == space_digest

    def _place(self) -> Path:
        """A folder that goes with the study."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nas-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def _twin(self, proposal: Proposal) -> Trial | None:
        return (proposal.digest and self._history.of_training(proposal.digest, proposal.recipe_digest)) or None

    def _number_of_networks(self) -> int:
        return sum(
            any(run.state in TRAINED | UNDERWAY and run.key.split is Split.SEARCH for run in trial.runs)
            for trial in self._history.trials
        )

    def _begin(self, trial: Trial, key: RunKey, worker: Worker) -> Claim:
        self._runs += 1
        run = Run(
            id=self._runs, trial=trial.number, key=key, state=State.RUNNING, reason=None, values={}, steps=None,
            seconds=None, peak_bytes=None, device=worker.device, worker=worker.name, started=self.clock.now(),
            finished=None, worker_id=worker.id, claim=1,
        )  # fmt: skip
        self._put(replace(self._history.by_number[trial.number], runs=(*trial.runs, run)))
        return Claim(run.id, 1)

    def _put(self, trial: Trial) -> Trial:
        self._history = self._history.grown([trial], self._history.cursor + 1)
        return trial

    def _run(self, id: int) -> Run:
        return next(run for trial in self._history.trials for run in trial.runs if run.id == id)

    def _set(self, run: Run, **changes: object) -> None:
        trial = self._history.by_number[run.trial]
        runs = tuple(replace(other, **changes) if other.id == run.id else other for other in trial.runs)  # type: ignore[arg-type]
        self._put(replace(trial, runs=runs))

    def _held(self, claim: Claim) -> Run:
        run = self._run(claim.run)
        if (run.state, run.claim) != (State.RUNNING, claim.number):
            raise LostClaimError(f"run {claim.run} is no longer this worker's")
        return run

    def _line(self, run: Run) -> list[Run]:
        """A run and those that it goes on from, the last one first."""
        return sorted(self._history.by_number[run.trial].runs_at(run.key), key=lambda other: -other.key.rung)

    def _drop_checkpoints(self, run: Run, *, also_own: bool) -> None:
        for other in self._line(run):
            if (other.id, CHECKPOINT) in self._files and (also_own or other.id != run.id):
                self._files.pop((other.id, CHECKPOINT)).unlink(missing_ok=True)


@dataclass(frozen=True)
class MemoryWatch:
    """Sees which workers have ended."""

    study: MemoryStudy

    def look(self, but: int) -> tuple[list[int], list[int]]:
        """The other workers: those that hold runs and have ended, and those that live."""
        runs = [run for trial in self.study.history().trials for run in trial.runs]
        holding = {run.worker_id for run in runs if run.state is State.RUNNING}
        workers = {number: alive for number, alive in self.study._workers.items() if number != but}
        dead = [number for number, alive in workers.items() if not alive and number in holding]
        return dead, [number for number, alive in workers.items() if alive]


def _proposed(proposal: Proposal) -> dict[str, Any]:
    architecture = proposal.architecture
    names = ("decisions", "digest", "recipe_digest", "parent", "origin", "reference", "constraints")
    costs = ("parameters", "macs", "training_bytes")
    return {name: getattr(proposal, name) for name in names} | {
        name: getattr(architecture, name) if architecture else None for name in costs
    }


def _duplicate(trial: Trial, twin: Trial) -> Trial:
    """A trial of a network that the study has already."""
    infeasible = {"known_infeasible": 1.0} if twin.state is State.INFEASIBLE else {}
    return replace(
        trial,
        refusal=State.DUPLICATE,
        twin=twin.number,
        reason=f"the network of trial {twin.number}",
        constraints={**trial.constraints, **infeasible},
    )
